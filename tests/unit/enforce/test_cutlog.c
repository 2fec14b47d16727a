/* The kernel's log of what rules cut: whose lines, what they say, how many are missing, and nothing
 * read beyond the bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter/nfnetlink_log.h>

#include <libmnl/libmnl.h>

#include "base/error.h"
#include "enforce/cutlog.h"

struct told {
    _Alignas(8) char bytes[8192];
    size_t used;
    struct cutlog log;
    size_t count;
    struct cut_line line; /* the last */
    uint8_t packet[64];
};

static void take(void *context, const struct cut_line *line)
{
    struct told *t = context;

    t->count++;
    t->line = *line;
    memcpy(t->packet, line->packet, line->captured < 64 ? line->captured : 64);
}

static void line(struct told *t, const char *prefix, uint32_t number, const void *packet,
                 size_t size)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(t->bytes + t->used);
    struct nfulnl_msg_packet_hw hw = {.hw_addrlen = htons(6),
                                      .hw_addr = {0x02, 0x53, 0, 0, 0xaa, 0x01}};
    struct nfgenmsg *g;

    m->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET;
    g = mnl_nlmsg_put_extra_header(m, sizeof *g);
    g->nfgen_family = AF_INET;
    if (prefix)
        mnl_attr_put_strz(m, NFULA_PREFIX, prefix);
    mnl_attr_put_u32(m, NFULA_IFINDEX_INDEV, htonl(7));
    mnl_attr_put(m, NFULA_HWADDR, sizeof hw, &hw);
    if (size)
        mnl_attr_put(m, NFULA_PAYLOAD, size, packet);
    mnl_attr_put_u32(m, NFULA_SEQ, htonl(number));
    t->used += MNL_ALIGN(m->nlmsg_len);
}

static void read_all(struct told *t)
{
    cutlog_take(&t->log, t->bytes, t->used, take, t);
    t->used = 0;
}

static void a_line_says_who_and_which_rule(void **unused)
{
    static struct told t;

    (void)unused;
    line(&t, "sealdns office/cleartext-udp", 0, "packet", 6);
    read_all(&t);
    assert_int_equal(t.count, 1);
    assert_true(t.line.acted);
    assert_string_equal(t.line.rule, "office/cleartext-udp");
    assert_int_equal(t.line.station, 0x02530000aa01);
    assert_int_equal(t.line.iface, 7);
    assert_int_equal(t.line.captured, 6);
    assert_memory_equal(t.packet, "packet", 6);
    line(&t, "sealdns-shadow office/unapproved-dot", 1, "packet", 6);
    read_all(&t);
    assert_false(t.line.acted);
    assert_string_equal(t.line.rule, "office/unapproved-dot");
    assert_int_equal(t.log.lines, 2);
    assert_int_equal(t.log.malformed + t.log.lost, 0);
}

static void what_is_missing_is_counted(void **unused)
{
    static struct told t;

    (void)unused;
    line(&t, "sealdns a/b", 4000, "p", 1); /* read from the middle on */
    line(&t, "sealdns a/b", 4001, "p", 1);
    line(&t, "sealdns a/b", 4012, "p", 1);
    read_all(&t);
    assert_int_equal(t.log.lost, 10);
    line(&t, "sealdns a/b", 4013, "p", 1);
    read_all(&t);
    assert_int_equal(t.log.lost, 10);
    t.log.next = UINT32_MAX;
    line(&t, "sealdns a/b", UINT32_MAX, "p", 1);
    line(&t, "sealdns a/b", 0, "p", 1);
    read_all(&t);
    assert_int_equal(t.log.lost, 10);
    assert_int_equal(t.count, 6);
}

static void lines_of_others_say_nothing(void **unused)
{
    static const char *const prefixes[] = {
        NULL,
        "",
        "sealdns",
        "sealdns ",
        "iptables: sealdns a/b",
        "sealdns-shadow ",
        "sealdns a b",
        "sealdns a\033[31m",
        "sealdns a234567890123456789012345678901234567890123456789"
        "0123456789012345678901234567890123456789"
        "012345678901234567890"};
    static struct told t;

    (void)unused;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        line(&t, prefixes[i], (uint32_t)i, "p", 1);
    line(&t, "sealdns a/b", 9, NULL, 0);
    read_all(&t);
    assert_int_equal(t.count, 0);
    assert_int_equal(t.log.malformed, 10);
    assert_int_equal(t.log.lines, 10);
}

/* Every cut of a datagram, in memory that ends with it. */
static void nothing_is_read_beyond_the_bytes(void **unused)
{
    static struct told t;
    size_t whole;

    (void)unused;
    line(&t, "sealdns office/cleartext-udp", 0, "packet", 6);
    line(&t, "sealdns office/cleartext-udp", 1, "packet", 6);
    whole = t.used;
    for (size_t size = 0; size <= whole; size++) {
        char *copy = malloc(size ? size : 1);

        memcpy(copy, t.bytes, size);
        cutlog_take(&t.log, copy, size, take, &t);
        free(copy);
    }
    assert_true(t.count > whole / 4 && t.log.malformed > 0);
}

/* Anybody may send to a socket that is not netlink; here one stands for the kernel's. */
static void a_socket_that_is_gone_is_told(void **unused)
{
    struct cutlog log = {.begun = false};
    int ends[2];

    (void)unused;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    assert_int_equal(cutlog_read(ends[0], &log, take, NULL), SD_EAGAIN);
    assert_int_equal(send(ends[1], "no line of the kernel's", 23, 0), 23);
    assert_int_equal(cutlog_read(ends[0], &log, take, NULL), SD_EAGAIN);
    assert_int_equal(log.lines, 0);
    close(ends[0]);
    assert_int_equal(cutlog_read(ends[0], &log, take, NULL), SD_EIO);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_says_who_and_which_rule),
        cmocka_unit_test(what_is_missing_is_counted),
        cmocka_unit_test(lines_of_others_say_nothing),
        cmocka_unit_test(nothing_is_read_beyond_the_bytes),
        cmocka_unit_test(a_socket_that_is_gone_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
