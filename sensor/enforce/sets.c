#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/compile.h"
#include "enforce/flatten.h"

int compiled_chain(struct compilation *c, const char *name)
{
    int number = c->error ? -1 : ruleset_add_chain(c->r, name);

    if (number < 0 && !c->error)
        c->error = number;
    return number < 0 ? 0 : number;
}

int compiled_base_chain(struct compilation *c, const char *name, uint8_t hook, int32_t priority)
{
    int number = compiled_chain(c, name);

    if (!c->error) {
        c->r->chains[number].base = true;
        c->r->chains[number].hook = hook;
        c->r->chains[number].priority = priority;
    }
    return number;
}

static int open_set(struct compilation *c, const char *name, enum set_kind kind, bool v4)
{
    int number = c->error ? -1 : ruleset_add_set(c->r, name, kind, v4);

    if (number < 0 && !c->error)
        c->error = number;
    return number;
}

static void put(struct compilation *c, int set, const struct set_element *element)
{
    if (!c->error)
        c->error = set_add(c->r->sets + set, element);
}

static int close_set(struct compilation *c, int set)
{
    if (c->error)
        return -1;
    set_sort(c->r->sets + set);
    return set;
}

static int open_timed(struct compilation *c, const char *name, enum set_kind kind, bool v4)
{
    int set = open_set(c, name, kind, v4);

    if (set >= 0)
        c->r->sets[set].timed = true;
    return set;
}

/* A set just opened that got nothing is taken back. */
static int close_set_unless_empty(struct compilation *c, int set)
{
    if (!c->error && c->r->sets[set].count == 0 && !c->r->sets_only) {
        c->r->set_count--;
        return -1;
    }
    return close_set(c, set);
}

int compiled_address_set(struct compilation *c, const char *name, bool v4,
                         bool (*holds)(const struct compilation *c, int16_t zone, int16_t resolver,
                                       bool shared),
                         int16_t zone)
{
    const struct policy *p = c->policy;
    int set = open_set(c, name, SET_ADDRESS, v4);

    for (size_t i = 0; i < p->resolver_count && !c->error; i++)
        for (size_t k = 0; k < p->resolvers[i].address_count; k++) {
            const struct addr *a = &p->resolvers[i].addresses[k].addr;
            bool shared;

            /* An address that two entries claim is the first one's, as for every other stage. */
            if (addr_is_v4(a) == v4 && policy_resolver_at(p, a, &shared) == (int16_t)i &&
                holds(c, zone, (int16_t)i, shared))
                put(c, set, &(struct set_element){.low = *a, .high = *a});
        }
    set = close_set_unless_empty(c, set);
    if (set >= 0)
        set_unique(c->r->sets + set);
    return set;
}

int compiled_targets(struct compilation *c, const char *name, bool v4)
{
    const struct policy *p = c->policy;
    int set = open_set(c, name, SET_ADDRESS, v4);

    for (size_t i = 0; i < p->zone_count; i++) {
        const struct addr *to = p->zones[i].redirect_to + v4;

        if (p->zones[i].cleartext == ACTION_REDIRECT && !addr_is_zero(to) &&
            !policy_is_gateway(p, to))
            put(c, set, &(struct set_element){.low = *to, .high = *to});
    }
    set = close_set_unless_empty(c, set);
    if (set >= 0)
        set_unique(c->r->sets + set);
    return set;
}

void compiled_redirect_set(struct compilation *c, const char *name, bool v4, int16_t zone,
                           bool sources)
{
    const struct policy *p = c->policy;
    const struct addr *to = p->zones[zone].redirect_to + v4;
    int set = open_set(c, name, SET_ADDRESS, v4);

    if (!addr_is_zero(to))
        put(c, set, &(struct set_element){.low = *to, .high = *to});
    for (size_t i = 0; sources && i < p->resolver_count && !c->error; i++)
        for (size_t k = 0; k < p->resolvers[i].address_count; k++) {
            const struct addr *a = &p->resolvers[i].addresses[k].addr;

            if (addr_is_v4(a) == v4 && policy_is_redirect_source(p, zone, a))
                put(c, set, &(struct set_element){.low = *a, .high = *a});
        }
    set = close_set_unless_empty(c, set);
    if (set >= 0)
        set_unique(c->r->sets + set);
}

/* In the order in which policy_zone_of() prefers them where prefixes are the same. */
static unsigned demands(const struct policy_zone *z)
{
    return z->interface_count ? 1 : 0;
}

static bool behind(const struct policy_zone *z, const char *iface)
{
    for (size_t i = 0; i < z->interface_count; i++)
        if (strcmp(z->interfaces[i], iface) == 0)
            return true;
    return z->interface_count == 0;
}

