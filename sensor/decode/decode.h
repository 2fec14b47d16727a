/* From a frame to its innermost packet: link layers, tags, tunnels, IP, fragments, transport. */
#ifndef SEALDNS_DECODE_DECODE_H
#define SEALDNS_DECODE_DECODE_H

#include <stdbool.h>

#include "model/frame.h"
#include "model/packet.h"
#include "model/stats.h"

struct decoder;

/* NULL: out of memory. tunnels: look inside VXLAN, GRE, ... (always offline; live where
 * configured). The reassembler keeps at most fragment_bytes (0: a default of 4 MiB). */
struct decoder *decoder_create(bool tunnels, uint64_t seed, size_t fragment_bytes);
void decoder_destroy(struct decoder *d);
/* At the end of the capture: gives up the datagrams whose fragments did not all come, counts them.
 */
void decoder_finish(struct decoder *d, struct stats *stats);

/* SD_OK: *out is filled, payload borrowed until the next call; payload_length is what is captured
 * of it, payload_missing what is not. The payload of ICMP begins behind type, code and checksum.
 * SD_EAGAIN: a fragment was kept, more are needed; the packet then has the last one's time.
 * SD_ELIMIT: a fragment was dropped. SD_EUNSUP: not IP with TCP, UDP or ICMP. SD_EMALF, SD_ETRUNC:
 * malformed, or cut before the payload. All are counted by reason in *stats, frames and their bytes
 * (packets, bytes) are not. */
int decode_frame(struct decoder *d, const struct frame *frame, struct packet *out,
                 struct stats *stats);

#endif
