/* Who made an attempt at encrypted DNS fail, as far as packets tell (RFC 9293 3.5.2; Weaver,
 * Sommer, Paxson: Detecting Forged TCP Reset Packets, NDSS 2009). Two signs that agree prove
 * somebody else than the server; one alone is weaker. What spoke for it is kept, for the evidence.
 * Pure. */
#ifndef SEALDNS_DETECT_ORIGIN_H
#define SEALDNS_DETECT_ORIGIN_H

#include "base/json.h"
#include "model/observation.h"

/* What is known of the server from elsewhere than the flow that failed. */
struct origin_known {
    uint8_t ttl;       /* of its packets to this client, or to all; 0: unknown */
    uint8_t ttl_after; /* of its packets to this client since the failure; 0: none */
    uint32_t rtt_us;   /* the shortest of enough round trips; 0: unknown */
};

struct blame {
    uint8_t cause, origin; /* enum cause, enum origin */
    uint8_t signs;         /* bits of enum reset_sign: not the server's packet */
    uint8_t ttl_fault;     /* of what ended it, or of who spoke in the server's place; 0: nobody */
    uint8_t ttl_flow;      /* the server's other packets in that flow */
    uint8_t ttl_usual;     /* what it is held against */
    uint8_t alert, icmp_type, icmp_code;
    bool from_client;
    bool certain; /* our own rule: the kernel said so */
    uint32_t gap_us;
    uint64_t flow_id;
    struct addr icmp_source;
};

/* Of FLOW_FAILED: the client gave it up at once, while another flow may win (Happy Eyeballs, DoQ
 * beside DoT) or before any server could have spoken. It says nothing of the server. */
bool is_change_of_mind(const struct observation *o);
/* Of FLOW_FAILED. own_rule: the gateway's own rules cut this traffic; that goes before all else. */
void origin_begin(struct blame *b, const struct observation *o, bool own_rule);
/* Judges it, again whenever more is known. True when the origin is another than before. */
bool origin_judge(struct blame *b, const struct origin_known *known);
/* It knows more of the same failure than the other does. */
bool origin_outweighs(const struct blame *b, const struct blame *other);
/* Somebody on the path: at least two signs agree. */
bool origin_is_proven(const struct blame *b);
/* origin, signs, TTLs, alert, ICMP: the members of the evidence. */
void origin_write(const struct blame *b, struct evidence *e);
/* The name of a TLS alert (RFC 8446 6, RFC 9849); "" where it has none. */
const char *alert_name(uint8_t alert);

#endif