static bool is_of(const struct prefix *p, bool v4)
{
    return (addr_is_v4(&p->addr) && p->length >= 96) == v4;
}

static size_t zone_spans(const struct policy_zone *z, bool v4, int64_t value, struct span *out)
{
    struct prefix all = {.addr = addr_v4((const uint8_t[4]){0}), .length = 96};
    size_t count = 0;

    if (!v4)
        all = (struct prefix){.length = 0};
    if (z->network_count == 0 && z->interface_count)
        out[count++] = span_of_prefix(&all, value);
    for (size_t i = 0; i < z->network_count; i++)
        if (is_of(z->networks + i, v4))
            out[count++] = span_of_prefix(z->networks + i, value);
    return count;
}

static struct span *spans_of_zones(const struct policy *p, bool v4, const char *iface,
                                   size_t *count)
{
    struct span *spans;
    size_t most = 1;

    for (size_t i = 0; i < p->zone_count; i++)
        most += p->zones[i].network_count + 1;
    *count = 0;
    spans = malloc(most * sizeof *spans);
    for (unsigned d = 2; spans && d-- > 0;)
        for (size_t i = 0; i < p->zone_count; i++)
            if (demands(p->zones + i) == d && behind(p->zones + i, iface))
                *count += zone_spans(p->zones + i, v4, (int64_t)i, spans + *count);
    return spans;
}

int compiled_zone_map(struct compilation *c, const char *name, bool v4, const char *iface,
                      const uint16_t *chains)
{
    size_t count, flat_count = 0;
    struct span *flat = NULL, *spans = spans_of_zones(c->policy, v4, iface, &count);
    int set;

    if (!c->error)
        c->error = spans ? flatten(spans, count, FLATTEN_LONGEST, &flat, &flat_count) : SD_EMEM;
    set = open_set(c, name, SET_ZONES, v4);
    for (size_t i = 0; i < flat_count; i++)
        put(c, set,
            &(struct set_element){
                .low = flat[i].low, .high = flat[i].high, .chain = chains[flat[i].value]});
    free(spans);
    free(flat);
    return close_set_unless_empty(c, set);
}

int compiled_rollout(struct compilation *c, const char *name, bool v4, int16_t zone)
{
    const struct policy_rollout *o = &c->policy->zones[zone].rollout;
    int set = c->error ? -1 : ruleset_set_named(c->r, name);
    struct span *flat = NULL, *spans;
    size_t count = 0, flat_count = 0;

    if (set >= 0 || c->error)
        return set;
    spans = malloc((o->client_count + 1) * sizeof *spans);
    for (size_t i = 0; spans && i < o->client_count; i++)
        if (is_of(o->clients + i, v4))
            spans[count++] = span_of_prefix(o->clients + i, 0);
    c->error = spans ? flatten(spans, count, FLATTEN_LONGEST, &flat, &flat_count) : SD_EMEM;
    set = open_set(c, name, SET_RANGE, v4);
    for (size_t i = 0; i < flat_count; i++)
        put(c, set, &(struct set_element){.low = flat[i].low, .high = flat[i].high});
    free(spans);
    free(flat);
    return close_set_unless_empty(c, set);
}

void compiled_networks(struct compilation *c, const char *name, bool v4, int16_t zone)
{
    const struct policy_zone *z = c->policy->zones + zone;
    size_t count, flat_count = 0;
    struct span *flat = NULL,
                *spans = spans_of_zones(c->policy, v4, z->interface_count ? z->interfaces[0] : "",
                                        &count);
    int set;

    if (!c->error)
        c->error = spans ? flatten(spans, count, FLATTEN_LONGEST, &flat, &flat_count) : SD_EMEM;
    set = open_set(c, name, SET_RANGE, v4);
    for (size_t i = 0; i < flat_count; i++)
        if (flat[i].value == zone)
            put(c, set, &(struct set_element){.low = flat[i].low, .high = flat[i].high});
    free(spans);
    free(flat);
    close_set(c, set);
}

/* The kernel's clock may be a tick late: a second more rather than one less. */
static uint64_t timeout_ms(nsec_t until, nsec_t now)
{
    if (until == INT64_MAX)
        return 0;
    return (uint64_t)((until - now) / NSEC_S + 1) * 1000;
}

static void put_excepted(struct compilation *c, int set, const struct span *clients,
                         const struct addr *server)
{
    struct set_element e = {.low = clients->low,
                            .high = clients->high,
                            .until = clients->value,
                            .timeout_ms = timeout_ms(clients->value, c->now)};

    if (server)
        e.server = *server;
    put(c, set, &e);
}

