/* Sets and maps of a ruleset. */
#ifndef SEALDNS_ENFORCE_SET_H
#define SEALDNS_ENFORCE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

#define RULESET_NAME 96 /* of a chain or set */

/* SET_PORT: a port; SET_ADDRESS: one of a single address; SET_RANGE: of address ranges; SET_PAIR:
 * client range . server address; SET_PAIRED: client . server, which come and go while the sensor
 * runs (enforce/paired.h); SET_STATION: of link addresses, at their places among the others;
 * SET_ZONES: verdict map of client ranges to chains. */
enum set_kind {
    SET_PORT,
    SET_ADDRESS,
    SET_STATION,
    SET_RANGE,
    SET_PAIR,
    SET_PAIRED,
    SET_ZONES,
    SET_FOREIGN
};

struct set_element {
    struct addr low, high; /* inclusive; both the same where the set holds no ranges */
    struct addr server;    /* of a pair */
    uint16_t port;
    uint16_t chain;      /* SET_ZONES: goto this one */
    nsec_t until;        /* of an exception; 0: no end */
    uint64_t timeout_ms; /* what was left of it when the model was made or read; 0: no end */
};

struct set {
    char name[RULESET_NAME];
    enum set_kind kind;
    bool v4, timed;
    struct set_element *elements; /* ascending, disjoint */
    size_t count, capacity;
};

#endif
