#include "conf/apart.h"

#include <stdlib.h>
#include <string.h>

#define NESTED_MOST 10 /* told one by one: where networks nest by plan there are many */
#define PLACE_TEXT  32

/* "3:15" into text; returns it. */
static const char *place_of(const struct node *at, char text[PLACE_TEXT])
{
    snprintf(text, PLACE_TEXT, "%u:%u", at->line, at->column);
    return text;
}

/* The value of a key of the first entry of a list that has this id, or NULL. */
static const struct node *of_entry(const struct node *list, const char *id, const char *key)
{
    for (const struct node *e = list ? list->first : NULL; e; e = e->next) {
        const struct node *n = tree_member(e, "id");

        if (n && n->kind == NODE_TEXT && strcmp(n->text, id) == 0)
            return tree_member(e, key);
    }
    return NULL;
}

void complain_again(struct reader *r, const struct node *entry, const char *what)
{
    const struct node *id = tree_member(entry, "id");
    char place[PLACE_TEXT];

    complain(r->complaints, id, "a %s `%s` is there already, in line %s", what, id->text,
             place_of(of_entry(r->list, id->text, "id"), place));
}

static int by_prefix(const void *left, const void *right)
{
    const struct spot *a = left, *b = right;
    int order = memcmp(a->prefix.addr.b, b->prefix.addr.b, 16);

    if (order == 0)
        order = (int)a->prefix.length - (int)b->prefix.length;
    if (order == 0)
        order = (a->at->line > b->at->line) - (a->at->line < b->at->line);
    if (order == 0)
        order = (a->at->column > b->at->column) - (a->at->column < b->at->column);
    return order;
}

static bool interfaces_meet(const struct policy_zone *a, const struct policy_zone *b)
{
    for (size_t i = 0; i < a->interface_count; i++)
        for (size_t k = 0; k < b->interface_count; k++)
            if (strcmp(a->interfaces[i], b->interfaces[k]) == 0)
                return true;
    return a->interface_count == 0 && b->interface_count == 0;
}

static bool vlans_meet(const struct policy_zone *a, const struct policy_zone *b)
{
    for (size_t i = 0; i < a->vlan_count; i++)
        for (size_t k = 0; k < b->vlan_count; k++)
            if (a->vlans[i] == b->vlans[k])
                return true;
    return a->vlan_count == 0 && b->vlan_count == 0;
}

static bool have_one_way(const struct reader *r, const struct spot *a, const struct spot *b)
{
    const struct policy_zone *zones = r->policy->zones;

    return interfaces_meet(zones + a->owner, zones + b->owner) &&
           vlans_meet(zones + a->owner, zones + b->owner);
}

/* Spots of zones without networks have the name of an interface or VLAN each. */
static bool same_name(const struct spot *a, const struct spot *b)
{
    return !a->name || !b->name || strcmp(a->name, b->name) == 0;
}

static bool same_network(const struct spot *a, const struct spot *b)
{
    return a->prefix.length == b->prefix.length && addr_equal(&a->prefix.addr, &b->prefix.addr);
}

/* Zones may share a network only where interface or VLAN keep them apart. */
static void check_same(struct reader *r, size_t i)
{
    const struct spot *s = r->spots + i;
    char place[PLACE_TEXT];

    for (size_t k = i; k-- > 0 && same_network(r->spots + k, s);) {
        const struct spot *o = r->spots + k;

        if (o->owner == s->owner && !s->name)
            complain(r->complaints, s->at, "%s is in this zone already, in line %s", s->at->text,
                     place_of(o->at, place));
        else if (o->owner != s->owner && have_one_way(r, o, s) && same_name(o, s))
            complain(r->complaints, s->at, "%s is in the zone `%s` already, in line %s",
                     s->at->text, r->policy->zones[o->owner].id, place_of(o->at, place));
        else
            continue;
        break;
    }
}

static bool lies_in(const struct spot *s, const struct spot *o)
{
    bool v4 = addr_is_v4(&o->prefix.addr) && o->prefix.length >= 96;

    return o->prefix.length > (v4 ? 96 : 0) && o->prefix.length < s->prefix.length &&
           addr_is_v4(&s->prefix.addr) == v4 && prefix_holds(&o->prefix, &s->prefix.addr);
}

