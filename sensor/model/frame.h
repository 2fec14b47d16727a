/* A frame as the capture gives it. Borrowed: valid during the call. */
#ifndef SEALDNS_MODEL_FRAME_H
#define SEALDNS_MODEL_FRAME_H

#include <stdint.h>

#include "base/time.h"

struct frame {
    const uint8_t *bytes;
    uint32_t captured; /* bytes present */
    uint32_t length;   /* bytes on the wire, >= captured */
    nsec_t time;
    int linktype;   /* LINKTYPE_ of the pcap format (a DLT_ where both agree) */
    uint16_t iface; /* index into the sensor's interfaces; 0 offline */
};

#endif
