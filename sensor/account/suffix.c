#include "account/suffix.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define KEPT    65536 /* 16 octets each */
#define WAYS    4     /* of a name's line: the latest first */
#define PARENTS 8192
#define TEXT    256
#define LABELS  8

struct kept {
    uint64_t name;   /* hash of the whole name, 0: free */
    uint64_t domain; /* low octet: offset; the rest: the hash without it */
};

/* A name is a public suffix itself, or of its parent's registrable domain, or (where the parent is
 * a suffix) one: who knows the parent asks the list once, not once a label. */
struct suffix {
    struct kept kept[KEPT / WAYS][WAYS]; /* first: a line of the cache each */
    const psl_ctx_t *list;
    uint64_t seed;
    struct kept parents[PARENTS]; /* domain: the offset, from the parent's own beginning */
};

struct suffix *suffix_create(uint64_t seed)
{
    struct suffix *s = aligned_alloc(64, (sizeof *s + 63) / 64 * 64);

    if (!s)
        return NULL;
    memset(s, 0, sizeof *s);
    s->list = psl_builtin();
    s->seed = seed;
    if (s->list)
        return s;
    free(s);
    return NULL;
}

void suffix_destroy(struct suffix *s)
{
    free(s);
}

void suffix_prefetch(const struct suffix *s, const struct observation *o)
{
    if (o->kind == OBSERVE_DNS)
        __builtin_prefetch(s->kept[o->dns.qname_hash % (KEPT / WAYS)], 1);
}

/* Letters, digits, '-' and '_' as they are; what else a label holds becomes '?', which no suffix
 * has: the offsets stay right. False: not a name. */
static bool as_text(const uint8_t *wire, unsigned length, char text[TEXT])
{
    unsigned at = 0;

    if (length < 2 || length > 255)
        return false;
    while (at < length && wire[at]) {
        unsigned label = wire[at];

        if (label > 63 || at + label + 1 >= length)
            return false;
        for (unsigned i = 1; i <= label; i++) {
            uint8_t c = wire[at + i];
            bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

            text[at + i - 1] = plain ? (char)c : '?';
        }
        text[at + label] = '.';
        at += label + 1;
    }
    text[at - 1] = '\0';
    return true;
}

/* From where the domains of a name are asked for: no rule of the list has more labels (its longest
 * has 6), and nobody makes us walk a hundred. */
static unsigned last_labels(const uint8_t *wire, unsigned root)
{
    unsigned start[LABELS], count = 0;

    for (unsigned at = 0; at < root; at += wire[at] + 1U)
        start[count++ % LABELS] = at;
    return count < LABELS ? 0 : start[count % LABELS];
}

static unsigned domain_from(struct suffix *s, const struct dns_message *m, const char *text,
                            unsigned at);

/* The same, for what may be kept. */
static unsigned domain_of_parent(struct suffix *s, const struct dns_message *m, const char *text,
                                 unsigned at)
{
    uint64_t hash = hash_bytes(m->qname + at, m->qname_length - at, s->seed);
    struct kept *k = &s->parents[hash % PARENTS];
    unsigned found;

    if (k->name == hash)
        return at + (unsigned)k->domain;
    found = domain_from(s, m, text, at);
    *k = (struct kept){hash, found - at};
    return found;
}

/* Where the registrable domain of the name from `at` on begins; the last octet (the root) when
 * there is none. Text has the offsets of the wire form less the first length octet. */
static unsigned domain_from(struct suffix *s, const struct dns_message *m, const char *text,
                            unsigned at)
{
    unsigned root = m->qname_length - 1U, parent = at + m->qname[at] + 1U, found;

    if (psl_is_public_suffix(s->list, text + at))
        return root;
    if (parent >= root)
        return root;
    found = domain_of_parent(s, m, text, parent);
    return found == root ? at : found;
}

/* The last octet (the root) when there is none. */
static unsigned look_up(struct suffix *s, const struct dns_message *m)
{
    unsigned root = m->qname_length ? m->qname_length - 1U : 0;
    char text[TEXT];

    if (!as_text(m->qname, m->qname_length, text))
        return root;
    return domain_from(s, m, text, last_labels(m->qname, root));
}

static uint64_t domain_at(const struct suffix *s, const struct dns_message *m, unsigned offset)
{
    if (offset + 1 >= m->qname_length)
        return offset;
    return (hash_bytes(m->qname + offset, m->qname_length - offset, s->seed) & ~UINT64_C(255)) |
           offset;
}

/* The name's place in its line, now the first. */
static struct kept *keep(struct suffix *s, const struct observation *o)
{
    struct kept *line = s->kept[o->dns.qname_hash % (KEPT / WAYS)], found;
    unsigned way = 0;

    if (line[0].name == o->dns.qname_hash)
        return line;
    while (way < WAYS - 1 && line[way].name != o->dns.qname_hash)
        way++;
    found = line[way];
    if (found.name != o->dns.qname_hash)
        found = (struct kept){o->dns.qname_hash,
                              domain_at(s, &o->dns.message, look_up(s, &o->dns.message))};
    memmove(line + 1, line, way * sizeof *line);
    line[0] = found;
    return line;
}

void suffix_note(struct suffix *s, struct observation *o)
{
    const struct kept *k;

    if (o->kind != OBSERVE_DNS || !o->dns.message.has_question)
        return;
    k = keep(s, o);
    o->note.domain = (uint8_t)k->domain;
    o->note.domain_hash = k->domain & ~UINT64_C(255);
}
