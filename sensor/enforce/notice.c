#include "enforce/notice.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>

#include "base/error.h"
#include "enforce/ruleset.h"
#include "enforce/transport.h"

enum {
    BUFFER = 64 * 1024, /* the kernel fills pages of a few KiB */
    ROOM = 1024 * 1024, /* of the socket; what does not fit is looked for */
    MOST_READS = 64,    /* without a look at anything else */
    TABLE_NAME = NFTA_TABLE_NAME,
};

/* Of every object the first attribute is its table's name. */
_Static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
                   NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1 && NFTA_OBJ_TABLE == 1 &&
                   NFTA_FLOWTABLE_TABLE == 1,
               "the table's name");

int notices_open(char error[ENFORCE_ERROR])
{
    int group = NFNLGRP_NFTABLES, room = ROOM, fd = transport_open(error);

    if (fd < 0)
        return fd;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room) != 0 ||
        setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
        int e = transport_error(-errno, "cannot hear of changes to nf_tables", error);

        close(fd);
        return e;
    }
    return fd;
}

uint32_t notices_port(int descriptor)
{
    struct sockaddr_nl address;
    socklen_t size = sizeof address;

    if (getsockname(descriptor, (struct sockaddr *)&address, &size) != 0)
        return 0;
    return address.nl_pid;
}

void notices_forget(struct notices *n)
{
    *n = (struct notices){.own = n->own, .messages = n->messages};
}

/* The end of a transaction, which says whose it was. */
static void take_generation(struct notices *n, const struct nlmsghdr *h)
{
    const struct nlattr *a;

    if (!n->open)
        return;
    n->open = false;
    n->touched = true;
    n->process = 0;
    n->program[0] = '\0';
    if (h->nlmsg_pid != n->port)
        return; /* its own end was lost */
    mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
    {
        const char *name = mnl_attr_get_payload(a);
        size_t length = mnl_attr_get_payload_len(a);

        if (mnl_attr_get_type(a) == NFTA_GEN_PROC_PID && length == sizeof(uint32_t))
            n->process = (int32_t)ntohl(mnl_attr_get_u32(a));
        if (mnl_attr_get_type(a) == NFTA_GEN_PROC_NAME) {
            length = strnlen(name, length < sizeof n->program ? length : sizeof n->program - 1);
            memcpy(n->program, name, length);
            n->program[length] = '\0';
        }
    }
}

static bool names_our_table(const struct nlmsghdr *h)
{
    const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
    const struct nlattr *a;

    if (g->nfgen_family != NFPROTO_INET && g->nfgen_family != NFPROTO_BRIDGE)
        return false;
    mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) == TABLE_NAME)
    {
        const char *name = mnl_attr_get_payload(a);
        size_t length = mnl_attr_get_payload_len(a);

        return length == sizeof RULESET_TABLE && memcmp(name, RULESET_TABLE, length) == 0;
    }
    return false;
}

static void take(struct notices *n, const struct nlmsghdr *h)
{
    unsigned type = NFNL_MSG_TYPE(h->nlmsg_type);

    n->messages++;
    if (NFNL_SUBSYS_ID(h->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
        h->nlmsg_len < mnl_nlmsg_size(sizeof(struct nfgenmsg)))
        return;
    if (type == NFT_MSG_NEWGEN) {
        take_generation(n, h);
    } else if (names_our_table(h) && (!n->own || h->nlmsg_pid != n->own)) {
        n->open = true;
        n->port = h->nlmsg_pid;
        n->deleted |= type == NFT_MSG_DELTABLE || type == NFT_MSG_DELSET;
    }
}

void notices_take(struct notices *n, const void *bytes, size_t length)
{
    const struct nlmsghdr *h = bytes;
    int left = (int)length;

    for (; message_fits(h, left); h = mnl_nlmsg_next(h, &left))
        take(n, h);
    if (left > 0)
        n->missed = true;
}

/* False: nothing more to read now. */
static bool read_once(int descriptor, char *buffer, struct notices *n)
{
    struct sockaddr_nl from = {.nl_pid = UINT32_MAX};
    struct iovec part = {buffer, BUFFER};
    struct msghdr m = {
        .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
    ssize_t got = recvmsg(descriptor, &m, MSG_DONTWAIT);

    if (got < 0) {
        if (errno == ENOBUFS)
            n->missed = true; /* told once, then the queue goes on */
        return errno == ENOBUFS || errno == EINTR;
    }
    if (from.nl_pid != 0)
        return true; /* processes may send to the group too: not the kernel's word */
    if (m.msg_flags & MSG_TRUNC)
        n->missed = true;
    notices_take(n, buffer, (size_t)got);
    return true;
}

void notices_read(int descriptor, struct notices *n)
{
    char *buffer = malloc(BUFFER);

    if (!buffer) {
        n->missed = true;
        return;
    }
    for (int i = 0; i < MOST_READS && read_once(descriptor, buffer, n); i++)
        ;
    free(buffer);
}
