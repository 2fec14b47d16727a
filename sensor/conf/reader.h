/* A tree read against tables of keys into the policy under construction. Errors are complained
 * about and reading goes on, so that one pass finds them all. */
#ifndef SEALDNS_CONF_READER_H
#define SEALDNS_CONF_READER_H

#include "conf/key.h"
#include "conf/tree.h"
#include "model/policy.h"

/* Where an address, a network or a name was written, for "this is ...'s already". */
struct spot {
    struct prefix prefix;
    const char *name;
    int owner;
    const struct node *at;
};

struct reader {
    struct complaints *complaints;
    struct policy *policy;
    struct policy_resolver *catalog;
    size_t catalog_count;
    struct spot *spots;
    size_t spot_count;
    const struct node *list, *zones; /* whose entries are read; that of the zones */
    nsec_t now;
    bool zone_seen[2]; /* `default` and `gateway` */
    bool out_of_memory;
};

/* The members of a map into object; keys ends with a key without name. Complains about unknown and
 * repeated keys, missing ones, and values that are none. what: "a zone". */
void read_map(struct reader *r, const struct node *map, const struct key *keys, void *object,
              const char *what);
/* True when the node is a list, or nothing (an empty one); else it is complained about. */
bool read_is_list(struct reader *r, const struct node *n);
/* One value; false: complained about. */
bool read_value(struct reader *r, const struct node *n, const struct option *o, void *field);
/* Reads every element of a list, which must be maps. */
void read_entries(struct reader *r, const struct node *list, const char *what,
                  void (*read)(struct reader *r, const struct node *entry));
/* Texts of a list, or a single one, added to an array. */
void read_texts(struct reader *r, const struct node *n, const struct option *o, char ***texts,
                size_t *count);

/* The words of a list as bits; option: an OPTION_WORD. */
uint32_t read_words(struct reader *r, const struct node *list, const struct option *option);

/* A new zeroed element behind the others; NULL: out of memory, which the reader remembers. */
void *reader_grow(struct reader *r, void *array_pointer, size_t *count, size_t size);
void reader_spot(struct reader *r, struct spot spot);

/* The files' parts. */
void read_policy(struct reader *r, const struct node *root);
void read_resolvers(struct reader *r, const struct node *list);
void read_zones(struct reader *r, const struct node *list);
void read_exceptions(struct reader *r, const struct node *list);
void read_mutes(struct reader *r, const struct node *list);
void read_outputs(struct reader *r, const struct node *list);
void read_web(struct reader *r, const struct node *n, void *policy);
void read_store(struct reader *r, const struct node *n, void *policy);
void read_privacy(struct reader *r, const struct node *n);   /* NULL: it is not there */
void read_query_log(struct reader *r, const struct node *n); /* the same; after the zones */
void read_catalog(struct reader *r, const struct node *root);
void read_detection(struct reader *r, const struct node *root);

/* Bits of struct policy_resolver.transports out of a list of words; do53 is UDP and TCP. */
void read_transports(struct reader *r, const struct node *value, void *resolver);
void read_addresses(struct reader *r, const struct node *value, void *resolver);
void read_shared(struct reader *r, const struct node *value, void *resolver);
void read_names(struct reader *r, const struct node *value, void *resolver);
/* Index of a resolver that the policy defines; -1: none, complained about at n. */
int16_t read_resolver_id(struct reader *r, const struct node *n, const char *id);

#endif
