#include "enforce/transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>
#include <libnftnl/batch.h>
#include <libnftnl/common.h>

#include "base/error.h"
#include "enforce/ruleset.h"

enum {
    PAGE = 128 * 1024,           /* of a batch */
    LARGEST_MESSAGE = 64 * 1024, /* no message of ours comes near */
    RECEIVE_ROOM = 8 * 1024 * 1024,
    ANSWER = 64 * 1024,
    MOST_FAILED = 16,
};

int transport_open(char error[ENFORCE_ERROR])
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    int on = 1, room = RECEIVE_ROOM;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

    if (fd < 0)
        return transport_error(-errno, "cannot open netlink", error);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int e = transport_error(-errno, "cannot bind netlink", error);

        close(fd);
        return e;
    }
    /* A failed batch answers with one error a message: room for all of them, without quoting. */
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    return fd;
}

static void frame(struct transaction *t, uint16_t type)
{
    struct nlmsghdr *h = nftnl_batch_buffer(t->batch);

    h = mnl_nlmsg_put_header(h);
    h->nlmsg_type = type;
    h->nlmsg_flags = NLM_F_REQUEST;
    h->nlmsg_seq = t->sequence++;
    struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof *g);
    *g = (struct nfgenmsg){
        .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};
    t->message = h;
}

int transaction_begin(struct transaction *t, uint8_t family)
{
    *t = (struct transaction){.batch = nftnl_batch_alloc(PAGE, LARGEST_MESSAGE),
                              .table = RULESET_TABLE,
                              .sequence = 1,
                              .family = family};
    if (!t->batch)
        return SD_EMEM;
    frame(t, NFNL_MSG_BATCH_BEGIN);
    return transaction_close(t);
}

struct nlmsghdr *transaction_next(struct transaction *t, uint16_t type, uint16_t flags)
{
    t->message =
        nftnl_nlmsg_build_hdr(nftnl_batch_buffer(t->batch), type, t->family, flags, t->sequence);
    t->last = t->sequence++;
    return t->message;
}

/* A message for which its page has no room moves to the next one. */
int transaction_close(struct transaction *t)
{
    uint32_t length = t->message->nlmsg_len;

    if (nftnl_batch_update(t->batch) < 0)
        return SD_EMEM;
    t->message = (void *)((char *)nftnl_batch_buffer(t->batch) - length);
    return SD_OK;
}

void transaction_abandon(struct transaction *t)
{
    if (t->batch)
        nftnl_batch_free(t->batch);
    t->batch = NULL;
}

/* What an earlier request that failed half-way left behind is no answer to the next one, and a
 * dump that was not read to its end keeps the kernel from beginning another (EBUSY). */
static void forget_answers(int descriptor)
{
    char some[4096];

    for (int failed = 0; failed < MOST_FAILED;) {
        ssize_t n = recv(descriptor, some, sizeof some, MSG_DONTWAIT);

        if (n < 0 && errno != EINTR && errno != ENOBUFS)
            return;
        failed += n < 0;
    }
}

/* Batches are one datagram: the send buffer must hold it whole. */
static int send_whole(struct transaction *t, int descriptor)
{
    int count = nftnl_batch_iovec_len(t->batch);
    struct iovec *parts = calloc((size_t)count, sizeof *parts);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct msghdr m = {.msg_name = &kernel, .msg_namelen = sizeof kernel};
    size_t total = 0;
    int room, e = 0;

    if (!parts)
        return -ENOMEM;
    nftnl_batch_iovec(t->batch, parts, (uint32_t)count);
    for (int i = 0; i < count; i++)
        total += parts[i].iov_len;
    room = total < 1 << 29 ? (int)total + 64 * 1024 : 1 << 29;
    if (setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    forget_answers(descriptor);
    m.msg_iov = parts;
    m.msg_iovlen = (size_t)count;
    if (sendmsg(descriptor, &m, 0) < 0)
        e = -errno;
    free(parts);
    return e;
}

bool message_fits(const struct nlmsghdr *h, int left)
{
    return left > 0 && mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (uint32_t)left;
}

bool messages_fit(const void *bytes, size_t length)
{
    const struct nlmsghdr *h = bytes;
    int left = (int)length;

    while (message_fits(h, left))
        h = mnl_nlmsg_next(h, &left);
    return left <= 0;
}

static void read_result(const struct nlmsghdr *h, uint32_t last, int *first, bool *acknowledged)
{
    const struct nlmsgerr *r = mnl_nlmsg_get_payload(h);

    if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_len < mnl_nlmsg_size(sizeof *r))
        return;
    if (r->error != 0 && *first == 0)
        *first = r->error;
    else if (r->error == 0 && h->nlmsg_seq == last)
        *acknowledged = true;
}

/* The kernel has worked off the batch when sendmsg() returns: whatever it says is in the queue. */
static int collect(int descriptor, uint32_t last)
{
    bool acknowledged = false;
    int first = 0;
    char *answer = malloc(ANSWER);

    if (!answer)
        return -ENOMEM;
    for (;;) {
        ssize_t n = recv(descriptor, answer, ANSWER, MSG_DONTWAIT);
        int left = (int)n;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            if (n < 0 && errno == ENOBUFS && first == 0)
                first = -ENOBUFS;
            break;
        }
        for (struct nlmsghdr *h = (void *)answer; message_fits(h, left);
             h = mnl_nlmsg_next(h, &left))
            read_result(h, last, &first, &acknowledged);
    }
    free(answer);
    if (first == 0 && !acknowledged)
        return -EPROTO;
    return first;
}

