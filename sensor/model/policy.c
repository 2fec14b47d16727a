#include "model/policy.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/hash.h"
#include "model/note.h"
#include "model/policy_index.h"

struct policy_index {
    struct prefix_map zones, exceptions;
    bool stations; /* there are exceptions of such */
    struct address_map resolvers, gateway;
    struct name_map names;
    uint8_t *approved; /* a bit for each zone and resolver */
    uint64_t *hashes;  /* of the resolvers' ids */
};

#define ON_853 (1u << TRANSPORT_DOT | 1u << TRANSPORT_DOQ)

static size_t approved_bit(const struct policy *p, int16_t zone, int16_t resolver)
{
    return (size_t)zone * p->resolver_count + (size_t)resolver;
}

/* Where two zones have one network, the one that asks for more comes first. */
static unsigned zone_demands(const struct policy_zone *z)
{
    return (z->vlan_count ? 2u : 0u) + (z->interface_count ? 1u : 0u);
}

static void index_zone(struct policy_index *x, const struct policy_zone *z, int16_t number)
{
    static const struct prefix any[2] = {
        {.addr = {.b = {0}}, .length = 0},
        {.addr = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, .length = 96},
    };

    for (size_t i = 0; i < z->network_count; i++)
        prefix_map_add(&x->zones, z->networks + i, number);
    if (z->network_count == 0 && zone_demands(z)) {
        prefix_map_add(&x->zones, any, number);
        prefix_map_add(&x->zones, any + 1, number);
    }
}

static int index_zones(const struct policy *p, struct policy_index *x)
{
    size_t networks = 0;
    int e;

    for (size_t i = 0; i < p->zone_count; i++)
        networks += p->zones[i].network_count + 2;
    if ((e = prefix_map_init(&x->zones, networks)) != SD_OK)
        return e;
    for (unsigned demands = 4; demands-- > 0;)
        for (size_t i = 0; i < p->zone_count; i++)
            if (zone_demands(p->zones + i) == demands)
                index_zone(x, p->zones + i, (int16_t)i);
    x->approved = calloc(p->zone_count * p->resolver_count / 8 + 1, 1);
    if (!x->approved)
        return SD_EMEM;
    for (size_t i = 0; i < p->zone_count; i++)
        for (size_t k = 0; k < p->zones[i].approve_count; k++) {
            size_t bit = approved_bit(p, (int16_t)i, p->zones[i].approve[k]);

            x->approved[bit / 8] |= (uint8_t)(1u << bit % 8);
        }
    return SD_OK;
}

static int index_resolvers(const struct policy *p, struct policy_index *x)
{
    size_t names = 0, addresses = 0;
    int e;

    for (size_t i = 0; i < p->resolver_count; i++) {
        names += p->resolvers[i].name_count;
        addresses += p->resolvers[i].address_count;
    }
    x->hashes = calloc(p->resolver_count + 1, sizeof *x->hashes);
    if (!x->hashes)
        return SD_EMEM;
    if ((e = name_map_init(&x->names, names)) != SD_OK)
        return e;
    if ((e = address_map_init(&x->resolvers, addresses)) != SD_OK)
        return e;
    for (size_t i = 0; i < p->resolver_count; i++) {
        const struct policy_resolver *r = p->resolvers + i;

        x->hashes[i] = hash_bytes(r->id, strlen(r->id), 0);
        for (size_t k = 0; k < r->name_count; k++)
            name_map_add(&x->names, r->names[k], (int16_t)i);
        for (size_t k = 0; k < r->address_count; k++)
            address_map_add(&x->resolvers, &r->addresses[k].addr, (int16_t)i,
                            r->addresses[k].shared);
    }
    return SD_OK;
}

static int index_clients(const struct policy *p, struct policy_index *x)
{
    int e = address_map_init(&x->gateway, p->gateway_count);

    if (e != SD_OK)
        return e;
    for (size_t i = 0; i < p->gateway_count; i++)
        address_map_add(&x->gateway, p->gateway + i, ZONE_GATEWAY, false);
    if ((e = prefix_map_init(&x->exceptions, p->exception_count)) != SD_OK)
        return e;
    for (size_t i = 0; i < p->exception_count; i++)
        x->stations |= p->exceptions[i].station != 0;
    for (size_t i = 0; i < p->exception_count; i++)
        prefix_map_add(&x->exceptions, &p->exceptions[i].client, (int32_t)i);
    return SD_OK;
}

