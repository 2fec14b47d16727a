/* What goes between two gateways: whole, or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "peer/peer.h"

#define T0 (INT64_C(1795262400) * NSEC_S)

static const uint8_t nonce[PEER_NONCE] = "nonce of it";

static struct peer_key key_of(const char *secret)
{
    struct peer_key key;

    peer_key_make(secret, strlen(secret), &key);
    return key;
}

static struct peer_packet full(void)
{
    struct peer_packet p = {.sender = 0x1122334455667788, .time = T0};

    p.events.count = OPEN_EVENTS_AT_ONCE;
    for (uint32_t i = 0; i < p.events.count; i++)
        p.events.event[i] = (struct open_event){.rule = i,
                                                .key = UINT64_MAX - i,
                                                .id = 0xab00 + i,
                                                .count = 7 * i,
                                                .first = T0 - i,
                                                .last = T0 + i,
                                                .revision = i + 1,
                                                .state = STATE_UPDATE};
    p.pairs.count = PAIRS_AT_ONCE;
    for (uint32_t i = 0; i < p.pairs.count; i++) {
        struct cut_pair *c = p.pairs.pair + i;

        *c = (struct cut_pair){
            .station = i, .resolver = ~(uint64_t)i, .vlan = 5, .iface = 1, .transport = 4};
        memset(c->client.b, (int)i + 1, 16);
        memset(c->server.b, (int)i + 101, 16);
    }
    return p;
}

/* Out of memory of exactly that size. */
static int open_copy(const struct peer_key *key, const uint8_t *bytes, size_t length,
                     struct peer_packet *out)
{
    uint8_t *copy = malloc(length ? length : 1);
    int status;

    memcpy(copy, bytes, length);
    status = peer_open(key, copy, length, out);
    free(copy);
    return status;
}

static void what_was_sealed_is_opened(void **unused)
{
    struct peer_key key = key_of("a secret of both");
    struct peer_packet p = full(), got, empty = {.sender = 1, .time = T0};
    uint8_t bytes[PEER_DATAGRAM];

    (void)unused;
    assert_int_equal(open_copy(&key, bytes, peer_seal(&key, nonce, &p, bytes), &got), SD_OK);
    assert_memory_equal(&got, &p, sizeof p);
    assert_int_equal(open_copy(&key, bytes, peer_seal(&key, nonce, &empty, bytes), &got), SD_OK);
    assert_memory_equal(&got, &empty, sizeof empty);
}

static void what_was_changed_is_not(void **unused)
{
    struct peer_key key = key_of("a secret of both"), other = key_of("a secret of bots");
    struct peer_packet p = full(), got;
    uint8_t bytes[PEER_DATAGRAM + 1] = {0};
    size_t length = peer_seal(&key, nonce, &p, bytes);

    (void)unused;
    assert_int_equal(open_copy(&other, bytes, length, &got), SD_EPERM);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 0x10;
        assert_int_equal(open_copy(&key, bytes, length, &got), SD_EPERM);
        bytes[i] ^= 0x10;
    }
    for (size_t i = 0; i < length; i++)
        assert_int_equal(open_copy(&key, bytes, i, &got), SD_EPERM);
    assert_int_equal(open_copy(&key, bytes, length + 1, &got), SD_EPERM);
}

static void what_is_sent_again_is_not_fresh(void **unused)
{
    struct peer_seen seen = {.time = 0};
    struct peer_packet p = {.sender = 1, .time = T0};

    (void)unused;
    assert_false(peer_is_fresh(&seen, &p, 1, T0)); /* our own, reflected */
    assert_true(peer_is_fresh(&seen, &p, 2, T0));
    assert_false(peer_is_fresh(&seen, &p, 2, T0 + NSEC_S));
    p.time = T0 - 1;
    assert_false(peer_is_fresh(&seen, &p, 2, T0 + NSEC_S));
    p.time = T0 + NSEC_S;
    assert_true(peer_is_fresh(&seen, &p, 2, T0 + NSEC_S));
    p.time = T0 + 100 * NSEC_S;
    assert_false(peer_is_fresh(&seen, &p, 2, T0 + 20 * NSEC_S));
    assert_false(peer_is_fresh(&seen, &p, 2, T0 + 200 * NSEC_S));
    p.time = T0 - 500 * NSEC_S; /* both clocks were set back */
    assert_true(peer_is_fresh(&seen, &p, 2, T0 - 500 * NSEC_S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_is_opened),
        cmocka_unit_test(what_was_changed_is_not),
        cmocka_unit_test(what_is_sent_again_is_not_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
