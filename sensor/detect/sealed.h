/* How encrypted DNS goes for one client and one resolver group (a state machine:
 * unseen, trying, working, failing). A group is all addresses and names of an operator, or one
 * address. */
#ifndef SEALDNS_DETECT_SEALED_H
#define SEALDNS_DETECT_SEALED_H

#include <stdbool.h>

#include "detect/origin.h"

enum { SEALED_OPEN = 4 };

struct sealed_key {
    struct addr client;
    uint64_t group;
};

struct sealed {
    struct sealed_key key; /* first */
    nsec_t first_ok, last_ok;
    nsec_t failed; /* first failure since the last success; 0: none */
    nsec_t failed_last;
    nsec_t began;                /* the attempt that failed first */
    nsec_t counts_from;          /* clear text from here on may be its consequence */
    uint32_t successes, answers; /* flows that worked; responses counted in them */
    uint16_t attempts, failures; /* since the last success */
    uint8_t transport, proto;
    bool name_sent; /* an SNI was sent in a flow that worked */
    uint16_t client_port, server_port;
    uint16_t fresh; /* names asked in clear since the failure and not before */
    struct addr server;
    struct addr ok_server; /* that worked last, and the TTL of its packets (0: unknown) */
    bool stalled;          /* `blame` is of a connection that had worked */
    uint8_t ok_ttl;
    uint8_t heard_ttl;  /* of its packets since the failure, 0: none came */
    struct blame blame; /* of that failure; of a later one that says more of the same */
    uint64_t flow_id;
    uint64_t told_flow; /* whose counts came last, and when: later ones are of after that */
    nsec_t told;
    struct {
        uint64_t flow; /* 0: free */
        nsec_t since;
    } open[SEALED_OPEN]; /* attempts without an outcome */
};

/* The spans that the detection's file gives. */
struct sealed_times {
    nsec_t race;     /* a success so close to a failure makes it a lost race */
    nsec_t patience; /* clear text earlier in a silent attempt is no consequence of it */
    nsec_t window_reset, window_timeout, window_icmp;
    nsec_t vpn;    /* so close to the beginning of a VPN they may be its doing */
    nsec_t attach; /* after an absence clear text may be a portal's doing */
};

/* False: this attempt is known. */
bool sealed_opened(struct sealed *s, const struct observation *o);
/* An outcome that is told elsewhere (the flow turned out to be another group's). */
void sealed_forget(struct sealed *s, uint64_t flow_id);
/* FLOW_ESTABLISHED, or counts of a flow that goes on. True when it ends a failure. */
bool sealed_worked(struct sealed *s, const struct observation *o);
/* The same client had success at this time over another of its addresses. */
void sealed_sibling_worked(struct sealed *s, nsec_t at);
/* False: it is no failure of encrypted DNS (a lost race, a client that changed its mind). blame is
 * the caller's judgement. */
bool sealed_failed(struct sealed *s, const struct observation *o, const struct blame *blame,
                   const struct sealed_times *times);

/* An attempt without an outcome is younger than age. */
bool sealed_trying(const struct sealed *s, nsec_t now, nsec_t age);
/* An attempt that began before then has no outcome yet. */
bool sealed_was_trying(const struct sealed *s, nsec_t then);
/* Clear text at this time may be a consequence of the failure. */
bool sealed_explains(const struct sealed *s, nsec_t clear, const struct sealed_times *times);
nsec_t sealed_window(const struct sealed *s, const struct sealed_times *times);
/* It worked this often before. */
uint32_t sealed_proof(const struct sealed *s);

#endif
