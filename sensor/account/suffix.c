#include "account/suffix.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define PARENTS 8192
#define TEXT    256
#define LABELS  8

struct kept {
    uint64_t parent; /* hash, 0: free */
    unsigned offset; /* from the parent's own beginning */
};

/* A name is a public suffix itself, or of its parent's registrable domain, or (where the parent is
 * a suffix) one: who knows the parent asks the list once, not once a label. */
struct suffix {
    const psl_ctx_t *list;
    uint64_t seed;
    struct kept parents[PARENTS];
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

    if (k->parent == hash)
        return at + k->offset;
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

unsigned suffix_of(struct suffix *s, const struct dns_message *m)
{
    unsigned root = m->qname_length ? m->qname_length - 1U : 0;
    char text[TEXT];

    if (!as_text(m->qname, m->qname_length, text))
        return root;
    return domain_from(s, m, text, last_labels(m->qname, root));
}
