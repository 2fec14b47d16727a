#include "account/suffix.h"

#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "account/suffix_rules.h"
#include "base/hash.h"
#include "model/known_names.h"

#define ANSWERS 8192
#define TEXT    256
#define LABELS                                                                                     \
    8 /* no rule of the list has more (its longest has 6): nobody makes us walk a hundred */
#define BITS (1 << 18)

/* The list is asked only for names that a rule may be about: the others (nearly all) are told by
 * what is known of its rules. A bit may stand for another rule, which costs an idle question. */
struct suffix {
    const psl_ctx_t *list;
    uint64_t seed;
    bool complete;                /* the bits are of the list that is asked */
    uint64_t rule[BITS / 64];     /* there is one of this name */
    uint64_t wildcard[BITS / 64]; /* there is one of whatever is below this name */
    uint64_t answers[ANSWERS];    /* hash of the name, its lowest bit: it is a public suffix */
};

/* Where the last labels of a name begin. */
struct labels {
    unsigned start[LABELS], count;
};

static bool has_bit(const uint64_t *bits, uint64_t hash)
{
    return bits[hash % BITS / 64] >> (hash & 63) & 1;
}

static void set_bit(uint64_t *bits, uint64_t hash)
{
    bits[hash % BITS / 64] |= UINT64_C(1) << (hash & 63);
}

static uint64_t hash_of(const struct suffix *s, const uint8_t *wire, size_t length)
{
    return hash_bytes(wire, length, s->seed);
}

/* "co.uk", "*.ck" or "!www.ck". Of an exception the rule it is one to has the bit; what has a
 * wildcard below it is taken for a suffix itself by libpsl. */
static void learn(struct suffix *s, const char *rule)
{
    bool wildcard = strncmp(rule, "*.", 2) == 0;
    uint8_t wire[DNS_NAME_WIRE];
    size_t length = name_to_wire(wildcard ? rule + 2 : rule, wire);

    if (rule[0] == '!' || !length)
        return;
    set_bit(s->rule, hash_of(s, wire, length));
    if (wildcard)
        set_bit(s->wildcard, hash_of(s, wire, length));
}

static void learn_all(struct suffix *s)
{
    const char *sha1 = psl_builtin_sha1sum();
    char rule[TEXT];

    s->complete = suffix_rules_sha1[0] && sha1 && strcmp(sha1, suffix_rules_sha1) == 0;
    for (const char *at = suffix_rules; s->complete && *at;) {
        size_t length = strcspn(at, "\n");

        if (length >= sizeof rule) {
            s->complete = false;
            return;
        }
        memcpy(rule, at, length);
        rule[length] = '\0';
        learn(s, rule);
        at += length + (at[length] == '\n');
    }
}

struct suffix *suffix_create(uint64_t seed)
{
    struct suffix *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->list = psl_builtin();
    s->seed = seed;
    if (!s->list) {
        free(s);
        return NULL;
    }
    learn_all(s);
    return s;
}

void suffix_destroy(struct suffix *s)
{
    free(s);
}

/* Letters, digits, '-' and '_' as they are; what else a label holds becomes '?', which no suffix
 * has. The name is sound. */
static void as_text(const uint8_t *wire, char text[TEXT])
{
    unsigned at = 0;

    while (wire[at]) {
        unsigned label = wire[at];

        for (unsigned i = 1; i <= label; i++) {
            uint8_t c = wire[at + i];
            bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

            text[at + i - 1] = plain ? (char)c : '?';
        }
        text[at + label] = '.';
        at += label + 1;
    }
    text[at - 1] = '\0';
}

/* False: not a name. */
static bool find_labels(const uint8_t *wire, unsigned length, struct labels *l)
{
    unsigned at = 0, all = 0, start[LABELS];

    if (length < 2)
        return false;
    for (; at < length && wire[at]; at += wire[at] + 1U) {
        if (wire[at] > 63 || at + wire[at] + 1U >= length)
            return false;
        start[all++ % LABELS] = at;
    }
    l->count = all < LABELS ? all : LABELS;
    for (unsigned i = 0; i < l->count; i++)
        l->start[i] = start[(all - l->count + i) % LABELS];
    return true;
}

static bool ask(struct suffix *s, const uint8_t *wire, uint64_t hash)
{
    uint64_t *kept = &s->answers[hash % ANSWERS];
    char text[TEXT];

    if ((*kept | 1) == (hash | 1) && *kept)
        return *kept & 1;
    as_text(wire, text);
    *kept = (hash & ~UINT64_C(1)) | (psl_is_public_suffix(s->list, text) != 0);
    return *kept & 1;
}

/* In letters that the rules here are not written in. */
static bool is_foreign(const uint8_t *wire)
{
    for (unsigned at = 0; wire[at]; at += wire[at] + 1U)
        if (wire[at] > 4 && memcmp(wire + at + 1, "xn--", 4) == 0)
            return true;
    return false;
}

unsigned suffix_of(struct suffix *s, const struct dns_message *m)
{
    unsigned root = m->qname_length ? m->qname_length - 1U : 0, i;
    struct labels l = {.count = 0};
    uint64_t hash, parent;

    if (!find_labels(m->qname, m->qname_length, &l))
        return root;
    hash = hash_of(s, m->qname + l.start[0], m->qname_length - l.start[0]);
    /* The longest suffix decides; a single label is one. */
    for (i = 0; i + 1 < l.count; i++, hash = parent) {
        const uint8_t *name = m->qname + l.start[i];

        parent = hash_of(s, m->qname + l.start[i + 1], m->qname_length - l.start[i + 1]);
        if (s->complete && !has_bit(s->rule, hash) && !has_bit(s->wildcard, parent) &&
            !is_foreign(name))
            continue;
        if (ask(s, name, hash))
            break;
    }
    return i ? l.start[i - 1] : root;
}
