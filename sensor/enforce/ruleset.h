/* The ruleset as a model. compile.c makes it of a policy, readback.c of what the kernel holds;
 * print.c, install.c, diff.c and evaluate.c read it and know nothing of either. */
#ifndef SEALDNS_ENFORCE_RULESET_H
#define SEALDNS_ENFORCE_RULESET_H

#include "enforce/enforce.h"
#include "enforce/set.h"

#define RULESET_TABLE "sealdns"
#define COVER_TABLE   "sealdns_change" /* beside it for the moment of a change, see install.c */
#define RULE_MATCHES  3
#define RULE_PREFIX   112  /* LOG_ACTS or LOG_COUNTS, and a RULE-ID */
#define SHARE_OF      100  /* places of MATCH_SHARE */
#define TCP_FLAGS     0x17 /* FIN, SYN, RST and ACK: of which MATCH_SYN wants SYN alone */
#define TCP_SYN       0x02

/* Flags of the table; persist is newer than the kernel headers of Debian 12. */
#define TABLE_DORMANT 1u
#define TABLE_OWNER   2u
#define TABLE_PERSIST 4u

struct chain {
    char name[RULESET_NAME];
    bool base, drops; /* base chain of a hook; its policy is drop (never ours) */
    bool nat;         /* of type nat: sees the first packet of a connection alone */
    uint8_t hook;     /* NF_INET_* */
    int32_t priority;
};

enum match_kind {
    MATCH_IIFNAME,     /* iifname "text" */
    MATCH_OIFNAME,     /* oifname "text" */
    MATCH_DNAT,        /* ct status dnat */
    MATCH_LOCAL,       /* fib daddr type local */
    MATCH_FAMILY,      /* meta nfproto ipv4 or ipv6 */
    MATCH_SHARE,       /* jhash ip[6] saddr mod 100 seed S < port */
    MATCH_PORT,        /* th dport N, any transport */
    MATCH_UDP_PORT,    /* udp dport N */
    MATCH_TCP_PORT,    /* tcp dport N */
    MATCH_SYN,         /* tcp flags: a connection's first packet */
    MATCH_QUESTION,    /* @th,80,... the bytes of a DNS question: set is the pattern's number */
    MATCH_PORT_SET,    /* th dport @set */
    MATCH_STATION,     /* ether saddr @set */
    MATCH_SOURCE,      /* ip[6] saddr @set */
    MATCH_DESTINATION, /* ip[6] daddr @set */
    MATCH_PAIR,        /* ip[6] saddr . ip[6] daddr @set */
};

struct match {
    enum match_kind kind;
    uint16_t port, set;
    uint32_t seed; /* MATCH_SHARE */
    bool v4;       /* MATCH_FAMILY, MATCH_SHARE */
    char iface[16];
};

/* Bytes of a UDP packet from its DNS flags on (offset 10 of the transport header), under a mask. */
#define PATTERN_OFFSET 10
#define PATTERN_CHUNK  16 /* what the kernel compares at once */
#define PATTERN_SIZE   272

struct pattern {
    uint16_t length;
    uint8_t value[PATTERN_SIZE], mask[PATTERN_SIZE];
};

enum statement {
    STATEMENT_COUNT, /* nothing but the counter */
    STATEMENT_ACCEPT,
    STATEMENT_DROP,
    STATEMENT_RETURN,
    STATEMENT_REJECT, /* ICMP or ICMPv6 administratively prohibited */
    STATEMENT_RESET,  /* TCP reset */
    STATEMENT_JUMP,
    STATEMENT_GOTO,
    STATEMENT_ZONES, /* ip[6] saddr vmap @set */
    STATEMENT_DNAT,  /* dnat ip[6] to address; the port stays */
    STATEMENT_MASQUERADE,
    STATEMENT_LOG, /* a sample of what the next rule cuts, to an NFLOG group */
};

/* Of STATEMENT_LOG: more than this of a rule is counted by it and not logged. The first bytes of a
 * packet are enough for its ports behind every header that is common. */
#define LOG_RATE      2000 /* packets a second */
#define LOG_BURST     2000
#define LOG_SNAPLEN   128
#define LOG_THRESHOLD 16 /* packets that the kernel hands over at once */

struct rule {
    char id[RULE_NAME];     /* "" on a rule that is not ours */
    uint16_t chain, target; /* target: chain of a jump or goto, set of STATEMENT_ZONES */
    uint8_t match_count;
    bool counted;
    struct match matches[RULE_MATCHES];
    enum statement statement;
    struct addr address; /* STATEMENT_DNAT */
    uint16_t group;      /* STATEMENT_LOG, and what its lines begin with */
    char prefix[RULE_PREFIX];
    uint64_t packets, bytes;
    char *foreign; /* an expression of somebody else's, as libnftnl words it; else NULL */
};

struct ruleset {
    char origin[64]; /* policy digest and mode, for the heading of the text */
    uint64_t digest;
    uint8_t family; /* of the table, NFPROTO_INET or NFPROTO_BRIDGE */
    uint32_t flags; /* of the table, NFT_TABLE_F_* */
    bool empty;     /* mode monitor: there is to be no table */
    bool sets_only; /* sets_only.h. Read: no table that we made whole, be it somebody else's */
    bool paired;    /* the elements of sets of pairs are what they ought to be, see paired.h */
    struct chain *chains;
    struct set *sets;
    struct rule *rules; /* in order within their chain */
    struct pattern *patterns;
    size_t pattern_count, pattern_capacity;
    size_t chain_count, set_count, rule_count, chain_capacity, set_capacity, rule_capacity;
};

#endif
