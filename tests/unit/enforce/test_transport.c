/* What the kernel answers is read within its octets, whatever length it claims. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "enforce/transport.h"

/* Two messages of this claimed length each, in memory of exactly their size. */
static bool fit(uint32_t claimed)
{
    struct nlmsghdr *h = calloc(2, sizeof *h);
    bool all;

    h[0].nlmsg_len = sizeof *h;
    h[1].nlmsg_len = claimed;
    all = messages_fit(h, 2 * sizeof *h);
    free(h);
    return all;
}

static void a_length_beyond_the_octets_does_not_fit(void **unused)
{
    uint32_t wrong[] = {0,          1,          sizeof(struct nlmsghdr) - 1,
                        0x7fffffff, 0x80000000, 0x80000010,
                        0xfffffff0, 0xffffffff, sizeof(struct nlmsghdr) + 1};

    (void)unused;
    assert_true(fit(sizeof(struct nlmsghdr)));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(fit(wrong[i]));
}

static void a_message_that_ends_early_does_not_fit(void **unused)
{
    struct nlmsghdr *h = calloc(1, sizeof *h);

    (void)unused;
    h->nlmsg_len = sizeof *h;
    assert_true(messages_fit(h, sizeof *h));
    assert_true(messages_fit(h, 0));
    for (int left = -1; left < (int)sizeof *h; left++)
        assert_false(message_fits(h, left));
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_length_beyond_the_octets_does_not_fit),
        cmocka_unit_test(a_message_that_ends_early_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
