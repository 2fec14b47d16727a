/* The log of what our rules cut, as the kernel gives it (nfnetlink_log): opened by the monitor,
 * read by the parser, which has no capability and can ask nothing of the socket. */
#ifndef SEALDNS_ENFORCE_CUTLOG_H
#define SEALDNS_ENFORCE_CUTLOG_H

#include <stddef.h>

#include "enforce/enforce.h"

/* A socket to which the kernel gives what is logged to this group; the caller's to close(), and the
 * group is free again when all copies of it are. SD_EEXIST: another program reads the group;
 * SD_EUNSUP: this kernel has no nfnetlink_log; SD_EPERM, SD_ENET. error says what to do. */
int cutlog_open(uint16_t group, char error[ENFORCE_ERROR]);
/* Whether rules that log can be installed at all; false only where the kernel says no. */
bool cutlog_is_supported(void);

/* A packet as a rule met it. Borrowed, during the call. */
struct cut_line {
    bool acted;            /* false: the rule only counts */
    char rule[RULE_NAME];  /* the RULE-ID */
    uint32_t iface;        /* number of the interface it came in by; 0: it is the gateway's own */
    uint64_t station;      /* of the sender (EUI-48) as a number; 0: unknown */
    const uint8_t *packet; /* from the IP header on: a stranger's bytes */
    uint32_t captured;
};

/* What was read of one socket; zero at first. */
struct cutlog {
    uint32_t next; /* the sequence number that the next line has */
    bool begun;
    uint64_t lines, malformed;
    uint64_t lost;     /* lines that the kernel numbered and we never saw */
    uint64_t overruns; /* times that the socket had no room */
};

typedef void (*cut_line_fn)(void *context, const struct cut_line *line);

/* Reads what waits, a bounded share. SD_OK: there may be more; SD_EAGAIN: no more now; SD_EIO: the
 * socket is of no use any more. */
int cutlog_read(int descriptor, struct cutlog *log, cut_line_fn fn, void *context);
/* One datagram of the kernel's. */
void cutlog_take(struct cutlog *log, const void *bytes, size_t size, cut_line_fn fn, void *context);

#endif
