/* What a policy, enforced, would do to conversations that were recorded: each is judged by the pure
 * questions of model/policy.h that the ruleset is the twin of. Who loses something, and who would
 * be left with nothing that was ever seen to work.
 *
 * Memory: at most PLAN_MOST conversations of about 140 bytes with their keys, PLAN_MOST servers and
 * 262,144 clients; what is beyond is counted as omitted. */
#ifndef SEALDNS_DECIDE_PLAN_H
#define SEALDNS_DECIDE_PLAN_H

#include "decide/fate.h"
#include "model/history.h"
#include "model/policy.h"

enum { PLAN_MOST = 1 << 20, PLAN_NO_MACHINE = UINT32_MAX };

struct plan_conversation {
    uint32_t client, server, name; /* numbers of plan_client(), plan_server(), plan_name() */
    uint32_t alias, next;          /* of plan.c */
    uint16_t server_port;
    uint8_t transport;
    uint8_t fate, action;
    bool cleartext; /* judged as clear text (port 53), else as an unapproved resolver */
    bool approved;  /* the resolver, for this transport */
    bool already;   /* cut, and rules that were enforced then did cut it */
    int32_t exception;
    uint64_t flows, flows_failed, queries, responses;
    nsec_t first, last;    /* hours */
    nsec_t answered_first; /* hour of the first and of the last answer, 0: never one */
    nsec_t answered_last;
};

struct plan_tally {
    uint64_t conversations, answered, clients, flows, queries;
};

struct plan_client {
    struct addr address;
    int16_t zone;
    uint8_t outcome;
    bool zone_uncertain;           /* it hangs on an interface or VLAN, which is not recorded */
    uint32_t machine;              /* as told to plan_machine(), PLAN_NO_MACHINE: none */
    bool elsewhere;                /* what it keeps works at another address of its machine alone */
    uint32_t answered[FATE_COUNT]; /* conversations that were */
    uint32_t approved;             /* of those that pass: by an approved resolver */
    struct plan_tally cut;
};

struct plan_server {
    struct addr address;
    int16_t resolver; /* of the policy or the catalogue, -1: none */
    bool shared;      /* others answer at this address too */
    bool was_gateway; /* when it was recorded */
};

/* What the clients of a zone lose (or keep) with one server, or under one name. */
struct plan_group {
    int16_t zone;
    uint8_t fate;
    bool cleartext;
    uint32_t subject; /* a server's number, or a name's */
    struct plan_tally tally;
};

struct plan_zone {
    uint64_t clients, outcomes[OUTCOME_COUNT];
    struct plan_tally fates[FATE_COUNT];
    struct plan_tally cleartext, unapproved, already; /* of those that are cut */
    struct plan_tally approved; /* cut all the same: approved by name, but rules go by address */
};

/* After plan_settle(). Orders do not hang on the order of the rows. */
struct plan_result {
    const struct plan_conversation **conversations; /* all but those that pass, by client */
    const struct plan_client **clients;             /* by zone, the worst outcome first */
    struct plan_group *servers, *names;             /* by zone, the most used first */
    size_t conversation_count, client_count, server_count, name_count;
    struct plan_zone *zones;       /* as many as the policy has */
    struct plan_tally *exceptions; /* as many as the policy has */
    uint64_t rows, judged;         /* hours read; conversations */
    uint64_t other_rows;           /* of no DNS, and of no port or address that a rule names */
    uint64_t damaged_rows;         /* no addresses, or no transport that is known */
    struct {
        uint64_t rows, flows, queries;
    } omitted; /* beyond the bounds, or folded together by the sensor already */
    nsec_t first, last;
};

struct plan;
/* now: of exceptions. The policy must outlive it. NULL: out of memory. */
struct plan *plan_create(const struct policy *policy, nsec_t now, uint64_t seed);
void plan_destroy(struct plan *p);
/* SD_EMEM. */
int plan_take(struct plan *p, const struct history_row *row);
/* The address is one of a machine, numbered from 0: what works at another of its addresses keeps
 * this one from the dark. SD_EMEM. */
int plan_machine(struct plan *p, const struct addr *address, uint32_t machine);
/* Rules kept this client from this server already, by what events tell. SD_EMEM. */
int plan_blocked(struct plan *p, const struct addr *client, const struct addr *server,
                 bool cleartext);
/* Addresses that were the gateway's own when they were recorded and are not in the policy: at most
 * `most` of them into out; returns how many. A policy that does not know them cuts what it lets
 * pass. */
size_t plan_gateways(const struct plan *p, struct addr *out, size_t most);
/* Judges all that was taken; only once. SD_EMEM. */
int plan_settle(struct plan *p);
const struct plan_result *plan_result(const struct plan *p);

const struct plan_client *plan_client(const struct plan *p, uint32_t number);
const struct plan_server *plan_server(const struct plan *p, uint32_t number);
/* As recorded: hostile text. "" none. */
const char *plan_name(const struct plan *p, uint32_t number);

#endif
