#include "detect/givers.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/policy_types.h"

#define TOPIC  "designation"
#define RETOLD (3600 * NSEC_S)

enum { VERSION = 1 };

struct piece {
    uint8_t version;
    struct giver giver;
};

/* When there is no room, the one that was silent longest goes. */
static struct giver *place(struct givers *g, uint16_t iface, uint16_t vlan, uint8_t source)
{
    struct giver *oldest = &g->giver[0];

    for (size_t i = 0; i < g->count; i++) {
        struct giver *one = &g->giver[i];

        if (one->iface == iface && one->vlan == vlan && one->source == source)
            return one;
        if (one->last < oldest->last)
            oldest = one;
    }
    if (g->count < GIVERS_MOST)
        oldest = &g->giver[g->count++];
    *oldest = (struct giver){.iface = iface, .vlan = vlan, .source = source};
    return oldest;
}

/* DHCPv6 without addresses and a router without prefixes say nothing of the zone. */
static int16_t zone_of(const struct givers *g, const struct observation *o)
{
    if (o->lease.address_count > 0 || o->note.zone != ZONE_DEFAULT)
        return o->note.zone;
    for (size_t i = 0; i < g->count; i++)
        if (g->giver[i].iface == o->iface && g->giver[i].vlan == o->vlan &&
            g->giver[i].zone != ZONE_DEFAULT)
            return g->giver[i].zone;
    return ZONE_DEFAULT;
}

const struct giver *givers_known(struct givers *g, const struct observation *o, nsec_t silence,
                                 int16_t *zone)
{
    struct giver *known = place(g, o->iface, o->vlan, o->lease.source);
    bool same = known->station == o->lease.giver && addr_equal(&known->address, &o->server);

    *zone = zone_of(g, o);
    if (!same && known->last && o->time - known->last <= silence)
        return known;
    if (!same) {
        known->station = o->lease.giver;
        known->address = o->server;
        known->told = 0;
    }
    if (o->lease.address_count > 0)
        known->zone = o->note.zone;
    known->last = o->time;
    known->changed |= known->last - known->told > RETOLD;
    return known;
}

void givers_forget_zones(struct givers *g)
{
    for (size_t i = 0; i < g->count; i++)
        g->giver[i].zone = ZONE_DEFAULT;
}

void givers_remember(struct givers *g, struct memory_sink sink)
{
    for (size_t i = 0; i < g->count; i++) {
        struct giver *one = &g->giver[i];
        struct piece p = {.version = VERSION, .giver = *one};
        struct memory m = {.topic = TOPIC, .time = one->last, .size = sizeof p};
        char station[STATION_TEXT], address[ADDR_TEXT];

        if (!one->changed)
            continue;
        snprintf(m.key, sizeof m.key, "%s %u %u", lease_source_name(one->source), one->iface,
                 one->vlan);
        memcpy(m.body, &p, sizeof p);
        evidence_clear(&m.text);
        evidence_string(&m.text, "giver", addr_text(&one->address, address));
        evidence_string(&m.text, "station", station_text(one->station, station));
        if (sink.put(sink.context, &m) != SD_OK)
            return;
        one->changed = false;
        one->told = one->last;
    }
}

void givers_recall(struct givers *g, const struct memory *m)
{
    struct piece p;

    if (strcmp(m->topic, TOPIC) != 0 || m->size != sizeof p)
        return;
    memcpy(&p, m->body, sizeof p);
    if (p.version != VERSION || p.giver.source >= LEASE_SOURCE_COUNT || p.giver.told < 0 ||
        p.giver.last < p.giver.told)
        return;
    p.giver.changed = false;
    p.giver.zone = ZONE_DEFAULT;
    *place(g, p.giver.iface, p.giver.vlan, p.giver.source) = p.giver;
}
