/* The machines on the watched link, by their link address: which place among the clients each has,
 * what its host name is, which addresses it uses (RFC 8981: several at once, and others tomorrow).
 * A station that carries what others send (a router) is none: its addresses stay apart.
 * Worst case in bytes: most * 272. */
#ifndef SEALDNS_ACCOUNT_HOSTS_H
#define SEALDNS_ACCOUNT_HOSTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/table.h"
#include "base/time.h"
#include "model/lease.h"
#include "model/memory.h"

enum { HOST_ADDRESSES = 8 };

struct host {
    uint64_t station;     /* the key: EUI-48 as a number */
    uint32_t who, tenure; /* its place; tenure 0: none yet */
    bool router;
    bool changed;         /* since it was last remembered */
    uint8_t forwarded;    /* packets that came through it, not from it */
    uint8_t fours, sixes; /* new addresses since `counted` */
    uint8_t next;         /* of address[], the oldest */
    uint8_t leased;       /* 1 + index into address[] of the last lease, 0: none */
    uint32_t counted;     /* second */
    uint32_t until;       /* second in which that lease ends */
    nsec_t since, seen;   /* seen: last change of what is known */
    struct addr address[HOST_ADDRESSES];
    char name[LEASE_NAME];
};

struct hosts;

/* NULL: no memory. */
struct hosts *hosts_create(size_t most, uint64_t seed);
void hosts_destroy(struct hosts *m);
/* NULL: none of this link address, or 0. */
struct host *hosts_find(struct hosts *m, uint64_t station);
/* Makes it if there is none. */
struct host *hosts_at(struct hosts *m, uint64_t station, nsec_t now);
/* It uses this address, new to it. False: it has come to use more than a client does, and is a
 * router from now on. */
bool host_add(struct host *m, const struct addr *address, nsec_t now);
/* Another machine has this address now. */
void host_drop(struct host *m, const struct addr *address, nsec_t now);
/* A lease of this address, which it uses, until that second. */
void host_leased(struct host *m, const struct addr *address, uint32_t until);
/* Something passed that it did not send itself; true: that was enough to call it a router. */
bool host_forwards(struct host *m);

/* As the functions of struct detector; topic "client", keyed by link address. */
void hosts_remember(struct hosts *m, struct memory_sink sink);
/* NULL: not a piece of ours. */
struct host *hosts_recall(struct hosts *m, const struct memory *piece);

#endif
