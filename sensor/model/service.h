/* The SVCB records of an answer that designates resolvers (RFC 9461, RFC 9462). They stand behind
 * the question's name in struct dns_message, whose room a question for them (`_dns.resolver.arpa`)
 * leaves empty, so that no other message carries them. */
#ifndef SEALDNS_MODEL_SERVICE_H
#define SEALDNS_MODEL_SERVICE_H

#include "base/cursor.h"
#include "model/dns.h"
#include "model/names.h"
#include "model/svcb.h"

struct dns_service {
    const uint8_t *target; /* wire form, lower case; borrowed of the message */
    uint8_t target_length;
    struct svcb svcb;
};

/* target: a whole name in wire form. What has no room is left out and services_cut set. */
void service_put(struct dns_message *m, struct cursor target, const struct svcb *svcb);
/* One after the other: start with *at = 0; false at the end. */
bool service_next(const struct dns_message *m, size_t *at, struct dns_service *out);

#endif