/* The clients of one family excepted for this resolver (-1: for all), each with the latest end of
 * the exceptions that hold it. *any: there is such an exception, be it an ended one. */
static size_t excepted_clients(struct compilation *c, bool v4, int16_t resolver, struct span **out,
                               bool *any)
{
    const struct policy *p = c->policy;
    struct span *spans = malloc((p->exception_count + 1) * sizeof *spans);
    size_t count = 0, flat_count = 0;

    *out = NULL;
    *any = false;
    for (size_t i = 0; spans && i < p->exception_count; i++) {
        const struct policy_exception *e = p->exceptions + i;

        if (e->station || e->resolver != resolver || !is_of(&e->client, v4))
            continue;
        *any = true;
        if (c->now <= e->until)
            spans[count++] = span_of_prefix(&e->client, e->until);
    }
    if (!c->error)
        c->error = spans ? flatten(spans, count, FLATTEN_GREATEST, out, &flat_count) : SD_EMEM;
    free(spans);
    return flat_count;
}

int compiled_exceptions(struct compilation *c, const char *name, bool v4)
{
    struct span *clients;
    bool any;
    size_t count = excepted_clients(c, v4, -1, &clients, &any);
    int set = any || c->r->sets_only ? open_timed(c, name, SET_RANGE, v4) : -1;

    for (size_t i = 0; i < count && set >= 0; i++)
        put_excepted(c, set, clients + i, NULL);
    free(clients);
    return set >= 0 ? close_set(c, set) : -1;
}

/* The latest end of all exceptions of this link address; 0: none holds now. */
static nsec_t station_until(const struct compilation *c, uint64_t station)
{
    nsec_t until = 0;

    for (size_t i = 0; i < c->policy->exception_count; i++) {
        const struct policy_exception *e = c->policy->exceptions + i;

        if (e->station == station && c->now <= e->until && e->until > until)
            until = e->until;
    }
    return until;
}

int compiled_exception_stations(struct compilation *c, const char *name)
{
    int set = c->r->sets_only ? open_timed(c, name, SET_STATION, false) : -1;

    for (size_t i = 0; i < c->policy->exception_count && !c->error; i++) {
        uint64_t station = c->policy->exceptions[i].station;
        struct addr place = addr_of_station(station);
        nsec_t until = station ? station_until(c, station) : 0;

        if (station && set < 0)
            set = open_timed(c, name, SET_STATION, false);
        if (until)
            put_excepted(c, set, &(struct span){place, place, until}, NULL);
    }
    if (set >= 0 && close_set(c, set) >= 0)
        set_unique(c->r->sets + set);
    return c->error ? -1 : set;
}

int compiled_paired(struct compilation *c, const char *name, bool v4)
{
    const struct policy *p = c->policy;
    bool cuts = c->r->sets_only; /* there all sets are there */
    int set;

    for (size_t i = 0; p->pairs.timeout && i < p->zone_count; i++)
        cuts |= i != ZONE_GATEWAY &&
                (p->zones[i].unapproved == ACTION_REJECT || p->zones[i].unapproved == ACTION_DROP);
    set = cuts ? open_set(c, name, SET_PAIRED, v4) : -1;
    if (set >= 0)
        c->r->sets[set].timed = true;
    return set;
}

static void put_pairs(struct compilation *c, int set, int16_t resolver, const struct span *clients,
                      size_t count)
{
    const struct policy_resolver *r = c->policy->resolvers + resolver;
    bool v4 = set >= 0 && c->r->sets[set].v4;

    for (size_t k = 0; k < r->address_count; k++) {
        const struct addr *server = &r->addresses[k].addr;

        if (addr_is_v4(server) == v4 && policy_resolver_at(c->policy, server, NULL) == resolver)
            for (size_t i = 0; i < count; i++)
                put_excepted(c, set, clients + i, server);
    }
}

int compiled_exception_pairs(struct compilation *c, const char *name, bool v4)
{
    int set = c->r->sets_only ? open_timed(c, name, SET_PAIR, v4) : -1;

    for (size_t i = 0; i < c->policy->resolver_count && !c->error; i++) {
        struct span *clients;
        bool any;
        size_t count = excepted_clients(c, v4, (int16_t)i, &clients, &any);

        if (any && set < 0)
            set = open_timed(c, name, SET_PAIR, v4);
        if (set >= 0)
            put_pairs(c, set, (int16_t)i, clients, count);
        free(clients);
    }
    if (set >= 0 && close_set(c, set) >= 0)
        set_unique(c->r->sets + set);
    return c->error ? -1 : set;
}
