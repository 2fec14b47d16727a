/* Which detectors get which observations. Computed once for each, so that an ordinary message meets
 * only those that can learn from it. */
#ifndef SEALDNS_DETECT_READING_H
#define SEALDNS_DETECT_READING_H

#include "model/observation.h"

/* What a detector looks at: one bit that it shares with the observation is enough. */
enum detector_reads {
    READ_QUERIES = 1 << 0,
    READ_RESPONSES = 1 << 1,
    READ_FLOWS = 1 << 2,
    /* Queries: to a server that the zone does not approve, without RD, of several clients. */
    READ_UNAPPROVED = 1 << 3,
    READ_ITERATIVE = 1 << 4,
    READ_SEVERAL = 1 << 5,
    /* Responses: that matched a query; of these, NXDOMAIN and SERVFAIL. */
    READ_ANSWERED = 1 << 6,
    READ_FAILED = 1 << 7,
    /* Responses: that say something, with addresses, that may be forged, of a server inside. */
    READ_DATA = 1 << 8,
    READ_ADDRESSES = 1 << 9,
    READ_DOUBTFUL = 1 << 10,
    READ_NEIGHBOURS = 1 << 11,
    /* Messages: of a server inside and a client that is not, of zone transfers and updates. */
    READ_STRANGERS = 1 << 12,
    READ_TRANSFERS = 1 << 13,
    READ_RARE = 1 << 14 /* only what has a call of its own; there is no observe() then */
};

enum {
    READ_BITS = 14, /* that an observation may have */
    READ_ALL = READ_QUERIES | READ_RESPONSES | READ_FLOWS
};

/* Opcode NOTIFY, UPDATE, or another than QUERY; AXFR, IXFR; further messages of a transfer, which
 * need not repeat the question (RFC 5936 2.2). */
static inline bool reading_is_transfer(const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;

    return (m->flags & 0x7800) != 0 || m->qtype == DNS_TYPE_AXFR || m->qtype == DNS_TYPE_IXFR ||
           (!m->has_question && o->transport == TRANSPORT_DO53_TCP);
}

static inline unsigned reading_of_query(const struct observation *o)
{
    return READ_QUERIES | (o->note.approved ? 0U : READ_UNAPPROVED) |
           (dns_recursion_desired(&o->dns.message) ? 0U : READ_ITERATIVE) |
           (o->note.roles & ROLE_SEVERAL ? READ_SEVERAL : 0U);
}

static inline unsigned reading_of_response(const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    unsigned reads = READ_RESPONSES | (m->address_count ? READ_ADDRESSES : 0U);

    if (o->note.inside == (INSIDE_CLIENT | INSIDE_SERVER))
        reads |= READ_NEIGHBOURS;
    if (m->rcode == 0 && m->counts[1] > 0)
        reads |= READ_DATA;
    if (o->dns.match != ANSWER_MATCHED || o->dns.mixed_case || m->foreign)
        reads |= READ_DOUBTFUL;
    if (!o->dns.answered)
        return reads;
    return reads | READ_ANSWERED | (m->rcode == 2 || m->rcode == 3 ? READ_FAILED : 0U);
}

/* Bits of enum detector_reads, of an observation of kind OBSERVE_DNS or OBSERVE_FLOW. */
static inline unsigned reading_of(const struct observation *o)
{
    unsigned reads;

    if (o->kind == OBSERVE_FLOW)
        return READ_FLOWS;
    reads = dns_is_response(&o->dns.message) ? reading_of_response(o) : reading_of_query(o);
    if (o->note.inside == INSIDE_SERVER)
        reads |= READ_STRANGERS;
    return reading_is_transfer(o) ? reads | READ_TRANSFERS : reads;
}

/* Bit n of an element: detector number n reads that. */
struct readers {
    uint64_t of[READ_BITS];
    uint32_t changes;
};

/* Bits of the detectors that read any of it. */
uint64_t readers_of(const struct readers *r, unsigned reads);

/* A place among the readers, for a detector that reads more while something goes on. */
struct reader {
    struct readers *readers; /* NULL: nobody asks */
    uint64_t bit;
};

void reader_adds(struct reader r, unsigned reads);
void reader_drops(struct reader r, unsigned reads);

#endif
