/* Which addresses are one client: those behind one link address, unless that is a router's. */
#ifndef SEALDNS_DETECT_STATIONS_H
#define SEALDNS_DETECT_STATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { STATION_FOUR = 2, STATION_SIX = 4, STATION_ADDRESSES = STATION_FOUR + STATION_SIX };

struct station {
    uint64_t id; /* the key */
    struct addr four[STATION_FOUR], six[STATION_SIX];
    uint8_t four_count, next_six;
    bool router; /* more IPv4 addresses than a client has: they are of several */
};

struct stations;

/* NULL: no memory. */
struct stations *stations_create(size_t capacity, uint64_t seed);
void stations_destroy(struct stations *s);
size_t stations_bytes(const struct stations *s);

/* This address was seen behind this link address (0: unknown, nothing is kept). */
void stations_add(struct stations *s, uint64_t id, const struct addr *address);
/* The other addresses of the same client into out[STATION_ADDRESSES]; their number. */
size_t stations_siblings(struct stations *s, uint64_t id, const struct addr *address,
                         struct addr *out);

#endif
