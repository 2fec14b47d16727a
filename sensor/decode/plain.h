/* The usual frame at one go: Ethernet, IP without options, extension headers or fragments, UDP or
 * TCP, all of it captured, and no tunnel. Nine frames in ten are of that kind, and the walk from
 * layer to layer costs three times as much. Internal to decode/. */
#ifndef SEALDNS_DECODE_PLAIN_H
#define SEALDNS_DECODE_PLAIN_H

#include <stdbool.h>

#include "decode/decode.h"

/* What walk_frame() would say of it, but for what out->quote holds beside its proto. False: not of
 * that kind, or damaged; *out is then undefined. tunnels: as of decoder_create(). */
bool plain_frame(const struct frame *frame, bool tunnels, struct packet *out);
/* decode_frame() of any frame. */
int walk_frame(struct decoder *d, const struct frame *frame, struct packet *out,
               struct stats *stats);

#endif
