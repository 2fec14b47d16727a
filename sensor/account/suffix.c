#include "account/suffix.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define KEPT 32768 /* 16 octets each */
#define TEXT 256

/* Direct-mapped: one line a look-up, the later name takes the place. */
struct kept {
    uint64_t name;   /* hash of the whole name, 0: free */
    uint64_t domain; /* low octet: offset; the rest: the hash without it */
};

struct suffix {
    const psl_ctx_t *list;
    uint64_t seed;
    struct kept kept[KEPT];
};

struct suffix *suffix_create(uint64_t seed)
{
    struct suffix *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
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
        __builtin_prefetch(&s->kept[o->dns.qname_hash % KEPT], 1);
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

/* Text has the offsets of the wire form less the first length octet: a domain that begins at
 * text[i] begins at wire[i]. */
static unsigned look_up(const struct suffix *s, const struct dns_message *m)
{
    char text[TEXT];
    const char *domain;

    if (!as_text(m->qname, m->qname_length, text))
        return m->qname_length ? m->qname_length - 1U : 0;
    domain = psl_registrable_domain(s->list, text);
    return domain ? (unsigned)(domain - text) : m->qname_length - 1U;
}

static uint64_t domain_at(const struct suffix *s, const struct dns_message *m, unsigned offset)
{
    if (offset + 1 >= m->qname_length)
        return offset;
    return (hash_bytes(m->qname + offset, m->qname_length - offset, s->seed) & ~UINT64_C(255)) |
           offset;
}

void suffix_note(struct suffix *s, struct observation *o)
{
    struct kept *k;

    if (o->kind != OBSERVE_DNS || !o->dns.message.has_question)
        return;
    k = &s->kept[o->dns.qname_hash % KEPT];
    if (k->name != o->dns.qname_hash) {
        k->name = o->dns.qname_hash;
        k->domain = domain_at(s, &o->dns.message, look_up(s, &o->dns.message));
    }
    o->note.domain = (uint8_t)k->domain;
    o->note.domain_hash = k->domain & ~UINT64_C(255);
}
