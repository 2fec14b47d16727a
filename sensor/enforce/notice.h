/* What the kernel tells of changes to nf_tables (multicast group NFNLGRP_NFTABLES). A notice says
 * that our table was touched, never how it stands now: who hears one looks with ruleset_examine().
 */
#ifndef SEALDNS_ENFORCE_NOTICE_H
#define SEALDNS_ENFORCE_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/enforce.h"

struct notices {
    uint32_t own;     /* netlink port of the descriptor whose transactions are ours; 0: none */
    bool missed;      /* some were lost or not understood: anything may have happened */
    bool touched;     /* a transaction of somebody else touched table inet sealdns */
    bool deleted;     /* ... and took it or a set away (it may have made another one) */
    bool open;        /* ... one whose end was not read yet */
    uint32_t port;    /* ... of whom */
    int32_t process;  /* who did the last of them; 0: the kernel did not tell */
    char program[16]; /* "" likewise; what a process calls itself, so hostile */
    uint64_t messages;
};

/* A descriptor that poll() knows and close() ends. SD_EPERM, SD_EUNSUP, SD_ENET. */
int notices_open(char error[ENFORCE_ERROR]);
/* Reads what is there, at most 4 MiB of it, without waiting; adds to what n says already. */
void notices_read(int descriptor, struct notices *n);
/* Netlink messages as they were received, whatever they are. */
void notices_take(struct notices *n, const void *bytes, size_t length);
/* For the next ones: `own` stays. */
void notices_forget(struct notices *n);
/* The port of a descriptor of enforce_open(); 0: it has none. */
uint32_t notices_port(int descriptor);

#endif
