/* Typed messages between the three processes: the monitor, which alone keeps privileges, and its
 * two children. Fixed size, no pointer; a descriptor may ride along. The monitor answers the
 * requests of this list and ends itself on any other: a child that asks for something else has been
 * taken over. */
#ifndef SEALDNS_PRIV_CHANNEL_H
#define SEALDNS_PRIV_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/finding.h"
#include "model/open_event.h"
#include "model/pair.h"
#include "model/probe.h"

enum message_type {
    /* child -> monitor: requests */
    REQUEST_READY = 1,    /* set up, privileges dropped */
    REQUEST_RELOAD,       /* read the policy again */
    REQUEST_RULES_APPLY,  /* install the policy's rules now */
    REQUEST_RULES_REMOVE, /* take our table away */
    REQUEST_RULES_STATUS, /* what is desired, what the kernel holds; a descriptor with counters */
    REQUEST_PROBED,       /* the recorder asked a resolver: pass it on to the parser; no reply */
    REQUEST_RULES_TRY,    /* read the policy again, install its rules until they are confirmed */
    REQUEST_PAIRS,        /* the parser's only one: cut these clients off these servers; no reply */
    REQUEST_PEER,         /* the recorder heard of the other gateway's open events; no reply */
    REQUEST_FORGOT,       /* the recorder took a client's data out: who asked, text: a pseudonym */
    REQUEST_LAST = REQUEST_FORGOT,
    /* monitor -> child */
    REPLY = 100,    /* to the recorder's request: status and text */
    TELL_POLICY,    /* a descriptor with the new policy's texts */
    TELL_INSTALLED, /* the rules in the kernel changed: installed, mode */
    TELL_FINDING,   /* something the sensor or the enforcement has to say of itself */
    TELL_PROBED,    /* what a probe found, checked to be sound */
    TELL_PEER,      /* what of REQUEST_PEER is sound */
    TELL_PAIRS,     /* what of REQUEST_PAIRS the kernel has now */
    TELL_REOPEN,    /* SIGHUP */
    TELL_CUTS,      /* a descriptor with the kernel's log of what rules cut; none: no more of it */
    TELL_STOP,      /* finish and exit */
};

struct rules_status {
    bool installed, drifted;
    bool opened; /* somebody had them removed, and they are to stay out */
    bool fought; /* another program undoes them again and again */
    uint8_t mode;
    uint32_t rules, elements; /* in the kernel */
    uint32_t wanted_rules, wanted_elements;
    uint64_t digest, wanted_digest;
    int64_t since, healed; /* when they were put there, and put back; 0: never */
    uint32_t trial_ms;     /* until they are rolled back unless confirmed; 0: they stay */
    uint32_t pairs;        /* of client and server that are cut, among the elements wanted */
};

/* Who asked for a change, as the kernel says. */
struct asker {
    uint32_t uid;
    int32_t pid;
};

struct change_request {
    struct asker who;
    uint32_t seconds; /* REQUEST_RULES_TRY */
    bool force;       /* REQUEST_RELOAD: also a policy that shrank */
};

struct message {
    uint32_t type;
    int32_t status; /* REPLY: 0 or an enum sd_error */
    union {
        struct rules_status rules;    /* REPLY, TELL_INSTALLED */
        struct finding finding;       /* TELL_FINDING */
        struct probe_report probe;    /* REQUEST_PROBED, TELL_PROBED */
        struct change_request change; /* REQUEST_RELOAD, _FORGOT, _RULES_APPLY, _REMOVE, _TRY */
        struct open_event_batch peer; /* REQUEST_PEER, TELL_PEER */
        struct pair_batch pairs;      /* REQUEST_PAIRS, TELL_PAIRS */
    };
    char text[256]; /* REPLY: one line for the user; of a status: what differs */
};

struct channel {
    int descriptor;
};

/* A connected pair. SD_EIO. */
int channel_pair(struct channel *a, struct channel *b);
void channel_close(struct channel *c);

/* No longer than this does channel_send() wait for the other side to read: one that was taken over
 * may leave it. SD_EIO. */
int channel_limit(const struct channel *c, unsigned ms);
/* descriptor: -1 or one to pass. SD_EAGAIN: the limit is over. SD_EIO: the other side is gone. */
int channel_send(const struct channel *c, const struct message *m, int descriptor);
/* Does not wait. SD_EAGAIN: the other side has too much to read already. SD_EIO. */
int channel_try(const struct channel *c, const struct message *m);
/* *descriptor: -1 or one received, then the caller's. SD_EAGAIN: nothing within timeout_ms;
 * SD_EEND: the other side is gone; SD_EMALF: not a message of ours. */
int channel_receive(const struct channel *c, struct message *m, int *descriptor, int timeout_ms);

#endif
