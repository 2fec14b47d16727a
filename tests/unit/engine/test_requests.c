/* The table of typed requests: what is not in it ends the sensor, and touches nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/monitor.h"

struct house {
    struct board board;
    struct policy policy;
    struct wiring wiring;
    struct monitor monitor;
    struct channel parser, recorder; /* the children's ends */
};

/* Of a sensor that has rules in the kernel, as it believes; no request here may ask the kernel. */
static struct house *move_in(void)
{
    struct house *h = calloc(1, sizeof *h);

    h->policy.mode = MODE_ENFORCE;
    h->wiring = (struct wiring){.policy = &h->policy, .board = &h->board, .own = &h->monitor.own};
    assert_int_equal(channel_pair(&h->wiring.parser, &h->parser), SD_OK);
    assert_int_equal(channel_pair(&h->wiring.recorder, &h->recorder), SD_OK);
    h->monitor = (struct monitor){
        .wiring = &h->wiring, .netlink = -1, .sole = -1, .installed = true, .drift.descriptor = -1};
    return h;
}

static void move_out(struct house *h)
{
    channel_close(&h->wiring.parser);
    channel_close(&h->wiring.recorder);
    channel_close(&h->parser);
    channel_close(&h->recorder);
    free(h);
}

static bool is_answered(const struct channel *c)
{
    struct message m;
    int descriptor;

    return channel_receive(c, &m, &descriptor, 0) == SD_OK;
}

/* It ends, answers nobody, and has not so much as opened a way to the ruleset. */
static void assert_ended(const struct house *h)
{
    assert_true(h->monitor.stopping);
    assert_int_equal(h->monitor.status, 1);
    assert_int_equal(h->monitor.netlink, -1);
    assert_true(h->monitor.installed);
    assert_false(h->monitor.opened);
    assert_false(is_answered(&h->parser));
    assert_false(is_answered(&h->recorder));
}

static void ask(struct house *h, bool parser, const void *bytes, size_t length)
{
    const struct channel *from = parser ? &h->parser : &h->recorder;

    assert_int_equal(send(from->descriptor, bytes, length, 0), (int)length);
    monitor_serve(&h->monitor, parser ? &h->wiring.parser : &h->wiring.recorder);
}

/* All of them up to there, not some. */
static void every_type_beside_the_list_ends_the_sensor(void **unused)
{
    (void)unused;
    for (uint32_t type = REQUEST_LAST + 1; type < 2048; type++) {
        struct message m = {.type = type};
        struct house *h = move_in();

        ask(h, type % 2, &m, sizeof m);
        assert_ended(h);
        move_out(h);
    }
}

/* What the other child asks for behind it is not done either. */
static void nothing_is_done_after_a_wrong_request(void **unused)
{
    uint32_t types[] = {REQUEST_RELOAD, REQUEST_RULES_APPLY, REQUEST_RULES_REMOVE,
                        REQUEST_RULES_STATUS};

    (void)unused;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct message wrong = {.type = REQUEST_RULES_REMOVE}, m = {.type = types[i]};
        struct house *h = move_in();

        ask(h, true, &wrong, sizeof wrong);
        ask(h, false, &m, sizeof m);
        assert_ended(h);
        move_out(h);
    }
}

static void unknown_types_end_the_sensor(void **unused)
{
    uint32_t some[] = {0, REQUEST_LAST + 1, 50, REPLY, TELL_POLICY, TELL_STOP, 1000, UINT32_MAX};

    (void)unused;
    for (size_t i = 0; i < 2 * sizeof some / sizeof *some; i++) {
        struct message m = {.type = some[i / 2]};
        struct house *h = move_in();

        ask(h, i % 2, &m, sizeof m);
        assert_ended(h);
        move_out(h);
    }
}

/* Strangers talk to it. */
static void the_parser_may_ask_for_nothing(void **unused)
{
    (void)unused;
    for (uint32_t type = REQUEST_READY + 1; type <= REQUEST_LAST; type++) {
        struct message m = {.type = type};
        struct house *h = move_in();

        ask(h, true, &m, sizeof m);
        assert_ended(h);
        move_out(h);
    }
}

static void wrong_sizes_end_the_sensor(void **unused)
{
    size_t sizes[] = {
        1,    4, sizeof(struct message) - 1, sizeof(struct message) + 1, 2 * sizeof(struct message),
        60000};
    char *bytes = calloc(1, 60000);
    uint32_t type = REQUEST_RULES_REMOVE;

    (void)unused;
    memcpy(bytes, &type, sizeof type);
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
        struct house *h = move_in();

        ask(h, i % 2, bytes, sizes[i / 2]);
        assert_ended(h);
        move_out(h);
    }
    free(bytes);
}

/* What a probe found is judged before it is passed on. */
static void a_report_of_nonsense_ends_the_sensor(void **unused)
{
    struct message m = {.type = REQUEST_PROBED};
    struct house *h = move_in();

    (void)unused;
    memset(&m.probe, 0xff, sizeof m.probe);
    ask(h, false, &m, sizeof m);
    assert_ended(h);
    move_out(h);
}

