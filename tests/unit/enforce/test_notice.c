/* What is heard of changes to nf_tables: whose, to which table, and nothing read beyond the bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>

#include "enforce/notice.h"

#define OURS   100u
#define OTHERS 200u

struct heard {
    _Alignas(8) char bytes[4096];
    size_t used;
};

static struct nlmsghdr *begin(struct heard *h, unsigned type, uint32_t port)
{
    struct nlmsghdr *m = mnl_nlmsg_put_header(h->bytes + h->used);
    struct nfgenmsg *g;

    m->nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
    m->nlmsg_pid = port;
    g = mnl_nlmsg_put_extra_header(m, sizeof *g);
    g->nfgen_family = NFPROTO_INET;
    return m;
}

static void end(struct heard *h, const struct nlmsghdr *m)
{
    h->used += m->nlmsg_len;
}

static void object(struct heard *h, unsigned type, uint32_t port, const char *table)
{
    struct nlmsghdr *m = begin(h, type, port);

    mnl_attr_put_strz(m, NFTA_TABLE_NAME, table);
    mnl_attr_put_strz(m, 3, "something else");
    end(h, m);
}

static void generation(struct heard *h, uint32_t port, const char *program)
{
    struct nlmsghdr *m = begin(h, NFT_MSG_NEWGEN, port);

    mnl_attr_put_u32(m, NFTA_GEN_ID, htonl(7));
    mnl_attr_put_u32(m, NFTA_GEN_PROC_PID, htonl(4711));
    mnl_attr_put_strz(m, NFTA_GEN_PROC_NAME, program);
    end(h, m);
}

/* From memory of exactly this size, so that a byte too many is seen. */
static struct notices hear(const struct heard *h, size_t length)
{
    struct notices n = {.own = OURS};
    char *copy = malloc(length ? length : 1);

    memcpy(copy, h->bytes, length);
    notices_take(&n, copy, length);
    free(copy);
    return n;
}

static void somebody_deletes_our_table(void **unused)
{
    struct heard h = {.used = 0};
    struct notices n;

    (void)unused;
    object(&h, NFT_MSG_DELRULE, OTHERS, "sealdns");
    object(&h, NFT_MSG_DELTABLE, OTHERS, "sealdns");
    generation(&h, OTHERS, "nft");
    n = hear(&h, h.used);
    assert_true(n.touched && n.deleted && !n.missed && !n.open);
    assert_string_equal(n.program, "nft");
    assert_int_equal(n.process, 4711);
    assert_int_equal(n.messages, 3);
}

static void other_tables_and_our_own_transactions_are_nothing(void **unused)
{
    struct heard h = {.used = 0};
    struct notices n;

    (void)unused;
    object(&h, NFT_MSG_NEWRULE, OURS, "sealdns");
    generation(&h, OURS, "sealdns");
    object(&h, NFT_MSG_DELTABLE, OTHERS, "sealdns2");
    object(&h, NFT_MSG_DELTABLE, OTHERS, "seal");
    generation(&h, OTHERS, "nft");
    n = hear(&h, h.used);
    assert_false(n.touched || n.deleted || n.missed || n.open);
}

static void our_name_in_another_family_is_not_ours(void **unused)
{
    struct heard h = {.used = 0};
    struct nlmsghdr *m = begin(&h, NFT_MSG_NEWRULE, OTHERS);
    struct notices n;

    (void)unused;
    ((struct nfgenmsg *)mnl_nlmsg_get_payload(m))->nfgen_family = NFPROTO_IPV4;
    mnl_attr_put_strz(m, NFTA_TABLE_NAME, "sealdns");
    end(&h, m);
    generation(&h, OTHERS, "nft");
    n = hear(&h, h.used);
    assert_false(n.touched || n.open);
}

/* The end of a transaction whose own end was lost must not name another one as its doer. */
static void an_end_names_its_own_transaction(void **unused)
{
    struct heard h = {.used = 0};
    struct notices n;

    (void)unused;
    object(&h, NFT_MSG_DELTABLE, OTHERS, "sealdns");
    generation(&h, OURS, "sealdns");
    n = hear(&h, h.used);
    assert_true(n.touched && n.deleted);
    assert_string_equal(n.program, "");
    assert_int_equal(n.process, 0);
}

static void what_is_cut_off_is_missed(void **unused)
{
    struct heard h = {.used = 0};

    (void)unused;
    object(&h, NFT_MSG_DELTABLE, OTHERS, "sealdns");
    generation(&h, OTHERS, "nft");
    for (size_t length = 1; length < h.used; length++) {
        struct notices n = hear(&h, length);
        struct nlmsghdr *first = (void *)h.bytes;

        assert_int_equal(n.missed, length != first->nlmsg_len);
        assert_false(n.touched);
        assert_int_equal(n.open, length >= first->nlmsg_len);
    }
}

static uint64_t random_of(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Lengths that lie, names without an end, attributes of no size: nothing is read beyond the bytes
 * (AddressSanitizer looks) and what is said is text. */
static void bytes_that_lie_do_no_harm(void **unused)
{
    uint64_t seed = 42;

    (void)unused;
    for (int i = 0; i < 20000; i++) {
        struct heard h = {.used = 0};
        struct notices n;

        object(&h, NFT_MSG_NEWSETELEM, OTHERS, "sealdns");
        generation(&h, OTHERS, "a name of more than sixteen octets");
        for (int k = 0; k < 1 + i % 4; k++)
            h.bytes[random_of(&seed) % h.used] = (char)random_of(&seed);
        n = hear(&h, 1 + random_of(&seed) % h.used);
        assert_true(strnlen(n.program, sizeof n.program) < sizeof n.program);
    }
}

static void forgotten_but_for_whose_we_are(void **unused)
{
    struct notices n = {.own = OURS, .missed = true, .touched = true, .deleted = true};

    (void)unused;
    notices_forget(&n);
    assert_false(n.missed || n.touched || n.deleted);
    assert_int_equal(n.own, OURS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(somebody_deletes_our_table),
        cmocka_unit_test(other_tables_and_our_own_transactions_are_nothing),
        cmocka_unit_test(our_name_in_another_family_is_not_ours),
        cmocka_unit_test(an_end_names_its_own_transaction),
        cmocka_unit_test(what_is_cut_off_is_missed),
        cmocka_unit_test(bytes_that_lie_do_no_harm),
        cmocka_unit_test(forgotten_but_for_whose_we_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
