/* What probes found of servers: the last result, and what a good one may show the next time. A CDN
 * has several certificates; those that probes saw and found right are a small set, not one.
 * 1,024 servers, 2.6 MB at worst; the least recently used goes. It survives restarts (memory topic
 * "probe", key "ADDRESS PORT TRANSPORT", text for people). */
#ifndef SEALDNS_DETECT_PROBED_H
#define SEALDNS_DETECT_PROBED_H

#include "base/table.h"
#include "detect/draft.h"
#include "model/memory.h"

enum { PROBED_SERVERS = 1024, PROBED_KEYS = 8, PROBED_ISSUERS = 4, PROBED_ISSUER = 96 };

#define PROBED_TOPIC "probe"

struct probed_key {
    struct addr server;
    uint16_t port;
    uint8_t transport;
    uint8_t zero[5];
};

/* Learned of probes without a fault of identity. A plain value, stored as it is. */
struct probed_proof {
    nsec_t time; /* of the last; 0: none so far */
    uint8_t keys, next_key, issuers, next_issuer;
    uint8_t versions; /* bits PROBE_VERSION() */
    uint8_t alpn_known;
    uint8_t spki[PROBED_KEYS][32];
    char issuer[PROBED_ISSUERS][PROBED_ISSUER];
    char alpn[16];
};

/* The latest handshake of a client with it that showed something. */
struct probed_sighting {
    bool any;
    struct sighting at;
    uint8_t spki[32];
    char issuer[PROBED_ISSUER];
};

struct probed_server {
    struct probed_key key; /* first */
    nsec_t time;           /* of the last probe, 0: none */
    bool untold;           /* not remembered yet */
    struct probed_proof proof;
    struct probed_sighting seen;
    struct probe_observation last;
};

struct table *probed_create(uint64_t seed);
struct probed_server *probed_find(struct table *t, const struct observation *o);
struct probed_server *probed_at(struct table *t, const struct observation *o);
/* An OBSERVE_PROBE. */
void probed_note(struct probed_server *s, const struct observation *o);
bool probed_knows_key(const struct probed_proof *p, const uint8_t spki[32]);
bool probed_knows_issuer(const struct probed_proof *p, const char *issuer);

void probed_remember(struct table *t, struct memory_sink sink);
void probed_recall(struct table *t, const struct memory *m);

#endif
