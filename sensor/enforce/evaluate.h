/* What the rules do with a packet, by walking the model as the kernel walks the table: for tests
 * that hold the rules against policy_kernel(), and to tell which rule acts on whom. */
#ifndef SEALDNS_ENFORCE_EVALUATE_H
#define SEALDNS_ENFORCE_EVALUATE_H

#include "enforce/ruleset.h"

struct evaluated_packet {
    uint8_t hook; /* NF_INET_PRE_ROUTING (of a connection's first packet), FORWARD, LOCAL_IN or
                     LOCAL_OUT */
    uint8_t protocol;
    const char *iface; /* it came in by; "" when sent by the gateway itself */
    struct addr source, destination;
    uint64_t station;   /* link address it came from, 0: none */
    uint16_t port;      /* of the destination */
    const uint8_t *dns; /* UDP: the message from its flags on, or NULL */
    size_t dns_length;
    bool to_gateway; /* the destination is one of the gateway's addresses */
};

/* The rule that ended the walk, or NULL: none did, and the packet passes. Rules of statement
 * STATEMENT_COUNT end nothing. The model must be one of ruleset_compile(). */
const struct rule *ruleset_evaluate(const struct ruleset *r, const struct evaluated_packet *p);

/* The same for a connection's first packet on its way through this gateway, redirection included:
 * hook and to_gateway are filled in. */
const struct rule *ruleset_acting(const struct ruleset *r, const struct policy *p,
                                  struct evaluated_packet *first);

#endif
