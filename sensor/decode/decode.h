/* From a frame to its innermost packet: link layers, tags, tunnels, IP, fragments, transport. */
#ifndef SEALDNS_DECODE_DECODE_H
#define SEALDNS_DECODE_DECODE_H

#include <stdbool.h>

#include "model/frame.h"
#include "model/packet.h"
#include "model/stats.h"

struct decoder;

/* NULL: out of memory. tunnels: look inside VXLAN, GRE, ... (always offline; live where configured).
 * The reassembler keeps at most fragment_bytes (0: a default of 4 MiB). */
struct decoder *decoder_create(bool tunnels, uint64_t seed, size_t fragment_bytes);
void decoder_destroy(struct decoder *d);

/* SD_OK: *out is filled, payload borrowed until the next call. SD_EAGAIN: a fragment was kept, more
 * are needed. SD_EUNSUP: not IP with TCP, UDP or ICMP. SD_EMALF, SD_ETRUNC: counted by reason in
 * *stats. */
int decode_frame(struct decoder *d, const struct frame *frame, struct packet *out,
                 struct stats *stats);

#endif