static void index_destroy(struct policy_index *x)
{
    if (!x)
        return;
    prefix_map_finish(&x->zones);
    prefix_map_finish(&x->exceptions);
    address_map_finish(&x->resolvers);
    address_map_finish(&x->gateway);
    name_map_finish(&x->names);
    free(x->approved);
    free(x->hashes);
    free(x);
}

int policy_compile(struct policy *p)
{
    struct policy_index *x = calloc(1, sizeof *x);
    int e = x ? SD_OK : SD_EMEM;

    if (e == SD_OK)
        e = index_zones(p, x);
    if (e == SD_OK)
        e = index_resolvers(p, x);
    if (e == SD_OK)
        e = index_clients(p, x);
    if (e != SD_OK) {
        index_destroy(x);
        return e;
    }
    index_destroy(p->index);
    p->index = x;
    return SD_OK;
}

static void texts_free(char **texts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    free(texts);
}

static void resolvers_free(struct policy *p)
{
    for (size_t i = 0; i < p->resolver_count; i++) {
        struct policy_resolver *r = p->resolvers + i;

        texts_free(r->names, r->name_count);
        texts_free(r->pins, r->pin_count);
        free(r->addresses);
    }
    free(p->resolvers);
}

static void zones_free(struct policy *p)
{
    for (size_t i = 0; i < p->zone_count; i++) {
        free(p->zones[i].networks);
        free(p->zones[i].approve);
        free(p->zones[i].interfaces);
        free(p->zones[i].vlans);
        free(p->zones[i].rollout.clients);
    }
    free(p->zones);
}

void policy_destroy(struct policy *p)
{
    if (!p)
        return;
    index_destroy(p->index);
    resolvers_free(p);
    zones_free(p);
    texts_free(p->internal_domains, p->internal_domain_count);
    free(p->interfaces);
    free(p->exceptions);
    free(p->mutes);
    free(p->roles);
    free(p->outer_names);
    free(p->outputs);
    free(p->detections);
    free(p->gateway);
    free(p);
}

static bool zone_fits(const struct policy_zone *z, const char *iface, uint16_t vlan)
{
    bool fits = z->interface_count == 0;

    for (size_t i = 0; i < z->interface_count && !fits; i++)
        fits = strcmp(z->interfaces[i], iface) == 0;
    if (!fits || z->vlan_count == 0)
        return fits;
    for (size_t i = 0; i < z->vlan_count; i++)
        if (z->vlans[i] == vlan)
            return true;
    return false;
}

int16_t policy_zone_of(const struct policy *p, const struct addr *client, const char *iface,
                       uint16_t vlan)
{
    struct prefix_walk walk = prefix_walk_from(&p->index->zones, client);
    int32_t zone;

    if (policy_is_gateway(p, client))
        return ZONE_GATEWAY;
    while ((zone = prefix_walk_next(&walk)) >= 0)
        if (zone_fits(p->zones + zone, iface, vlan))
            return (int16_t)zone;
    return ZONE_DEFAULT;
}

int16_t policy_resolver_at(const struct policy *p, const struct addr *server, bool *shared)
{
    const struct address_entry *e = address_map_find(&p->index->resolvers, server);

    if (shared)
        *shared = e && e->shared;
    return e ? e->value : -1;
}

int16_t policy_resolver_named(const struct policy *p, const char *name)
{
    return name_map_find(&p->index->names, name);
}

int16_t policy_resolver_called(const struct policy *p, const char *id)
{
    for (size_t i = 0; id[0] && i < p->resolver_count; i++)
        if (strcmp(p->resolvers[i].id, id) == 0)
            return (int16_t)i;
    return -1;
}

uint64_t policy_resolver_hash(const struct policy *p, int16_t resolver)
{
    return resolver < 0 || (size_t)resolver >= p->resolver_count ? 0 : p->index->hashes[resolver];
}

int16_t policy_resolver_hashed(const struct policy *p, uint64_t hash)
{
    for (size_t i = 0; hash && i < p->resolver_count; i++)
        if (p->index->hashes[i] == hash)
            return (int16_t)i;
    return -1;
}

bool policy_is_outer_name(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->outer_name_count; i++)
        if (strcasecmp(p->outer_names[i], name) == 0)
            return true;
    return false;
}

bool policy_is_gateway(const struct policy *p, const struct addr *a)
{
    return address_map_find(&p->index->gateway, a) != NULL;
}

