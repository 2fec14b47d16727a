#include "enforce/ruleset.h"

#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>

#include "base/error.h"
#include "enforce/build.h"

struct ruleset *ruleset_create(uint8_t family)
{
    struct ruleset *r = calloc(1, sizeof *r);

    if (r)
        r->family = family;
    return r;
}

const char *ruleset_family(const struct ruleset *r)
{
    return r->family == NFPROTO_BRIDGE ? "bridge" : "inet";
}

void ruleset_destroy(struct ruleset *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->set_count; i++)
        free(r->sets[i].elements);
    for (size_t i = 0; i < r->rule_count; i++)
        free(r->rules[i].foreign);
    free(r->sets);
    free(r->rules);
    free(r->chains);
    free(r->patterns);
    free(r);
}

/* Room for one more of an array; SD_EMEM leaves it as it was. */
static int grow(void **array, size_t count, size_t *capacity, size_t size)
{
    size_t more = *capacity ? *capacity * 2 : 8;
    void *larger;

    if (count < *capacity)
        return SD_OK;
    larger = realloc(*array, more * size);
    if (!larger)
        return SD_EMEM;
    *array = larger;
    *capacity = more;
    return SD_OK;
}

static int grow_numbered(void **array, size_t count, size_t *capacity, size_t size)
{
    return count >= CHAIN_OTHER - 1 ? SD_ELIMIT : grow(array, count, capacity, size);
}

static void copy_name(char to[RULESET_NAME], const char *from)
{
    size_t length = strnlen(from, RULESET_NAME - 1);

    memcpy(to, from, length);
    to[length] = '\0';
}

int ruleset_add_chain(struct ruleset *r, const char *name)
{
    int e =
        grow_numbered((void **)&r->chains, r->chain_count, &r->chain_capacity, sizeof *r->chains);

    if (e != SD_OK)
        return e;
    r->chains[r->chain_count] = (struct chain){.base = false};
    copy_name(r->chains[r->chain_count].name, name);
    return (int)r->chain_count++;
}

int ruleset_add_set(struct ruleset *r, const char *name, enum set_kind kind, bool v4)
{
    int e = grow_numbered((void **)&r->sets, r->set_count, &r->set_capacity, sizeof *r->sets);

    if (e != SD_OK)
        return e;
    r->sets[r->set_count] = (struct set){.kind = kind, .v4 = v4};
    copy_name(r->sets[r->set_count].name, name);
    return (int)r->set_count++;
}

int ruleset_add_pattern(struct ruleset *r, const struct pattern *pattern)
{
    int e = grow_numbered((void **)&r->patterns, r->pattern_count, &r->pattern_capacity,
                          sizeof *r->patterns);

    if (e != SD_OK)
        return e;
    r->patterns[r->pattern_count] = *pattern;
    return (int)r->pattern_count++;
}

int ruleset_add_rule(struct ruleset *r, const struct rule *rule)
{
    int e = grow((void **)&r->rules, r->rule_count, &r->rule_capacity, sizeof *r->rules);

    if (e != SD_OK)
        return e;
    r->rules[r->rule_count++] = *rule;
    return SD_OK;
}

int set_add(struct set *s, const struct set_element *element)
{
    int e = grow((void **)&s->elements, s->count, &s->capacity, sizeof *s->elements);

    if (e == SD_OK)
        s->elements[s->count++] = *element;
    return e;
}

int set_compare(const struct set_element *a, const struct set_element *b)
{
    int order = addr_compare(&a->low, &b->low);

    if (order == 0)
        order = addr_compare(&a->server, &b->server);
    return order ? order : (int)a->port - (int)b->port;
}

static int compare_elements(const void *left, const void *right)
{
    return set_compare(left, right);
}

void set_sort(struct set *s)
{
    if (s->count)
        qsort(s->elements, s->count, sizeof *s->elements, compare_elements);
}

void set_unique(struct set *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++)
        if (kept == 0 || compare_elements(s->elements + kept - 1, s->elements + i) != 0)
            s->elements[kept++] = s->elements[i];
    s->count = kept;
}

int ruleset_chain_named(const struct ruleset *r, const char *name)
{
    for (size_t i = 0; i < r->chain_count; i++)
        if (strcmp(r->chains[i].name, name) == 0)
            return (int)i;
    return -1;
}

int ruleset_set_named(const struct ruleset *r, const char *name)
{
    for (size_t i = 0; i < r->set_count; i++)
        if (strcmp(r->sets[i].name, name) == 0)
            return (int)i;
    return -1;
}

void ruleset_describe(const struct ruleset *r, struct enforce_status *out)
{
    *out = (struct enforce_status){.rules = (unsigned)r->rule_count, .digest = r->digest};
    for (size_t i = 0; i < r->set_count; i++)
        out->elements += (unsigned)r->sets[i].count;
}

size_t pattern_chunk(const struct pattern *p, size_t at)
{
    return p->length - at < PATTERN_CHUNK ? p->length - at : PATTERN_CHUNK;
}

bool pattern_masks(const struct pattern *p, size_t at)
{
    for (size_t i = 0; i < pattern_chunk(p, at); i++)
        if (p->mask[at + i] != 0xff)
            return true;
    return false;
}

bool rule_cuts(const struct rule *r)
{
    return r->statement == STATEMENT_DROP || r->statement == STATEMENT_REJECT ||
           r->statement == STATEMENT_RESET || r->statement == STATEMENT_DNAT;
}
