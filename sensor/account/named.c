#include "account/named.h"

#include <stdlib.h>
#include <string.h>

#include "account/suffix.h"
#include "base/fetch.h"
#include "base/hash.h"
#include "base/pages.h"
#include "model/known_names.h"

#define KEPT 65536
#define WAYS 4 /* of a name's line: the latest first */

/* The lowest bits of the name's hash tell which line it is in, so their place is free. */
enum { CLASS = 7, NO_DOMAIN = 8, FACTS = CLASS | NO_DOMAIN };

struct kept {
    uint64_t name;   /* hash of the whole name, its lowest bits FACTS; 0: free */
    uint64_t domain; /* low octet: offset; the rest: the hash without it */
};

_Static_assert(KEPT / WAYS > FACTS, "the line tells the bits that FACTS take");

struct named {
    struct kept kept[KEPT / WAYS][WAYS]; /* first: a line of the cache each */
    struct suffix *suffix;
    struct known_names *names; /* NULL before the first policy */
    uint64_t seed;
    bool filled; /* something is kept: else it has no memory yet */
};

struct named *named_create(uint64_t seed)
{
    struct named *n = pages_zeroed(sizeof *n);

    if (!n)
        return NULL;
    n->seed = seed;
    n->suffix = suffix_create(seed);
    if (n->suffix)
        return n;
    pages_free(n);
    return NULL;
}

void named_destroy(struct named *n)
{
    if (!n)
        return;
    suffix_destroy(n->suffix);
    known_names_destroy(n->names);
    pages_free(n);
}

void named_use_policy(struct named *n, const struct policy *policy)
{
    struct known_names *names = policy ? known_names_create(policy) : NULL;

    if (!names)
        return;
    if (n->filled)
        memset(n->kept, 0, sizeof n->kept);
    n->filled = false;
    known_names_destroy(n->names);
    n->names = names;
}

void named_prefetch(const struct named *n, const struct observation *o)
{
    if (o->kind == OBSERVE_DNS)
        fetch(n->kept[o->dns.qname_hash % (KEPT / WAYS)]);
}

static uint64_t domain_at(const struct named *n, const struct dns_message *m, unsigned offset)
{
    if (offset + 1 >= m->qname_length)
        return offset;
    return (hash_bytes(m->qname + offset, m->qname_length - offset, n->seed) & ~UINT64_C(255)) |
           offset;
}

static struct kept look_up(struct named *n, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    uint64_t facts = name_is_no_domain(m->qname, m->qname_length) ? NO_DOMAIN : 0;

    n->filled = true;
    if (n->names)
        facts |= known_names_class(n->names, m->qname, m->qname_length, NULL);
    return (struct kept){(o->dns.qname_hash & ~(uint64_t)FACTS) | facts,
                         domain_at(n, m, suffix_of(n->suffix, m))};
}

static bool is_of(const struct kept *k, uint64_t hash)
{
    return (k->name | FACTS) == (hash | FACTS);
}

/* The name's place in its line, now the first. */
static const struct kept *keep(struct named *n, const struct observation *o)
{
    struct kept *line = n->kept[o->dns.qname_hash % (KEPT / WAYS)], found;
    unsigned way = 0;

    if (is_of(line, o->dns.qname_hash))
        return line;
    while (way < WAYS - 1 && !is_of(&line[way], o->dns.qname_hash))
        way++;
    found = line[way];
    if (!is_of(&found, o->dns.qname_hash))
        found = look_up(n, o);
    memmove(line + 1, line, way * sizeof *line);
    line[0] = found;
    return line;
}

void named_note(struct named *n, struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    const struct kept *k;

    if (o->kind != OBSERVE_DNS || !m->has_question)
        return;
    k = keep(n, o);
    o->note.domain = (uint8_t)k->domain;
    o->note.domain_hash = k->domain & ~UINT64_C(255);
    o->note.name_class = k->name & CLASS;
    o->note.no_domain = (k->name & NO_DOMAIN) != 0;
    if (o->note.name_class == NAME_RESOLVER)
        known_names_class(n->names, m->qname, m->qname_length, &o->note.named);
}
