/* A capture file of a few frames that are at hand: pcap with nanoseconds, as Wireshark opens it. */
#ifndef SEALDNS_CAPTURE_CLIP_H
#define SEALDNS_CAPTURE_CLIP_H

#include <stddef.h>
#include <stdint.h>

#include "base/trail.h"

struct clip_frame {
    struct trail_frame frame;
    const uint8_t *bytes;
};

/* Writes folder/name, whole or not at all; frames of another link type than the first are left
 * out. *octets: what it takes. SD_EIO: errno says why. */
int clip_write(const char *folder, const char *name, const struct clip_frame *frames, size_t count,
               uint64_t *octets);

#endif
