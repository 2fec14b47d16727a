#include "detect/own_cuts.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "detect/groups.h"

/* The log and the capture are read by themselves: either may be ahead. */
#define AHEAD (2 * NSEC_S)

enum { CUTS = 8192 };

struct ends {
    struct addr client, server;
    uint16_t client_port, server_port;
    uint32_t proto;
};

struct own_cuts {
    uint64_t seed;
    struct {
        struct ends ends;
        nsec_t time; /* 0: free */
        bool acted;
    } cut[CUTS];
};

struct own_cuts *own_cuts_create(uint64_t seed)
{
    struct own_cuts *c = calloc(1, sizeof *c);

    if (c)
        c->seed = seed;
    return c;
}

void own_cuts_destroy(struct own_cuts *c)
{
    free(c);
}

size_t own_cuts_bytes(void)
{
    return sizeof(struct own_cuts);
}

static struct ends ends_of(const struct observation *o)
{
    return (struct ends){.client = o->client,
                         .server = o->server,
                         .client_port = o->client_port,
                         .server_port = o->server_port,
                         .proto = o->proto};
}

static size_t place_of(const struct own_cuts *c, const struct ends *e)
{
    return hash_bytes(e, sizeof *e, c->seed) % CUTS;
}

void own_cuts_note(struct own_cuts *c, const struct observation *o)
{
    struct ends ends = ends_of(o);
    size_t place = place_of(c, &ends);

    c->cut[place].ends = ends;
    c->cut[place].time = o->time;
    c->cut[place].acted = o->met.acted;
}

enum own_cut own_cuts_of(const struct own_cuts *c, const struct observation *o, nsec_t since)
{
    struct ends ends = ends_of(o);
    size_t place = c ? place_of(c, &ends) : 0;

    if (!c || !c->cut[place].time || c->cut[place].time + AHEAD < since ||
        memcmp(&c->cut[place].ends, &ends, sizeof ends) != 0)
        return OWN_CUT_UNKNOWN;
    return c->cut[place].acted ? OWN_CUT_ACTED : OWN_CUT_COUNTED;
}

bool own_cuts_explain(const struct own_cuts *c, const struct policy *p, const struct observation *o,
                      bool *certain)
{
    enum own_cut said = own_cuts_of(c, o, o->flow.first ? o->flow.first : o->time);

    *certain = said == OWN_CUT_ACTED;
    return said == OWN_CUT_UNKNOWN ? groups_cut(p, o) : *certain;
}