static int send_and_free(struct transaction *t, int descriptor)
{
    int e = send_whole(t, descriptor);

    if (e == 0)
        e = collect(descriptor, t->last);
    transaction_abandon(t);
    return e;
}

int transaction_commit(struct transaction *t, int descriptor)
{
    t->message->nlmsg_flags |= NLM_F_ACK; /* of the last */
    frame(t, NFNL_MSG_BATCH_END);
    if (transaction_close(t) == SD_OK)
        return send_and_free(t, descriptor);
    transaction_abandon(t);
    return -ENOMEM;
}

int transaction_rehearse(struct transaction *t, int descriptor)
{
    t->message->nlmsg_flags |= NLM_F_ACK;
    return send_and_free(t, descriptor);
}

/* NFT_MSG_GETTABLE is answered by NFT_MSG_NEWTABLE, and so on. */
static unsigned answer_to(unsigned type)
{
    _Static_assert(
        NFT_MSG_NEWTABLE + 1 == NFT_MSG_GETTABLE && NFT_MSG_NEWCHAIN + 1 == NFT_MSG_GETCHAIN &&
            NFT_MSG_NEWRULE + 1 == NFT_MSG_GETRULE && NFT_MSG_NEWSET + 1 == NFT_MSG_GETSET &&
            NFT_MSG_NEWSETELEM + 1 == NFT_MSG_GETSETELEM && NFT_MSG_NEWGEN + 1 == NFT_MSG_GETGEN,
        "each GET follows its NEW");
    return type - 1;
}

struct answers {
    const struct request *q;
    bool interrupted;
};

static int take_answer(const struct nlmsghdr *h, void *context)
{
    struct answers *a = context;

    /* libnftnl ends the whole program over a message of another type. */
    if (NFNL_MSG_TYPE(h->nlmsg_type) != answer_to(a->q->type)) {
        errno = EPROTO;
        return MNL_CB_ERROR;
    }
    if (h->nlmsg_flags & NLM_F_DUMP_INTR)
        a->interrupted = true;
    return a->q->answer(h, a->q->context) == 0 ? MNL_CB_OK : MNL_CB_ERROR;
}

static int receive_answers(int descriptor, const struct request *q, uint32_t sequence)
{
    struct answers a = {.q = q};
    char *buffer = malloc(ANSWER);
    int state = MNL_CB_OK;

    if (!buffer)
        return -ENOMEM;
    while (state > MNL_CB_STOP) {
        ssize_t n = recv(descriptor, buffer, ANSWER, 0);

        if (n < 0 && errno == EINTR)
            continue;
        errno = n < 0 ? errno : 0;
        state = n < 0 || !messages_fit(buffer, (size_t)n)
                    ? MNL_CB_ERROR
                    : mnl_cb_run(buffer, (size_t)n, sequence, 0, take_answer, &a);
    }
    state = state < 0 ? (errno ? -errno : -EPROTO) : 0;
    free(buffer);
    if (a.interrupted)
        return -EINTR;
    return state;
}

int transport_ask(int descriptor, const struct request *q)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    char buffer[4096];
    struct nlmsghdr *h;
    uint32_t sequence = 1;

    /* With an acknowledgement: it ends the answers of a request that is no dump. */
    h = nftnl_nlmsg_build_hdr(buffer, q->type, q->family, q->dump ? NLM_F_DUMP : NLM_F_ACK,
                              sequence);
    if (q->fill)
        q->fill(h, q->context);
    forget_answers(descriptor);
    if (sendto(descriptor, h, h->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
        return -errno;
    return receive_answers(descriptor, q, sequence);
}

int transport_error(int number, const char *doing, char error[ENFORCE_ERROR])
{
    static const struct {
        int number, error;
        const char *advice;
    } known[] = {
        {EPERM, SD_EPERM,
         "not permitted: run it as root or with CAP_NET_ADMIN (or the table has another owner)"},
        {EACCES, SD_EPERM, "not permitted: run it as root or with CAP_NET_ADMIN"},
        {EAFNOSUPPORT, SD_EUNSUP, "this kernel has no netlink for netfilter: load nfnetlink"},
        {EPROTONOSUPPORT, SD_EUNSUP, "this kernel has no nf_tables: `modprobe nf_tables`"},
        {EOPNOTSUPP, SD_EUNSUP,
         "this kernel has no nf_tables, or not this part of it: `modprobe nf_tables nft_fib_inet "
         "nft_reject_inet`"},
        {EINVAL, SD_ENET, "the kernel refused: it may be too old (5.10 is needed)"},
        {ENOENT, SD_ENET,
         "a part of nf_tables is missing: `modprobe nft_fib_inet nft_reject_inet`"},
        {ENOBUFS, SD_ENET, "no room for the kernel's answer: raise net.core.rmem_max"},
        {EMSGSIZE, SD_ELIMIT,
         "the ruleset is too large to send in one piece: raise net.core.wmem_max, or name fewer "
         "addresses"},
        {ENOMEM, SD_ENET, "the kernel has no memory left for this ruleset: name fewer addresses"},
        {ENFILE, SD_ELIMIT, "a set is full: name fewer addresses"},
        {ENFILE, SD_ENET, "a set is full: the kernel takes no more elements"},
        {EBUSY, SD_ENET, "nf_tables is busy with something that the ruleset needs: try again"},
        {EINTR, SD_ENET, "the ruleset keeps changing while it is read: try again"},
    };

    if (number < 0)
        number = -number;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].number == number) {
            snprintf(error, ENFORCE_ERROR, "%s: %s", doing, known[i].advice);
            return known[i].error;
        }
    snprintf(error, ENFORCE_ERROR, "%s: %s", doing, strerror(number));
    return SD_ENET;
}
