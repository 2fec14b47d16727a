#include "account/points.h"

#include <stdlib.h>

#include "base/hash.h"

#define MESSAGE (100 * NSEC_MS) /* between two sights of one message */
#define FLOW    (600 * NSEC_S)  /* of silence, after which any point may show a flow */

enum { TRIAL = 1024 }; /* observations after which a single point is taken for the only one */

/* Direct-mapped: what is pushed out is counted at both points, no worse. */
struct sight {
    uint64_t what;
    nsec_t time;
    uint16_t iface, vlan;
};

struct points {
    uint64_t seed;
    uint32_t count;
    bool several;
    uint16_t iface, vlan; /* the only one so far */
    struct sight message[POINTS_MEMORY], flow[POINTS_MEMORY];
};

/* The ends of a flow, and of a message what tells it from the others there. */
struct identity {
    struct addr client, server;
    uint64_t qname_hash;
    uint16_t client_port, server_port, id, qtype;
    uint8_t proto, response, kind, zero[5];
};

struct points *points_create(uint64_t seed)
{
    struct points *p = calloc(1, sizeof *p);

    if (p)
        p->seed = seed;
    return p;
}

void points_destroy(struct points *p)
{
    free(p);
}

static bool only_one(struct points *p, const struct observation *o)
{
    if (p->count == 0) {
        p->iface = o->iface;
        p->vlan = o->vlan;
    }
    p->several |= p->iface != o->iface || p->vlan != o->vlan;
    if (p->several || p->count >= TRIAL)
        return !p->several;
    p->count++;
    return false;
}

static uint64_t identity_of(const struct points *p, const struct observation *o)
{
    struct identity i = {.client = o->client,
                         .server = o->server,
                         .client_port = o->client_port,
                         .server_port = o->server_port,
                         .proto = o->proto,
                         .kind = o->kind};

    if (o->kind == OBSERVE_DNS) {
        i.qname_hash = o->dns.qname_hash;
        i.id = o->dns.message.id;
        i.qtype = o->dns.message.qtype;
        i.response = dns_is_response(&o->dns.message);
    }
    return hash_bytes(&i, sizeof i, p->seed);
}

bool points_again(struct points *p, const struct observation *o)
{
    bool message = o->kind == OBSERVE_DNS;
    uint64_t what;
    struct sight *s;
    nsec_t apart;

    if (o->kind >= OBSERVE_PROBE || only_one(p, o))
        return false;
    what = identity_of(p, o);
    s = (message ? p->message : p->flow) + what % POINTS_MEMORY;
    apart = o->time > s->time ? o->time - s->time : s->time - o->time;
    if (s->what == what && (s->iface != o->iface || s->vlan != o->vlan) &&
        apart <= (message ? MESSAGE : FLOW))
        return true;
    *s = (struct sight){what, o->time, o->iface, o->vlan};
    return false;
}
