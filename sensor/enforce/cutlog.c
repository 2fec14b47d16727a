/* libpcap reads such groups too; it does not number the lines, so what is lost could not be told,
 * and it makes nfnetlink_log the logger of all IP traffic, which is not ours to choose. */
#include "enforce/cutlog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_log.h>

#include <libmnl/libmnl.h>

#include "base/error.h"
#include "enforce/ruleset.h"
#include "enforce/transport.h"

enum {
    ROOM = 2 * 1024 * 1024, /* of the socket: some 4,000 lines */
    BUFFER = 16 * 1024,     /* the kernel fills a page */
    MOST_READS = 64,        /* without a look at anything else */
    FLUSH = 1,              /* hundredths of a second that a line may wait for others */
};

#define HOLDERS "/proc/net/netfilter/nfnetlink_log"

static struct nlmsghdr *begin(char *buffer, uint16_t group)
{
    struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
    struct nfgenmsg *g;

    h->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
    h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    h->nlmsg_seq = 1;
    g = mnl_nlmsg_put_extra_header(h, sizeof *g);
    *g = (struct nfgenmsg){
        .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(group)};
    return h;
}

/* 0, or the kernel's errno, negative. */
static int ask(int fd, const struct nlmsghdr *h)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    char answer[BUFFER];
    ssize_t n;

    if (sendto(fd, h, h->nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof kernel) < 0)
        return -errno;
    do
        n = recv(fd, answer, sizeof answer, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    errno = 0;
    return mnl_cb_run(answer, (size_t)n, 1, 0, NULL, NULL) >= 0 ? 0 : -errno;
}

static int bind_group(int fd, uint16_t group)
{
    struct nfulnl_msg_config_cmd bind = {NFULNL_CFG_CMD_BIND};
    char buffer[256];
    struct nlmsghdr *h = begin(buffer, group);

    mnl_attr_put(h, NFULA_CFG_CMD, sizeof bind, &bind);
    return ask(fd, h);
}

