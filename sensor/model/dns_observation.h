/* What an observation of a DNS message in clear text holds. A plain value. */
#ifndef SEALDNS_MODEL_DNS_OBSERVATION_H
#define SEALDNS_MODEL_DNS_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "model/dns.h"

/* How a response met the queries that wait. */
enum answer_match {
    ANSWER_NONE,           /* this is a query */
    ANSWER_MATCHED,        /* five-tuple, id and question */
    ANSWER_WRONG_QUESTION, /* five-tuple and id of a query that waits, another question */
    ANSWER_WRONG_ID,       /* a query waits on this five-tuple, under another id */
    ANSWER_AGAIN,          /* the query had its answer already, within its lifetime */
    ANSWER_UNASKED,        /* nothing waits there */
    ANSWER_LATE            /* the query had waited for longer than its lifetime */
};

struct dns_observation {
    bool answered;              /* a response that matched a query */
    uint8_t match;              /* enum answer_match */
    bool retried;               /* a query asked again within its lifetime */
    bool new_flow;              /* UDP: first message of this five-tuple */
    bool question_ok;           /* the response repeats its query's question */
    bool mixed_case;            /* ANSWER_MATCHED: the query's name had upper case letters */
    bool case_differs;          /* ... and the response's has others */
    bool surplus;               /* ANSWER_AGAIN: more answers than the query was sent */
    bool differs;               /* ANSWER_AGAIN: not what the first answer said */
    uint8_t first_ttl;          /* ANSWER_AGAIN: of the first answer's packet */
    uint32_t latency_us;        /* of a matched response; ANSWER_AGAIN: since the query as well */
    uint64_t qname_hash;        /* of the lower-case wire form, same in query and response */
    struct dns_message message; /* last: its name ends it */
};

#endif