/* outer[i]: the nearest spot around i, SIZE_MAX: none. Sorted, it comes before, and between them
 * only what lies in it. */
static void link_outer(const struct reader *r, size_t *outer, size_t i)
{
    size_t k = i ? i - 1 : SIZE_MAX;

    while (k != SIZE_MAX && !lies_in(r->spots + i, r->spots + k))
        k = outer[k];
    outer[i] = k;
}

static void check_nested(struct reader *r)
{
    size_t *outer = malloc((r->spot_count + 1) * sizeof *outer), told = 0;
    char place[PLACE_TEXT];

    r->out_of_memory |= !outer;
    for (size_t i = 0; outer && i < r->spot_count; i++) {
        const struct spot *s = r->spots + i, *o;

        link_outer(r, outer, i);
        o = outer[i] == SIZE_MAX ? NULL : r->spots + outer[i];
        if (!o || o->owner == s->owner || !have_one_way(r, o, s) || told++ >= NESTED_MOST)
            continue;
        complain_softly(r->complaints, s->at,
                        "%s lies in %s of the zone `%s`, line %s: the longer prefix decides, so "
                        "its clients are of `%s`",
                        s->at->text, o->at->text, r->policy->zones[o->owner].id,
                        place_of(o->at, place), r->policy->zones[s->owner].id);
    }
    free(outer);
}

static void sort_spots(struct reader *r)
{
    if (r->spot_count)
        qsort(r->spots, r->spot_count, sizeof *r->spots, by_prefix);
}

void check_zones_apart(struct reader *r)
{
    sort_spots(r);
    for (size_t i = 1; i < r->spot_count && !complaints_full(r->complaints); i++)
        check_same(r, i);
    check_nested(r);
}

void check_exceptions_apart(struct reader *r)
{
    const struct policy_exception *all = r->policy->exceptions;
    char place[PLACE_TEXT];

    sort_spots(r);
    for (size_t i = 1; i < r->spot_count && !complaints_full(r->complaints); i++) {
        const struct spot *s = r->spots + i;

        for (size_t k = i; k-- > 0 && same_network(r->spots + k, s);) {
            const struct spot *o = r->spots + k;
            bool later = all[s->owner].until > all[o->owner].until;

            if (all[s->owner].resolver != all[o->owner].resolver)
                continue;
            complain_softly(r->complaints, s->at,
                            "%s is excepted in line %s too: %s ends later and holds", s->at->text,
                            place_of(o->at, place), later ? "this one" : "that one");
            break;
        }
    }
}

/* The zone that holds all of these clients by the longest prefix, where no interface is asked for;
 * ZONE_DEFAULT: none. */
static size_t zone_around(const struct policy *p, const struct prefix *clients)
{
    bool v4 = addr_is_v4(&clients->addr) && clients->length >= 96;
    size_t best = ZONE_DEFAULT;
    int longest = -1;

    for (size_t z = ZONE_GATEWAY + 1; z < p->zone_count; z++)
        for (size_t i = 0; i < p->zones[z].network_count; i++) {
            const struct prefix *n = p->zones[z].networks + i;

            if (n->length > longest && n->length <= clients->length &&
                (addr_is_v4(&n->addr) && n->length >= 96) == v4 &&
                prefix_holds(n, &clients->addr)) {
                best = z;
                longest = n->length;
            }
        }
    return best;
}

void check_exception_needed(struct reader *r, const struct policy_exception *x,
                            const struct node *resolver)
{
    const struct policy *p = r->policy;
    const struct policy_zone *z = p->zones + zone_around(p, &x->client);
    const struct node *approve = of_entry(r->zones, z->id, "approve");
    char place[PLACE_TEXT];

    for (size_t i = 0; approve && x->resolver >= 0 && i < z->approve_count; i++)
        if (z->approve[i] == x->resolver &&
            (p->resolvers[x->resolver].transports & TRANSPORTS_CLEAR) == TRANSPORTS_CLEAR)
            complain_softly(r->complaints, resolver,
                            "the zone `%s` approves `%s` anyhow, line %s, also in clear text: this "
                            "exception changes nothing",
                            z->id, resolver->text, place_of(approve, place));
}
