/* IP fragments put together within bounds: a datagram of at most 64 KiB, 30 s by the packets' own
 * time, a fixed number of bytes and datagrams in all. Overlap is not accepted (RFC 5722). */
#ifndef SEALDNS_DECODE_FRAGMENT_H
#define SEALDNS_DECODE_FRAGMENT_H

#include "base/addr.h"
#include "base/cursor.h"
#include "base/time.h"
#include "model/stats.h"

struct reassembly;

/* RFC 791, RFC 8200 4.5. Compared as bytes. */
struct fragment_key {
    struct addr src, dst;
    uint32_t id;
    uint32_t network; /* tunnel and VLAN: equal inner addresses differ */
    uint8_t protocol; /* IPv4 only: of IPv6 only the first fragment's counts */
    uint8_t version;
    uint8_t zero[6];
};

struct fragment {
    struct fragment_key key;
    struct cursor bytes; /* of the datagram's fragmentable part */
    uint32_t offset;
    uint8_t protocol; /* what the fragmentable part begins with */
    bool more;
    nsec_t time;
};

/* bytes 0: 4 MiB. NULL: out of memory. */
struct reassembly *reassembly_create(uint64_t seed, size_t bytes);
void reassembly_destroy(struct reassembly *r);
/* SD_OK: the datagram is complete; *whole is valid until the next call, *protocol is the first
 * fragment's. SD_EAGAIN: kept. SD_ELIMIT: given up, or a bound is reached. SD_EMALF: overlap, or
 * beyond 64 KiB; the datagram is given up. */
int reassembly_add(struct reassembly *r, const struct fragment *f, struct stats *stats,
                   struct cursor *whole, uint8_t *protocol);
/* Gives up what is incomplete, and counts it. */
void reassembly_flush(struct reassembly *r, struct stats *stats);

#endif