static bool zone_holds(const struct policy_zone *z, const struct addr *a)
{
    for (size_t i = 0; i < z->network_count; i++)
        if (z->networks[i].length > (addr_is_v4(a) ? 96 : 0) && prefix_holds(z->networks + i, a))
            return true;
    return false;
}

bool policy_is_inside(const struct policy *p, const struct addr *a)
{
    int16_t zone;

    if (addr_is_private(a))
        return true;
    zone = policy_zone_of(p, a, "", 0);
    return zone == ZONE_GATEWAY || (zone > ZONE_GATEWAY && zone_holds(p->zones + zone, a));
}

static bool are_neighbours(const struct addr *a, const struct addr *b)
{
    return a->w[0] == b->w[0] && !addr_is_v4(a) && !addr_is_v4(b);
}

static bool is_near_gateway(const struct policy *p, const struct addr *a)
{
    for (size_t i = 0; i < p->gateway_count; i++)
        if (are_neighbours(p->gateway + i, a))
            return true;
    return false;
}

uint8_t policy_inside(const struct policy *p, const struct addr *client, const struct addr *server)
{
    bool near = are_neighbours(client, server);
    bool served = near || policy_is_inside(p, server);
    bool of_us = near || policy_is_inside(p, client) ||
                 (addr_is_private(server) && is_near_gateway(p, client));

    return (uint8_t)((of_us ? INSIDE_CLIENT : 0) | (served ? INSIDE_SERVER : 0));
}

uint8_t policy_roles_of(const struct policy *p, const struct addr *a)
{
    for (size_t i = 0; i < p->role_count; i++)
        if (addr_equal(&p->roles[i].address, a))
            return p->roles[i].roles;
    return 0;
}

static bool zone_lists(const struct policy *p, int16_t zone, int16_t resolver)
{
    size_t bit;

    if (zone < 0 || (size_t)zone >= p->zone_count || resolver < 0 ||
        (size_t)resolver >= p->resolver_count)
        return false;
    bit = approved_bit(p, zone, resolver);
    return p->index->approved[bit / 8] >> bit % 8 & 1;
}

bool policy_approves_any(const struct policy *p, int16_t zone, int16_t resolver,
                         uint32_t transports)
{
    return zone_lists(p, zone, resolver) && (p->resolvers[resolver].transports & transports) != 0;
}

bool policy_approves(const struct policy *p, int16_t zone, int16_t resolver, enum transport t)
{
    return policy_approves_any(p, zone, resolver, 1u << t);
}

bool policy_is_approved(const struct policy *p, int16_t resolver)
{
    for (size_t z = 0; z < p->zone_count; z++)
        if (zone_lists(p, (int16_t)z, resolver))
            return true;
    return false;
}

static const struct policy_exception *
exception_of(const struct policy *p, const struct addr *client, int16_t resolver, nsec_t now)
{
    struct prefix_walk walk = prefix_walk_from(&p->index->exceptions, client);
    int32_t i;

    while ((i = prefix_walk_next(&walk)) >= 0) {
        const struct policy_exception *e = p->exceptions + i;

        if (now <= e->until && (e->resolver < 0 || e->resolver == resolver))
            return e;
    }
    return NULL;
}

const struct policy_exception *policy_exception_for(const struct policy *p,
                                                    const struct addr *client, uint64_t station,
                                                    int16_t resolver, nsec_t now)
{
    const struct policy_exception *e = exception_of(p, client, resolver, now);
    struct addr place;

    if (e || !station || !p->index->stations)
        return e;
    place = addr_of_station(station);
    return exception_of(p, &place, resolver, now);
}

const char *policy_exception_text(const struct policy_exception *e, char text[ADDR_TEXT + 4])
{
    return e->station ? station_text(e->station, text) : prefix_text(&e->client, text);
}

static const struct policy_zone *zone_at(const struct policy *p, int16_t zone)
{
    return p->zones + (zone >= 0 && (size_t)zone < p->zone_count ? zone : ZONE_DEFAULT);
}

bool policy_is_redirect_source(const struct policy *p, int16_t zone, const struct addr *client)
{
    int16_t own = policy_resolver_at(p, client, NULL);

    for (int v4 = 0; v4 < 2; v4++) {
        const struct addr *to = zone_at(p, zone)->redirect_to + v4;

        if (!addr_is_zero(to) &&
            (addr_equal(to, client) || (own >= 0 && policy_resolver_at(p, to, NULL) == own)))
            return true;
    }
    return false;
}

