/* The walk from a frame's first byte to its innermost packet. Every layer is a function that takes
 * its header from the cursor and names the next layer; a loop in decode.c calls them one after the
 * other, so that no depth of encapsulation costs stack. Internal to decode/. */
#ifndef SEALDNS_DECODE_WALK_H
#define SEALDNS_DECODE_WALK_H

#include "base/cursor.h"
#include "decode/decode.h"

enum { LAYERS_MAX = 48 }; /* three VXLANs with tags and IP need 20 */

struct walk;
struct reassembly;

/* SD_OK: w->next says how it goes on, NULL: *w->out is complete. Else as decode_frame(). */
typedef int (*layer_fn)(struct walk *w);

struct walk {
    struct cursor c;  /* what is captured of this layer's content */
    uint32_t missing; /* bytes that followed on the wire but were not captured */
    layer_fn next;
    const struct frame *frame;
    struct packet *out;
    struct stats *stats;
    struct reassembly *reassembly;
    bool tunnels;
};

enum layer_kind { IN_LINK, IN_IP, IN_TRANSPORT, IN_TUNNEL };

/* Counts the frame as malformed; SD_EMALF. */
int walk_malformed(struct walk *w, enum layer_kind kind);
/* The bytes ended inside a header: SD_ETRUNC if the capture cut them, else malformed. */
int walk_short(struct walk *w, enum layer_kind kind);
/* Not IP with TCP, UDP or ICMP: counts, SD_EUNSUP. */
int walk_unsupported(struct walk *w);
/* A length field says that this layer's content is length bytes: drops trailing padding, or notes
 * what is missing. */
void walk_limit(struct walk *w, size_t length);

/* Of a header that cursor_take() gave whole. */
static inline uint16_t load16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static inline uint32_t load32(const uint8_t *at)
{
    return (uint32_t)load16(at) << 16 | load16(at + 2);
}

static inline void tcp_fields(const uint8_t header[20], struct packet *out)
{
    out->sport = load16(header);
    out->dport = load16(header + 2);
    out->seq = load32(header + 4);
    out->ack = load32(header + 8);
    out->tcp_flags = header[13];
    out->window = load16(header + 14);
}

static inline int walk_to(struct walk *w, layer_fn next)
{
    w->next = next;
    return 0;
}

/* A tunnel's content follows: looked at only where tunnels are. Its packets are of a network of
 * their own, so the outer VLAN does not name it. */
int walk_into(struct walk *w, layer_fn next);

#endif
