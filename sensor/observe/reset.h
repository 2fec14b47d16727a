/* Who sent a reset: what it looks like beside the server's own packets of the same flow, and what
 * comes after it (RFC 9293 3.5.2; Weaver, Sommer, Paxson: Detecting Forged TCP Reset Packets).
 * Resets that were told lately are kept for as long as what follows may speak of them: 512 of them
 * in 24 KiB, a newer one takes the place of an older one. */
#ifndef SEALDNS_OBSERVE_RESET_H
#define SEALDNS_OBSERVE_RESET_H

#include "observe/flow.h"

struct observer;

/* IP IDs of the server's packets after its SYN-ACK; those of SYN-ACKs tell nothing of the rest. */
struct server_ids {
    uint16_t last, step; /* greatest step from one packet to the next */
    uint8_t seen;
    bool moved; /* one was not 0 */
};

struct reset_past {
    uint64_t flow_id;
    nsec_t time;
    uint32_t seq, sent; /* of the reset; what the server had sent before, as far as it is known */
    bool sent_known;
    uint8_t signs;
};

enum { RESETS_PAST = 512 };

/* The server's packet, no reset and no SYN-ACK. */
void reset_learn_id(struct server_ids *ids, const struct packet *p);
/* Bits of enum reset_sign. The flow is as it was before the reset. */
uint8_t reset_signs(const struct flow *f, const struct packet *p);
/* From what the client had sent, in microseconds; 0: unknown. */
uint32_t reset_gap_us(const struct flow *f, const struct packet *p);
/* A reset by the server ended the flow. */
void reset_keep(struct observer *o, const struct flow *f, const struct packet *p, uint8_t signs);
/* A packet of a flow that has ended: tells FLOW_AFTERMATH when it speaks against the reset. */
void reset_after(struct observer *o, struct flow *f, const struct packet *p, enum side sender);

#endif