/* What is asked of the target already stays where it is, and so does what the target asks. */
static enum action redirect(const struct policy *p, int16_t zone, const struct addr *client,
                            const struct addr *server)
{
    const struct addr *to = zone_at(p, zone)->redirect_to + addr_is_v4(server);

    if (addr_equal(to, server) || policy_is_redirect_source(p, zone, client))
        return ACTION_ALLOW;
    return addr_is_zero(to) ? ACTION_REJECT : ACTION_REDIRECT;
}

enum action policy_cleartext(const struct policy *p, int16_t zone, const struct addr *client,
                             const struct addr *server, nsec_t now)
{
    const struct policy_zone *z = zone_at(p, zone);
    int16_t resolver = policy_resolver_at(p, server, NULL);

    if (z->gateway_resolver && policy_is_gateway(p, server))
        return ACTION_ALLOW;
    if (policy_approves_any(p, zone, resolver, TRANSPORTS_CLEAR))
        return ACTION_ALLOW;
    if (exception_of(p, client, resolver, now))
        return ACTION_ALLOW;
    return z->cleartext == ACTION_REDIRECT ? redirect(p, zone, client, server) : z->cleartext;
}

bool policy_enforces(const struct policy *p)
{
    return p->mode == MODE_ENFORCE && !p->set_only;
}

bool policy_acts_on(const struct policy *p, int16_t zone, const struct addr *client)
{
    bool any = zone >= 0 && (size_t)zone < p->zone_count;

    return !p->set_only &&
           (!any || (!p->zones[zone].held && rollout_holds(p->zones + zone, client)));
}

/* An alert is no matter of the kernel's. */
static enum action in_kernel(enum action a)
{
    return a == ACTION_ALERT ? ACTION_ALLOW : a;
}

enum action policy_kernel(const struct policy *p, int16_t zone, const struct addr *client,
                          const struct addr *server, uint16_t server_port, nsec_t now)
{
    bool shared;
    int16_t resolver;

    /* What a bridge itself sends or gets is not forwarded. */
    if (p->place == PLACE_BRIDGE && (policy_is_gateway(p, server) || policy_is_gateway(p, client)))
        return ACTION_ALLOW;
    /* Local addresses are exempt on every port, and always for what the gateway asks itself. */
    if (policy_is_gateway(p, server) &&
        (zone == ZONE_GATEWAY || zone_at(p, zone)->gateway_resolver))
        return ACTION_ALLOW;
    if (server_port == 53)
        return in_kernel(policy_cleartext(p, zone, client, server, now));
    if (server_port != 853 && server_port != 443)
        return ACTION_ALLOW;
    resolver = policy_resolver_at(p, server, &shared);
    if (server_port == 853 && policy_approves_any(p, zone, resolver, ON_853))
        return ACTION_ALLOW;
    if (server_port == 443 && (resolver < 0 || shared || zone_lists(p, zone, resolver)))
        return ACTION_ALLOW;
    if (exception_of(p, client, resolver, now))
        return ACTION_ALLOW;
    return in_kernel(zone_at(p, zone)->unapproved);
}

enum action policy_paired(const struct policy *p, int16_t zone, const struct addr *client,
                          const struct addr *server, int16_t resolver, nsec_t now)
{
    int16_t at = policy_resolver_at(p, server, NULL);

    if (zone == ZONE_GATEWAY || policy_is_gateway(p, client) || policy_is_gateway(p, server))
        return ACTION_ALLOW;
    if (zone_lists(p, zone, at) || zone_lists(p, zone, resolver))
        return ACTION_ALLOW;
    if (exception_of(p, client, at, now) || exception_of(p, client, resolver, now))
        return ACTION_ALLOW;
    return in_kernel(zone_at(p, zone)->unapproved);
}

const struct policy_detection *policy_detection_named(const struct policy *p, const char *id)
{
    for (size_t i = 0; i < p->detection_count; i++)
        if (strcmp(p->detections[i].id, id) == 0)
            return p->detections + i;
    return NULL;
}

int64_t policy_threshold(const struct policy *p, const char *detection, const char *name,
                         int64_t otherwise)
{
    const struct policy_detection *d = policy_detection_named(p, detection);

    for (size_t i = 0; d && i < d->threshold_count; i++)
        if (strcmp(d->thresholds[i].name, name) == 0)
            return d->thresholds[i].value;
    return otherwise;
}
