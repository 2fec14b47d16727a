/* A resolver is asked by the sensor itself, over one transport: who it proves to be, what it
 * offers, how it answers. Everything it says is a stranger's: octets and time are bounded, texts
 * are printable ASCII. A probe blocks its caller for at most three timeouts: one until the first
 * answer, two for the remarks. */
#ifndef SEALDNS_PROBE_PROBE_H
#define SEALDNS_PROBE_PROBE_H

#include "model/policy.h"
#include "model/probe.h"

enum { PROBE_NAMES = 4, PROBE_PINS = 8 };

/* Whom to ask, and who it should be: a plain value, so that it can wait in a queue. */
struct probe_target {
    struct addr server;
    uint16_t port;
    uint8_t transport;           /* enum transport */
    bool stranger;               /* nobody's: one connection, one question and nothing beyond */
    char resolver[64];           /* its id, or "" */
    char name[PROBE_NAMES][128]; /* the first is the authentication domain name (RFC 8310 2) */
    char pin[PROBE_PINS][64];    /* "sha256/BASE64" */
    uint8_t name_count, pin_count;
    char ca[256];   /* a file of certificates; "": those of the system */
    char path[128]; /* DoH */
};

struct probe_terms {
    nsec_t timeout;                 /* until the first answer, and again for each kind of remark */
    nsec_t (*clock)(void *context); /* the wall clock, by which certificates end too */
    void *context;
};

/* Port and transport of a target for this resolver (NULL: nobody's). */
void probe_target_set(struct probe_target *t, const struct policy *p, int16_t resolver,
                      const struct addr *server, enum transport transport);
uint16_t probe_port(enum transport transport);
/* The transports that a probe speaks. */
bool probe_speaks(enum transport transport);

/* Fills *out, whatever happens. SD_EUNSUP: a transport that no probe speaks; SD_EMEM. */
int probe_run(const struct probe_target *t, const struct probe_terms *terms,
              struct probe_observation *out);
/* What the answers of the resolver with this id mean to a policy: canaries and designations that
 * move its clients elsewhere. */
void probe_judge(const struct policy *p, const char *id, struct probe_observation *out);

#endif
