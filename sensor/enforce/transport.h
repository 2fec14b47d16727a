/* Netlink to nf_tables: one descriptor, atomic batches, dumps. */
#ifndef SEALDNS_ENFORCE_TRANSPORT_H
#define SEALDNS_ENFORCE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "enforce/enforce.h"

struct nftnl_batch;
struct nlmsghdr;

/* A descriptor to close(), or SD_EUNSUP, SD_EPERM, SD_ENET. */
int transport_open(char error[ENFORCE_ERROR]);

/* Messages of one transaction; each gets the next sequence number. */
struct transaction {
    struct nftnl_batch *batch;
    const char *table;       /* what it is about; RULESET_TABLE unless set to another */
    uint32_t sequence, last; /* last: of the message that asks for an acknowledgement */
    struct nlmsghdr *message;
    uint8_t family; /* of the table that the next messages are about */
};

int transaction_begin(struct transaction *t, uint8_t family); /* SD_EMEM */
/* The header of the next message, to be filled and closed. */
struct nlmsghdr *transaction_next(struct transaction *t, uint16_t type, uint16_t flags);
int transaction_close(struct transaction *t); /* SD_EMEM */
/* Sends all and frees it. 0, or the kernel's first errno, negative as in the kernel; an
 * acknowledged success of the last message is success of all. */
int transaction_commit(struct transaction *t, int descriptor);
/* The same, but nothing changes: the kernel checks the messages and, as they have no end, drops
 * them. */
int transaction_rehearse(struct transaction *t, int descriptor);
void transaction_abandon(struct transaction *t);

/* Sends a request and gives every answer to fn (0: go on). 0, or an errno, negative; -EINTR: the
 * ruleset changed meanwhile. */
struct request {
    uint16_t type;  /* NFT_MSG_GET* */
    uint8_t family; /* of the table */
    bool dump;
    void (*fill)(struct nlmsghdr *message, const void *context); /* may be NULL */
    int (*answer)(const struct nlmsghdr *message, void *context);
    void *context;
};
int transport_ask(int descriptor, const struct request *q);

/* The message lies within the octets that are left. mnl_nlmsg_ok() alone takes a length of 2 GiB
 * and more for a negative one, that fits. */
bool message_fits(const struct nlmsghdr *h, int left);
/* So do all of them. */
bool messages_fit(const void *bytes, size_t length);

/* errno of the kernel to our error, and one line that says what to do. */
int transport_error(int number, const char *doing, char error[ENFORCE_ERROR]);

#endif
