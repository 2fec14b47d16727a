/* How an encrypted flow behaves, as far as the lengths and times of its records tell (of a QUIC
 * flow: its 1-RTT packets), and a decision tree over that. Plain values. */
#ifndef SEALDNS_MODEL_BEHAVIOUR_H
#define SEALDNS_MODEL_BEHAVIOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lengths are of TLS records as TLS 1.3 has them (17 octets over the plain text), QUIC's of
 * packets. Those of the client leave out its first three, and what is shorter than any request. A
 * turn begins with the client's first record after one of the server. */
#define FEATURES(X)                                                                                \
    X(FEATURE_QUIC, "quic")                             /* 1: over QUIC, 0: over TLS */            \
    X(FEATURE_CLIENT_RECORDS, "client_records")         /* all of them */                          \
    X(FEATURE_SERVER_RECORDS, "server_records")         /* since the client's first */             \
    X(FEATURE_CLIENT_MEDIAN, "client_median")           /* of the last 32 */                       \
    X(FEATURE_CLIENT_P90, "client_p90")                 /* nine of ten are not longer */           \
    X(FEATURE_CLIENT_QUERY, "client_query_milli")       /* 40 to 330 octets, like a request */     \
    X(FEATURE_CLIENT_DISTINCT, "client_distinct_milli") /* different lengths by their number */    \
    X(FEATURE_CLIENT_LATTICE, "client_lattice_milli")   /* the commonest remainder by 128 */       \
    X(FEATURE_CLIENT_PAIRED, "client_paired_milli")     /* follow another of the client */         \
    X(FEATURE_SERVER_MEDIAN, "server_median")                                                      \
    X(FEATURE_SERVER_SMALL, "server_small_milli")     /* shorter than 700 octets */                \
    X(FEATURE_SERVER_LATTICE, "server_lattice_milli") /* the commonest remainder by 468 */         \
    X(FEATURE_BURST, "burst_octets")                  /* the server's longest in one turn */       \
    X(FEATURE_ANSWERED, "answered_milli")             /* turns answered within 300 ms */           \
    X(FEATURE_RATIO, "ratio_milli")                   /* the server's octets by the client's */    \
    X(FEATURE_LIFETIME, "lifetime_ms")                /* from the client's first to the last */    \
    X(FEATURE_GAPS, "gaps_milli")                     /* turns after a second's silence */

#define X(name, word) name,
enum feature { FEATURES(X) FEATURE_COUNT };
#undef X

struct behaviour {
    int32_t feature[FEATURE_COUNT];
};

/* Depth 6 below the root. */
enum { DECISION_DEPTH = 6, DECISION_NODES = 127 };

struct decision_node {
    int32_t most;    /* the way is `then` where the feature is not more than this, else `other` */
    uint8_t feature; /* enum feature; FEATURE_COUNT: a leaf */
    uint8_t then, other;
    uint8_t confidence; /* of a leaf, 0..100 that the flow is DNS over HTTPS */
};

/* A tree that decision_fault() finds nothing wrong with; without nodes it says 0 to everything. */
struct decision_tree {
    uint8_t count;
    struct decision_node node[DECISION_NODES];
};

/* The word of a feature; "?" for a value out of range. */
const char *feature_name(unsigned feature);
/* The feature of a word, or -1. */
int feature_of(const char *word);

/* What is wrong with the node at *at, or NULL: every node but the first is the child of exactly one
 * before it, none lies deeper than DECISION_DEPTH, features and confidences are such. */
const char *decision_fault(const struct decision_tree *t, size_t *at);
/* Confidence that a flow which behaves so is DNS over HTTPS; *leaf (may be NULL) says by which
 * node. */
uint8_t decision_judge(const struct decision_tree *t, const struct behaviour *b, unsigned *leaf);

#endif
