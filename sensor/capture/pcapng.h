/* Reading pcapng (draft-ietf-opsawg-pcapng). libpcap refuses files whose interfaces differ in link
 * type or snap length, which is what "-i any" and merging tools write. Internal to capture/. */
#ifndef SEALDNS_CAPTURE_PCAPNG_H
#define SEALDNS_CAPTURE_PCAPNG_H

#include <stdio.h>

#include "model/frame.h"

struct pcapng;

/* Reads on from the file's first byte; file stays the caller's. SD_EFORMAT: no section header.
 * SD_EMEM. */
int pcapng_open(FILE *file, struct pcapng **out);
void pcapng_close(struct pcapng *p);
/* The next packet, borrowed until the next call. SD_EEND. SD_ETRUNC: the file ends inside a block.
 * SD_EMALF: a block contradicts itself, nothing behind it can be read. SD_EIO. SD_EMEM. */
int pcapng_next(struct pcapng *p, struct frame *out);

#endif
