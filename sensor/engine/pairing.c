#include "engine/pairing.h"

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "engine/gateway.h"
#include "engine/sensor.h"
#include "model/packet.h"

void pairing_flush(struct pairing *p)
{
    if (p->waiting.pairs.count == 0)
        return;
    p->waiting.type = REQUEST_PAIRS;
    if (channel_try(p->monitor, &p->waiting) != SD_EAGAIN)
        p->waiting.pairs.count = 0; /* where it is gone, the channel's end tells it */
}

void pairing_put(void *context, const struct cut_pair *p)
{
    struct pairing *own = context;
    struct pair_batch *b = &own->waiting.pairs;

    if (b->count == PAIRS_AT_ONCE)
        pairing_flush(own);
    if (b->count == PAIRS_AT_ONCE)
        own->dropped++;
    else
        b->pair[b->count++] = *p;
}

static void observe(struct back *b, const struct cut_pair *p, nsec_t now)
{
    struct observation o = {.kind = OBSERVE_CUT,
                            .transport = p->transport,
                            .proto = p->transport == TRANSPORT_DOH3 ? IP_PROTO_UDP : IP_PROTO_TCP,
                            .vlan = p->vlan,
                            .iface = p->iface,
                            .server_port = 443,
                            .time = now,
                            .client = p->client,
                            .server = p->server,
                            .station = p->station};

    back_observation(b, &o);
}

/* One event for a client and a resolver, whatever addresses that has. */
static uint64_t key_of(const struct cut_pair *p)
{
    uint64_t client = hash_bytes(p->client.b, sizeof p->client.b, 1);

    return hash_mix(client,
                    p->resolver ? p->resolver : hash_bytes(p->server.b, sizeof p->server.b, 2));
}

static void write_evidence(const struct policy *policy, const struct cut_pair *p, struct finding *f)
{
    char until[TIME_TEXT];

    if (f->resolver >= 0)
        evidence_string(&f->evidence, "resolver", policy->resolvers[f->resolver].id);
    evidence_string(&f->evidence, "identified_by", p->proof == PAIR_BY_NAME ? "sni" : "probe");
    evidence_string(&f->evidence, "until",
                    time_text(f->time + (nsec_t)p->left_ms * NSEC_MS, until));
    evidence_string(&f->evidence, "rule", "paired");
}

static void say(struct back *b, const struct policy *policy, const struct cut_pair *p)
{
    const char *iface = p->iface < policy->interface_count ? policy->interfaces[p->iface] : "";
    struct finding f;

    own_finding(&f, KIND_ENFORCEMENT, "enforcement", "paired");
    f.client = p->client;
    f.server = p->server;
    f.server_port = 443;
    f.transport = p->transport;
    f.proto = p->transport == TRANSPORT_DOH3 ? IP_PROTO_UDP : IP_PROTO_TCP;
    f.station = p->station;
    f.vlan = p->vlan;
    f.iface = p->iface;
    f.zone = policy_zone_of(policy, &p->client, iface, p->vlan);
    f.resolver = policy_resolver_hashed(policy, p->resolver);
    f.cut = (uint8_t)policy_paired(policy, f.zone, &p->client, &p->server, f.resolver, f.time);
    f.key = key_of(p);
    write_evidence(policy, p, &f);
    back_finding(b, &f);
}

void pairing_told(struct back *b, const struct policy *policy, const struct pair_batch *told)
{
    nsec_t now = clock_now();

    for (uint32_t i = 0; i < told->count && i < PAIRS_AT_ONCE; i++) {
        observe(b, told->pair + i, now);
        say(b, policy, told->pair + i);
    }
}
