/* What the parser tells the recorder, by value, through a ring. */
#ifndef SEALDNS_MODEL_RECORD_H
#define SEALDNS_MODEL_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "model/conversation.h"
#include "model/finding.h"
#include "model/memory.h"
#include "model/query.h"
#include "model/stats.h"

enum record_kind {
    RECORD_EVENT,        /* a revision of an event */
    RECORD_CONVERSATION, /* counts of one hour that come on top of what was told before */
    RECORD_STATS,        /* the counters as they are now */
    RECORD_MEMORY,       /* something learned */
    RECORD_QUERY,        /* a line of the query log */
    RECORD_MARK          /* everything before this is one batch: commit */
};

/* The machine behind a client's address. */
struct client_identity {
    uint64_t station; /* EUI-48 as a number, 0: unknown */
    char host[64];    /* as it named itself to a DHCP server, "" unknown */
};

struct record {
    uint8_t kind;
    nsec_t time;
    nsec_t hour; /* RECORD_CONVERSATION: start of the hour, UTC */
    char zone[64];
    char resolver[64];
    struct client_identity client; /* RECORD_EVENT: of the finding's client */
    char capture[64]; /* RECORD_EVENT: file of the packets around it, in evidence.pcap.path; "" none
                       */
    union {
        struct event event;
        struct conversation conversation;
        struct stats stats;
        struct memory memory;
        struct query query;
    };
};

/* Of a RECORD_EVENT: the octets that are in use. Its evidence stands last. */
static inline size_t record_event_size(const struct record *r)
{
    return offsetof(struct record, event.finding.evidence.text) + r->event.finding.evidence.used +
           1;
}

/* The octets of a record that need be copied. */
static inline size_t record_size(const struct record *r)
{
    if (r->kind == RECORD_QUERY)
        return offsetof(struct record, query) + query_size(&r->query);
    return r->kind == RECORD_EVENT ? record_event_size(r) : sizeof *r;
}

struct record_sink {
    /* SD_ELIMIT: the record was dropped, and counted. */
    int (*put)(void *context, const struct record *r);
    void *context;
};

#endif
