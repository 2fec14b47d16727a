/* The usage profile of a client's DNS (RFC 8310 5): what it does when encrypted DNS fails, learned
 * from what it did, and the counts that speak for it. Strict: it fails closed. Opportunistic: it
 * goes on in clear text. Mixed: clear text beside encrypted DNS, of another program or for other
 * names. Every count is halved once a week, so that a client may change. */
#ifndef SEALDNS_DETECT_USAGE_H
#define SEALDNS_DETECT_USAGE_H

#include <string.h>

#include "detect/origin.h"
#include "detect/slots.h"
#include "model/memory.h"
#include "model/policy.h"

#define USAGE_WEEK (7 * 86400 * NSEC_S)

enum usage_profile {
    USAGE_UNKNOWN,
    USAGE_STRICT,
    USAGE_OPPORTUNISTIC,
    USAGE_CLEAR_ONLY,
    USAGE_MIXED
};

/* What is kept across restarts. */
struct usage_counts {
    uint8_t version;    /* of this struct */
    bool name_sent;     /* it says to whom it wants to speak (SNI): strict clients must know it */
    uint32_t clear;     /* clear text that no failure explains */
    uint32_t bootstrap; /* names of resolvers, probes, inside names */
    nsec_t last, aged;
    uint32_t successes, failures;
    uint32_t hard;      /* failures that it took without clear text */
    uint32_t rejected;  /* certificates that it refused: it verifies */
    uint32_t fallbacks; /* clear text that followed a failure */
    uint32_t recursed;  /* queries without RD after a failure */
    uint32_t recursing; /* and otherwise */
    nsec_t since;
};

/* What every query touches stands in front. */
struct usage {
    struct slot slot; /* first */
    uint8_t told;     /* profile as remembered last */
    bool changed;     /* to be remembered */
    uint8_t vpn;      /* enum vpn, of the one that began last */
    uint8_t slow;     /* a failure of this run ended in silence or ICMP: clients wait long */
    uint32_t run;     /* failures since the last success or clear text */
    uint32_t tail;    /* last four octets of the address it used last */
    uint32_t habit;   /* where that address has its habit, 0: not known (base/table.h) */
    struct usage_counts n;
    nsec_t failed, window;
    nsec_t attached;           /* first sight, or first after a long silence */
    nsec_t vpn_began, vpn_key; /* it agrees on a key again and again */
    struct addr address;       /* by which it is remembered: the last, IPv4 before IPv6 */
    struct addr kept;          /* and by which it lies in the store, zero: by none */
} __attribute__((aligned(SLOTS_LINE)));

struct usage_limits {
    uint32_t clear_queries, hard_failures;
    nsec_t absence; /* so long a silence is an absence: it attaches anew */
};

void usage_read_limits(struct usage_limits *l, const struct policy *p);
/* Whether it used another address before; fresh entries used none. */
static inline bool usage_moves(const struct usage *u, const struct addr *client)
{
    uint32_t tail;

    memcpy(&tail, client->b + 12, sizeof tail);
    return tail != u->tail;
}

/* What was remembered of this address is of this client, too. */
void usage_join(struct usage *u, const struct addr *client, const struct usage_counts *n);
/* The same of a client that was not seen yet: the first that is known of it. */
void usage_place(struct usage *u, const struct addr *client, const struct usage_counts *n);
/* What it is remembered by is another address than the store has: that piece is to be forgotten. */
bool usage_is_misplaced(const struct usage *u);
/* A packet of the client came; fresh: it was not known before. */
void usage_seen_anew(struct usage *u, const struct addr *client, nsec_t now, bool fresh,
                     const struct usage_limits *l);
static inline void usage_seen(struct usage *u, const struct addr *client, nsec_t now, bool fresh,
                              const struct usage_limits *l)
{
    if (fresh || usage_moves(u, client) || now - u->n.last > l->absence || !u->n.aged ||
        now - u->n.aged >= USAGE_WEEK)
        usage_seen_anew(u, client, now, fresh, l);
    if (now > u->n.last)
        u->n.last = now;
}

/* False: no more than a new key for a VPN that runs. */
bool usage_began_vpn(struct usage *u, enum vpn vpn, nsec_t now);
void usage_worked(struct usage *u, bool name_sent);
/* window: how long clear text would count as its consequence. */
void usage_failed(struct usage *u, const struct blame *blame, nsec_t now, nsec_t window);
void usage_fell_back(struct usage *u);
/* A query without RD: beside an attempt that fails it is a fallback, unless the client recurses
 * anyway. */
void usage_recursed(struct usage *u, bool trying);
void usage_asked_clear(struct usage *u);
void usage_bootstrapped(struct usage *u);

enum usage_profile usage_profile(const struct usage *u, nsec_t now, const struct usage_limits *l);
/* strict, opportunistic, clear-text-only, mixed, unknown */
const char *usage_word(unsigned profile);
/* The piece for the store, topic "profile", key the address. usage_forget(): the one that takes out
 * what lies there under another address. */
void usage_remember(const struct usage *u, nsec_t now, const struct usage_limits *l,
                    struct memory *m);
void usage_forget(const struct usage *u, struct memory *m);
/* False: no piece of this topic and version. */
bool usage_recall(const struct memory *m, struct addr *client, struct usage_counts *n);

#endif
