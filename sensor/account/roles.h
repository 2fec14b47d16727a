/* What a client is to DNS, from what it does: a recursive resolver asks many servers and asks none
 * of them to recurse (RD=0, RFC 1035 4.1.1); a forwarder answers others and asks upstream in their
 * place. sensor.roles of the policy overrules what was learned. Worst case in bytes: CLIENTS_MOST *
 * 56. */
#ifndef SEALDNS_ACCOUNT_ROLES_H
#define SEALDNS_ACCOUNT_ROLES_H

#include "model/memory.h"
#include "model/observation.h"
#include "model/policy.h"

struct roles;

/* NULL: no memory. */
struct roles *roles_create(void);
void roles_destroy(struct roles *r);
/* Of a batch, before roles_note() of each. */
void roles_prefetch(const struct roles *r, const struct observation *o);
/* The note has its place already: learns from a query, and adds to its roles. */
void roles_note(struct roles *r, const struct policy *p, struct observation *o);
/* The machine of this place answers that client, and did so often enough to be meant. */
void roles_serve(struct roles *r, uint32_t who, uint32_t tenure, const struct addr *client);

/* What changed, for explain: topic "role", keyed by address. It is learned anew after a restart,
 * within minutes. */
void roles_remember(struct roles *r, struct memory_sink sink);

#endif
