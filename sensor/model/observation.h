/* An observation: what the capture side tells the engine, by value, through a ring. Fixed size, no
 * pointer. Only observation_size() bytes of one need be copied. */
#ifndef SEALDNS_MODEL_OBSERVATION_H
#define SEALDNS_MODEL_OBSERVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"
#include "model/dns.h"
#include "model/names.h"
#include "model/tls.h"

enum observation_kind {
    OBSERVE_DNS, /* one DNS message in clear text on a Do53 port */
    OBSERVE_FLOW /* a step in the life of a TCP, TLS or QUIC flow on a watched port */
};

/* A flow passes through these in order, leaving out what does not happen; PROGRESS may repeat. */
enum flow_phase {
    FLOW_OPENED,      /* first SYN or Initial: an attempt. Carries no counts */
    FLOW_IDENTIFIED,  /* the transport is known (and the name, where visible) */
    FLOW_ESTABLISHED, /* encrypted DNS worked: handshake, a client record, a server record after it;
                         on Do53/TCP: an answer */
    FLOW_PROGRESS,    /* counts, at most one a second */
    FLOW_FAILED,      /* it ended or stalled before ESTABLISHED; cause says why */
    FLOW_CLOSED       /* it ended or idled out after ESTABLISHED */
};

/* Filled in by account/ before any detector sees the observation. */
struct observation_note {
    int16_t zone;     /* index into the policy's zones */
    int16_t resolver; /* index into the policy's resolvers, -1: unknown server */
    bool approved;    /* for this zone and transport */
    uint8_t roles;    /* of the client, bits of enum client_role */
    uint8_t domain;   /* OBSERVE_DNS: where the registrable domain begins in qname; its last octet
                         (the root) when there is none: a public suffix itself, or no question */
    uint32_t who;     /* the client, whatever address it used: a place below CLIENTS_MOST */
    uint32_t tenure;  /* who has the place: another number, never 0, when it went to another */
    uint64_t domain_hash; /* of the registrable domain, 0: none */
};

enum { CLIENTS_MOST = 65536 };

enum client_role { ROLE_GATEWAY = 1, ROLE_RECURSIVE = 2, ROLE_FORWARDER = 4 };

/* How a response met the queries that wait. */
enum answer_match {
    ANSWER_NONE,           /* this is a query */
    ANSWER_MATCHED,        /* five-tuple, id and question */
    ANSWER_WRONG_QUESTION, /* five-tuple and id of a query that waits, another question */
    ANSWER_WRONG_ID,       /* a query waits on this five-tuple, under another id */
    ANSWER_AGAIN,          /* the query had its answer already, within its lifetime */
    ANSWER_UNASKED         /* nothing waits there */
};

struct dns_observation {
    bool answered;              /* a response that matched a query */
    uint8_t match;              /* enum answer_match */
    bool retried;               /* a query asked again within its lifetime */
    bool new_flow;              /* UDP: first message of this five-tuple */
    bool question_ok;           /* the response repeats its query's question */
    uint32_t latency_us;        /* of a matched response */
    uint64_t qname_hash;        /* of the lower-case wire form, same in query and response */
    struct dns_message message; /* last: qname and addresses end it */
};

struct flow_observation {
    uint8_t phase;         /* enum flow_phase */
    uint8_t identified_by; /* bits BY(enum evidence_source) */
    uint8_t confidence;    /* 0..100 */
    uint8_t cause;         /* of FLOW_FAILED: enum cause */
    uint8_t origin;        /* enum origin, as far as this flow alone tells */
    bool from_client;      /* the reset, alert or close came from the client */
    uint8_t alert;         /* TLS alert description, 255: one in cipher text; 0: none seen */
    uint8_t icmp_type, icmp_code;
    uint8_t ttl_fault;  /* of the packet that ended it */
    uint8_t ttl_server; /* usual one of the server in this flow, 0: unknown */
    bool queries_estimated;
    bool payload_seen;     /* the client got as far as sending payload */
    bool server_spoke;     /* the server sent payload */
    uint8_t attempts;      /* SYNs or Initials seen */
    uint32_t handshake_us; /* SYN or Initial to the end of the handshake, 0: unknown */
    struct addr icmp_source;
    nsec_t first, last; /* of its packets; last 0: at the observation's time */
    /* Counts since the flow's last observation that carried counts. */
    uint32_t flows; /* 1 in the first that carries counts, then 0 */
    uint32_t queries, responses;
    uint64_t packets, bytes_out, bytes_in;
    struct tls_facts tls;
};

struct observation {
    uint8_t kind;      /* enum observation_kind */
    uint8_t transport; /* enum transport */
    uint8_t proto;     /* IP_PROTO_ */
    uint16_t vlan, iface;
    uint16_t client_port, server_port;
    uint16_t ip_id; /* OBSERVE_DNS: of its packet, IPv4 */
    uint8_t ttl;    /* OBSERVE_DNS: of its packet, or hop limit */
    nsec_t time;
    struct addr client, server;
    uint64_t flow_id; /* below 2^53 */
    uint32_t bytes;   /* OBSERVE_DNS: of the frame */
    uint64_t station; /* the client's link address (EUI-48) as a number, 0: unknown */
    struct observation_note note;
    union {
        struct dns_observation dns;
        struct flow_observation flow;
    };
};

static inline size_t observation_size(const struct observation *o)
{
    return o->kind == OBSERVE_DNS ? offsetof(struct observation, dns) + sizeof o->dns : sizeof *o;
}

/* Where a stage puts what it found out: a ring in the sensor, a call in analyze. */
struct observation_sink {
    void (*put)(void *context, struct observation *o);
    void *context;
};

#endif
