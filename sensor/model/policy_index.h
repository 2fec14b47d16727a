/* What policy.c looks things up in: built once by policy_compile(), then only read. Besides
 * policy.c only conf/ needs it. The tables are filled from the operator's files alone and at most
 * half full, so a stranger who chooses what is looked up meets a bounded probe. */
#ifndef SEALDNS_MODEL_POLICY_INDEX_H
#define SEALDNS_MODEL_POLICY_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

/* Prefixes to small numbers; several values may stand under one prefix, in the order of insertion.
 * One probe for each length that occurs in the family. */
struct prefix_entry {
    struct addr addr;
    int32_t value;
    int32_t next; /* of the same prefix, or -1 */
    uint8_t length;
    bool v4;
};

struct prefix_map {
    struct prefix_length {
        struct addr mask;
        uint8_t length;
    } lengths[2][129]; /* [is IPv4], longest first */
    unsigned length_count[2];
    struct prefix_entry *entries;
    uint32_t *slots; /* 1 + index of the first entry of a prefix; 0: empty */
    size_t count, capacity, mask;
};

/* Room for at most capacity values. SD_EMEM. */
int prefix_map_init(struct prefix_map *m, size_t capacity);
void prefix_map_finish(struct prefix_map *m);
/* IPv4 is what lies in ::ffff:0:0/96; ::/0 holds no IPv4 address. */
void prefix_map_add(struct prefix_map *m, const struct prefix *p, int32_t value);

struct prefix_walk {
    const struct prefix_map *map;
    struct addr key;
    unsigned at;
    int32_t entry;
    bool v4;
};

struct prefix_walk prefix_walk_from(const struct prefix_map *m, const struct addr *key);
/* The values of the prefixes that hold the key, longest first; -1 at the end. */
int32_t prefix_walk_next(struct prefix_walk *w);

/* Addresses and names to small numbers; the first one added wins. */
struct address_map {
    struct address_entry {
        struct addr addr;
        int16_t value;
        bool used, shared;
    } * slots;
    size_t mask;
};

int address_map_init(struct address_map *m, size_t capacity);
void address_map_finish(struct address_map *m);
void address_map_add(struct address_map *m, const struct addr *a, int16_t value, bool shared);
const struct address_entry *address_map_find(const struct address_map *m, const struct addr *a);

struct name_map {
    struct name_entry {
        const char *name; /* borrowed; without "*." */
        uint32_t length;
        int16_t value;
        bool wildcard;
    } * slots;
    size_t mask;
    bool wildcards; /* there is one */
};

int name_map_init(struct name_map *m, size_t capacity);
void name_map_finish(struct name_map *m);
/* "*.example" holds everything below example, but not example. */
void name_map_add(struct name_map *m, const char *name, int16_t value);
/* The value of a name, or -1; the exact one before the longest wildcard. */
int16_t name_map_find(const struct name_map *m, const char *name);
/* The value of what was added in exactly this spelling, or -1. */
int16_t name_map_same(const struct name_map *m, const char *name);

#endif
