/* A finding: what a detector says. An event: a finding judged and grown. Plain values. */
#ifndef SEALDNS_MODEL_FINDING_H
#define SEALDNS_MODEL_FINDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"
#include "base/json.h"
#include "base/time.h"
#include "model/names.h"

#define RULE_ID 48

/* On what it rests that the kernel cut it. */
enum proof {
    PROOF_POLICY,  /* the policy says so, and its rules are installed */
    PROOF_COUNTED, /* the kernel's log: a rule met it and let it pass */
    PROOF_ACTED    /* the kernel's log: a rule cut or redirected it */
};

struct finding {
    char rule[RULE_ID]; /* id of the detection: rules/detections/<rule>.yaml */
    uint8_t kind;       /* enum kind */
    uint8_t severity;   /* enum severity */
    uint8_t confidence; /* 0..100 */
    uint8_t transport;  /* enum transport of what was seen */
    uint8_t proto;
    uint8_t proof; /* enum proof */
    uint8_t cut;   /* enum action that the policy means for this traffic; ACTION_ALERT: none */
    uint16_t vlan, iface;
    uint16_t client_port, server_port;
    int16_t zone, resolver;
    uint16_t qtype; /* name is a DNS question's; 0: name is an SNI or absent */
    uint16_t tls_version;
    uint8_t muted; /* enum severity that it has but for a mute of the policy; SEVERITY_NONE: none */
    bool excepted; /* an exception of the policy covers it */
    bool sni_outer;             /* name is the outer one of ECH: it hides another */
    bool query;                 /* the packet that decided it was a DNS query */
    struct addr client, server; /* zero: the finding is about no single one */
    uint64_t key;               /* equal keys are repeats of one thing: they grow one event */
    uint64_t flow_id;
    uint64_t station; /* the client's link address, 0: unknown */
    uint32_t count;   /* how many things of its kind this finding stands for, usually 1 */
    nsec_t time;      /* of the packet that decided it */
    nsec_t first;     /* where it began, 0: at time */
    char name[256];   /* question in presentation form or SNI */
    char alpn[32];
    char ja3[33];
    struct evidence evidence;
};

struct finding_sink {
    void (*put)(void *context, struct finding *f);
    void *context;
};

struct event {
    char id[24];       /* stays through all revisions */
    uint32_t revision; /* 1, 2, ... */
    uint8_t state;     /* enum state */
    uint8_t verdict;   /* enum verdict */
    uint64_t count;
    nsec_t first, last, written;
    struct finding finding; /* the latest, or the gravest; last */
};

/* Copies the octets that are in use: the evidence, which stands last, is rarely full. */
static inline void finding_copy(struct finding *to, const struct finding *from)
{
    memcpy(to, from, offsetof(struct finding, evidence.text) + from->evidence.used + 1);
}

static inline void event_copy(struct event *to, const struct event *from)
{
    memcpy(to, from, offsetof(struct event, finding));
    finding_copy(&to->finding, &from->finding);
}

#endif