/* Lines are numbered, and come within a hundredth of a second. */
static int set_up(int fd, uint16_t group)
{
    struct nfulnl_msg_config_mode mode = {.copy_range = htonl(LOG_SNAPLEN),
                                          .copy_mode = NFULNL_COPY_PACKET};
    char buffer[256];
    struct nlmsghdr *h = begin(buffer, group);

    mnl_attr_put(h, NFULA_CFG_MODE, sizeof mode, &mode);
    mnl_attr_put_u32(h, NFULA_CFG_TIMEOUT, htonl(FLUSH));
    mnl_attr_put_u32(h, NFULA_CFG_QTHRESH, htonl(LOG_THRESHOLD));
    mnl_attr_put_u16(h, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
    return ask(fd, h);
}

/* The netlink port of who reads this group, by custom its process; 0: nobody. */
static uint32_t holder(uint16_t group)
{
    FILE *f = fopen(HOLDERS, "re");
    unsigned number;
    uint32_t port = 0, one;
    char line[128];

    if (!f)
        return 0;
    while (!port && fgets(line, sizeof line, f))
        if (sscanf(line, "%u %" SCNu32, &number, &one) == 2 && number == group)
            port = one;
    fclose(f);
    return port;
}

static int refused(int number, uint16_t group, char error[ENFORCE_ERROR])
{
    uint32_t port = number == -EPERM || number == -EBUSY ? holder(group) : 0;

    if (port || number == -EBUSY) {
        snprintf(error, ENFORCE_ERROR,
                 "another program (netlink port %" PRIu32 ") reads the NFLOG group %u: end it, or "
                 "choose another `sensor.nftables.log_group`",
                 port, group);
        return SD_EEXIST;
    }
    if (number == -EINVAL || number == -EOPNOTSUPP) {
        snprintf(error, ENFORCE_ERROR,
                 "this kernel has no nfnetlink_log: `modprobe nfnetlink_log nft_log`");
        return SD_EUNSUP;
    }
    return transport_error(number, "cannot read the log of the rules", error);
}

int cutlog_open(uint16_t group, char error[ENFORCE_ERROR])
{
    int room = ROOM, e, fd = transport_open(error);

    if (fd < 0)
        return fd;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    e = bind_group(fd, group);
    if (e == 0)
        e = set_up(fd, group);
    if (e == 0)
        return fd;
    close(fd);
    return refused(e, group, error);
}

/* Asked of a group without saying what to do with it: nobody is disturbed. */
bool cutlog_is_supported(void)
{
    char error[ENFORCE_ERROR], buffer[256];
    int e, fd = transport_open(error);

    if (fd < 0)
        return true; /* whoever installs will say why he cannot */
    e = ask(fd, begin(buffer, 0));
    close(fd);
    return e != -EINVAL && e != -EOPNOTSUPP;
}

static void read_prefix(struct cut_line *line, const struct nlattr *a)
{
    const char *text = mnl_attr_get_payload(a), *id = NULL;
    size_t length = strnlen(text, mnl_attr_get_payload_len(a));

    if (length > strlen(LOG_ACTS) && strncmp(text, LOG_ACTS, strlen(LOG_ACTS)) == 0) {
        line->acted = true;
        id = text + strlen(LOG_ACTS);
    } else if (length > strlen(LOG_COUNTS) && strncmp(text, LOG_COUNTS, strlen(LOG_COUNTS)) == 0) {
        id = text + strlen(LOG_COUNTS);
    } else {
        return; /* somebody else logs to this group too */
    }
    length -= (size_t)(id - text);
    for (size_t i = 0; i < length; i++)
        if (id[i] <= ' ' || id[i] > '~')
            return;
    if (length >= sizeof line->rule)
        return;
    memcpy(line->rule, id, length);
    line->rule[length] = '\0';
}

static void read_station(struct cut_line *line, const struct nlattr *a)
{
    const struct nfulnl_msg_packet_hw *hw = mnl_attr_get_payload(a);

    if (mnl_attr_get_payload_len(a) < sizeof *hw || ntohs(hw->hw_addrlen) != 6)
        return;
    line->station = 0;
    for (int i = 0; i < 6; i++)
        line->station = line->station << 8 | hw->hw_addr[i];
}

static void read_number(uint32_t *to, const struct nlattr *a)
{
    if (mnl_attr_get_payload_len(a) == sizeof *to)
        *to = ntohl(mnl_attr_get_u32(a));
}

/* A gap tells how many lines the socket had no room for. */
static void count_lost(struct cutlog *log, const struct nlattr *a)
{
    uint32_t number;

    if (mnl_attr_get_payload_len(a) != sizeof number)
        return;
    number = ntohl(mnl_attr_get_u32(a));
    log->lost += log->begun ? number - log->next : 0;
    log->begun = true;
    log->next = number + 1;
}

static void take_line(struct cutlog *log, const struct nlmsghdr *h, cut_line_fn fn, void *context)
{
    struct cut_line line = {.acted = false};
    const char *end = (const char *)h + h->nlmsg_len; /* mnl_attr_for_each() rounds it up */
    const struct nlattr *a = mnl_nlmsg_get_payload_offset(h, sizeof(struct nfgenmsg));

    for (; mnl_attr_ok(a, (int)(end - (const char *)a)); a = mnl_attr_next(a)) {
        switch (mnl_attr_get_type(a)) {
        case NFULA_PREFIX:
            read_prefix(&line, a);
            break;
        case NFULA_HWADDR:
            read_station(&line, a);
            break;
        case NFULA_IFINDEX_INDEV:
            read_number(&line.iface, a);
            break;
        case NFULA_SEQ:
            count_lost(log, a);
            break;
        case NFULA_PAYLOAD:
            line.packet = mnl_attr_get_payload(a);
            line.captured = mnl_attr_get_payload_len(a);
            break;
        default:
            break;
        }
    }
    log->lines++;
    if (line.rule[0] && line.captured)
        fn(context, &line);
    else
        log->malformed++;
}

void cutlog_take(struct cutlog *log, const void *bytes, size_t size, cut_line_fn fn, void *context)
{
    const struct nlmsghdr *h = bytes;
    int left = (int)size;

    /* mnl_nlmsg_ok() takes a length of 2 GiB and more for a negative one, that fits. */
    for (; mnl_nlmsg_ok(h, left) && h->nlmsg_len <= (uint32_t)left; h = mnl_nlmsg_next(h, &left))
        if (h->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET) &&
            h->nlmsg_len >= mnl_nlmsg_size(sizeof(struct nfgenmsg)))
            take_line(log, h, fn, context);
    log->malformed += left > 0;
}

int cutlog_read(int descriptor, struct cutlog *log, cut_line_fn fn, void *context)
{
    _Alignas(struct nlmsghdr) char buffer[BUFFER];

    for (int i = 0; i < MOST_READS; i++) {
        struct sockaddr_nl from = {.nl_pid = UINT32_MAX};
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(descriptor, buffer, sizeof buffer, MSG_DONTWAIT,
                               (struct sockaddr *)&from, &size);

        if (got < 0 && errno == ENOBUFS)
            log->overruns++; /* told once, then the queue goes on */
        else if (got < 0 && errno != EINTR)
            return errno == EAGAIN ? SD_EAGAIN : SD_EIO;
        if (got > 0 && from.nl_pid == 0) /* else not the kernel's word */
            cutlog_take(log, buffer, (size_t)got, fn, context);
    }
    return SD_OK;
}