/* A report with any one octet changed is passed on sound, or ends the sensor. */
static void a_report_with_a_wrong_octet_is_sound_or_the_end(void **unused)
{
    static const unsigned char wrong[] = {0x01, 0x7f, 0x80, 0xff};
    size_t passed = 0, ended = 0;

    (void)unused;
    for (size_t i = 0; i < 4 * sizeof(struct probe_report); i++) {
        struct message m = {.type = REQUEST_PROBED}, told;
        struct house *h = move_in();
        int descriptor;

        m.probe.transport = TRANSPORT_DOT;
        m.probe.time = NSEC_S;
        ((unsigned char *)&m.probe)[i / 4] = wrong[i % 4];
        ask(h, false, &m, sizeof m);
        if (h->monitor.stopping) {
            assert_ended(h);
            ended++;
        } else {
            assert_int_equal(channel_receive(&h->parser, &told, &descriptor, 0), SD_OK);
            assert_int_equal(told.type, TELL_PROBED);
            assert_true(told.probe.transport < TRANSPORT_COUNT && told.probe.time >= 0);
            assert_true(probe_is_sound(&told.probe.found));
            passed++;
        }
        move_out(h);
    }
    assert_true(passed && ended);
}

static void a_trial_of_no_sensible_time_ends_the_sensor(void **unused)
{
    uint32_t seconds[] = {0, 86401, UINT32_MAX};

    (void)unused;
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
        struct message m = {.type = REQUEST_RULES_TRY, .change.seconds = seconds[i]};
        struct house *h = move_in();

        ask(h, false, &m, sizeof m);
        assert_ended(h);
        move_out(h);
    }
}

static struct open_event sound_event(void)
{
    return (struct open_event){
        .rule = 1, .key = 2, .id = 3, .count = 4, .first = NSEC_S, .last = NSEC_S, .revision = 1};
}

/* Without a peer nobody has told anything; with one, only what is an event. */
static void only_the_recorder_of_a_peer_tells_of_it(void **unused)
{
    static const uint32_t counts[] = {0, OPEN_EVENTS_AT_ONCE + 1, UINT32_MAX};
    struct message m = {.type = REQUEST_PEER}, told;
    struct house *h = move_in();
    int descriptor;

    (void)unused;
    m.peer.count = 1;
    m.peer.event[0] = sound_event();
    ask(h, false, &m, sizeof m);
    assert_ended(h);
    move_out(h);
    h = move_in();
    h->monitor.peered = true;
    ask(h, true, &m, sizeof m);
    assert_ended(h);
    move_out(h);
    h = move_in();
    h->monitor.peered = true;
    ask(h, false, &m, sizeof m);
    assert_false(h->monitor.stopping);
    assert_int_equal(channel_receive(&h->parser, &told, &descriptor, 0), SD_OK);
    assert_int_equal(told.type, TELL_PEER);
    assert_memory_equal(&told.peer, &m.peer, sizeof m.peer);
    m.peer.event[0].state = STATE_COUNT;
    ask(h, false, &m, sizeof m);
    assert_ended(h);
    move_out(h);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        h = move_in();
        h->monitor.peered = true;
        m.peer.event[0] = sound_event();
        m.peer.count = counts[i];
        ask(h, false, &m, sizeof m);
        assert_ended(h);
        move_out(h);
    }
}

static uint64_t random_of(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Any bytes whatever, but those that by chance are a request that is to be answered. */
static void random_bytes_end_the_sensor(void **unused)
{
    uint64_t seed = 7;

    (void)unused;
    for (int i = 0; i < 200; i++) {
        struct house *h = move_in();
        struct message m;

        for (size_t k = 0; k < sizeof m; k += 7)
            ((unsigned char *)&m)[k] = (unsigned char)random_of(&seed);
        m.type = (uint32_t)random_of(&seed) | 0x100;
        ask(h, i % 2, &m, 1 + random_of(&seed) % sizeof m);
        assert_ended(h);
        move_out(h);
    }
}

/* A descriptor that rides along with nonsense or with sense is not kept. */
static void no_descriptor_stays(void **unused)
{
    struct message m = {.type = REQUEST_READY};
    struct house *h = move_in();
    int before = dup(0), after;

    (void)unused;
    close(before);
    for (int i = 0; i < 50; i++) {
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_int_equal(channel_send(&h->recorder, &m, fd), SD_OK);
        close(fd);
        monitor_serve(&h->monitor, &h->wiring.recorder);
    }
    assert_false(h->monitor.stopping);
    after = dup(0);
    close(after);
    assert_int_equal(before, after);
    move_out(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_types_end_the_sensor),
        cmocka_unit_test(every_type_beside_the_list_ends_the_sensor),
        cmocka_unit_test(nothing_is_done_after_a_wrong_request),
        cmocka_unit_test(a_report_with_a_wrong_octet_is_sound_or_the_end),
        cmocka_unit_test(the_parser_may_ask_for_nothing),
        cmocka_unit_test(wrong_sizes_end_the_sensor),
        cmocka_unit_test(a_report_of_nonsense_ends_the_sensor),
        cmocka_unit_test(a_trial_of_no_sensible_time_ends_the_sensor),
        cmocka_unit_test(only_the_recorder_of_a_peer_tells_of_it),
        cmocka_unit_test(random_bytes_end_the_sensor),
        cmocka_unit_test(no_descriptor_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
