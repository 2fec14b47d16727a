/* Who gives leases and advertises on each link: the first that did is the known one, until it was
 * silent for long. Worst case in bytes: GIVERS_MOST * 72. */
#ifndef SEALDNS_DETECT_GIVERS_H
#define SEALDNS_DETECT_GIVERS_H

#include "model/memory.h"
#include "model/observation.h"

enum { GIVERS_MOST = 64 };

struct giver {
    uint16_t iface, vlan; /* with source: the key */
    uint8_t source;       /* enum lease_source */
    bool changed;
    int16_t zone;     /* of the last address given on the link, ZONE_DEFAULT: none yet */
    uint64_t station; /* 0: the capture has no link addresses */
    struct addr address;
    nsec_t last, told; /* told: `last` when it was remembered */
};

struct givers {
    size_t count;
    struct giver giver[GIVERS_MOST];
};

/* The known one of an offer's link, which may be the offer's own; *zone: of the offer, by its
 * addresses or by those that were given on the link before. Silence: how long a giver stays known.
 */
const struct giver *givers_known(struct givers *g, const struct observation *o, nsec_t silence,
                                 int16_t *zone);
/* Zones are another policy's. */
void givers_forget_zones(struct givers *g);
void givers_remember(struct givers *g, struct memory_sink sink);
void givers_recall(struct givers *g, const struct memory *m);

#endif
