/* Who is held and when. Real checks ask 127.53.53.53, where nobody answers or a mute socket
 * listens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "conf/conf.h"
#include "engine/gateway.h"
#include "engine/monitor.h"

#define RESOLVER                                                                                   \
    "resolvers: [{id: r, name: r.example, addresses: [127.53.53.53], transports: [do53]}]\n"
#define ZONE "zones: [{id: a, networks: [10.0.0.0/8], approve: [r], cleartext: reject}"

static const char enforcing[] = "sensor: {mode: enforce}\n" RESOLVER ZONE "]\n",
                  unasked[] = "sensor: {mode: enforce, preflight: false}\n" RESOLVER ZONE "]\n",
                  shadow[] = "sensor: {mode: shadow}\n" RESOLVER ZONE "]\n",
                  two[] = "sensor: {mode: enforce}\n" RESOLVER ZONE
                          ", {id: b, networks: [11.0.0.0/8], cleartext: reject}]\n",
                  own_port[] = "sensor: {mode: enforce}\n"
                               "resolvers: [{id: own, name: own.example, addresses: [192.0.2.1], "
                               "transports: [doh2]}]\n"
                               "zones: [{id: a, networks: [10.0.0.0/8], unapproved: reject, "
                               "gateway_resolver: false}]\n",
                  gateway_cut[] = "sensor: {mode: enforce}\n"
                                  "resolvers: [{id: r, name: r.example, addresses: "
                                  "[127.53.53.53], transports: [dot]}]\n" ZONE
                                  ", {id: gateway, unapproved: reject}]\n";

struct house {
    struct board board;
    struct wiring wiring;
    struct monitor monitor;
    struct channel parser; /* the child's end */
};

static struct policy *load(const char *text)
{
    struct addr own;
    struct conf_source source = {
        .policy = {"p", text, strlen(text)}, .gateway = &own, .gateway_count = 1};
    struct conf_report report = {.to = stderr};
    struct policy *p;

    assert_int_equal(addr_parse("192.0.2.1", &own), SD_OK);
    assert_int_equal(conf_load(&source, &report, &p), SD_OK);
    return p;
}

static struct house *move_in(const char *text)
{
    struct house *h = calloc(1, sizeof *h);

    h->wiring = (struct wiring){.policy = load(text),
                                .board = &h->board,
                                .own = &h->monitor.own,
                                .admission = &h->monitor.outage.admission};
    assert_int_equal(channel_pair(&h->wiring.parser, &h->parser), SD_OK);
    h->monitor =
        (struct monitor){.wiring = &h->wiring, .netlink = -1, .sole = -1, .drift.descriptor = -1};
    return h;
}

static void move_out(struct house *h)
{
    outage_end(&h->monitor.outage);
    policy_destroy(h->wiring.policy);
    channel_close(&h->wiring.parser);
    channel_close(&h->parser);
    free(h);
}

static void admit(struct house *h)
{
    char error[256] = "";

    if (outage_admit(&h->monitor, h->wiring.policy, error) != SD_OK)
        fail_msg("%s", error);
    assert_int_equal(h->board.admission.zone_count, h->monitor.outage.admission.zone_count);
}

static const struct policy_zone *zone(const struct house *h, const char *id)
{
    const struct policy *p = h->wiring.policy;

    for (size_t z = 0; z < p->zone_count; z++)
        if (strcmp(p->zones[z].id, id) == 0)
            return p->zones + z;
    fail_msg("no zone %s", id);
    return NULL;
}

static bool told(const struct house *h, const char *what)
{
    struct message m;
    char wanted[64];
    int descriptor;

    snprintf(wanted, sizeof wanted, "\"what\":\"%s\"", what);
    while (channel_receive(&h->parser, &m, &descriptor, 0) == SD_OK)
        if (m.type == TELL_FINDING && strstr(m.finding.evidence.text, wanted))
            return true;
    return false;
}

static void a_zone_whose_resolver_is_silent_is_held(void **unused)
{
    struct house *h = move_in(two);

    (void)unused;
    admit(h);
    assert_true(zone(h, "a")->held);
    assert_false(zone(h, "b")->held); /* approves nobody: there is nobody to wait for */
    outage_tell(&h->monitor);
    assert_true(told(h, "zone held"));
    move_out(h);
}

static void who_is_not_asked_is_not_held(void **unused)
{
    const char *const texts[] = {unasked, shadow, gateway_cut};

    (void)unused;
    for (size_t i = 0; i < 4; i++) {
        struct house *h = move_in(i < 3 ? texts[i] : enforcing);

        h->monitor.outage.forced = i == 3;
        admit(h);
        assert_false(zone(h, "a")->held);
        outage_tell(&h->monitor);
        assert_int_equal(told(h, "forced"), i == 3);
        move_out(h);
    }
}

/* A reload or a trial that comes to nothing leaves the zone as it was: held, not enforced unasked.
 */
static void a_policy_that_is_not_to_be_changes_nothing(void **unused)
{
    struct house *h = move_in(enforcing);
    struct policy *old = h->wiring.policy;
    struct admission before;

    (void)unused;
    admit(h);
    before = h->monitor.outage.admission;
    h->wiring.policy = load(unasked);
    admit(h);
    assert_int_equal(h->monitor.outage.admission.zone_count, 0);
    outage_restore(&h->monitor, &before);
    policy_destroy(h->wiring.policy);
    h->wiring.policy = old;
    wiring_hold(&h->board.admission, old);
    assert_true(zone(h, "a")->held);
    move_out(h);
}

static void a_refused_start_only_counts(void **unused)
{
    struct house *h = move_in(own_port);
    char error[256] = "";

    (void)unused;
    assert_int_equal(outage_admit(&h->monitor, h->wiring.policy, error), SD_ESTATE);
    assert_non_null(strstr(error, "off port 443 of this machine (192.0.2.1)"));
    outage_refuse(&h->monitor, h->wiring.policy, error);
    assert_int_equal(h->wiring.policy->mode, MODE_SHADOW);
    assert_true(h->wiring.policy->refused && h->board.admission.refused);
    outage_tell(&h->monitor);
    assert_true(told(h, "refused"));
    move_out(h);
}

/* Lets time pass by `step` until a check that then begins is over and judged. */
static void check_once(struct house *h, nsec_t step)
{
    struct outage *o = &h->monitor.outage;
    nsec_t now = clock_now();

    o->asked = now - step;
    outage_watch(&h->monitor, now);
    assert_non_null(o->asking);
    preflight_wait(o->asking);
    outage_watch(&h->monitor, clock_now());
    assert_null(o->asking);
}

static void an_outage_is_believed_the_second_time(void **unused)
{
    struct house *h = move_in(enforcing);

    (void)unused;
    check_once(h, 15 * NSEC_S);
    assert_false(told(h, "resolvers down"));
    outage_watch(&h->monitor, clock_now());
    assert_null(h->monitor.outage.asking); /* not yet again */
    check_once(h, 2 * NSEC_S);
    assert_true(told(h, "resolvers down"));
    assert_false(zone(h, "a")->held);
    check_once(h, 5 * NSEC_S);
    assert_false(told(h, "resolvers down"));
    move_out(h);
}

/* Listens on 127.53.53.53:53 and says nothing; -1: it may not. */
static int mute(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(53)};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, "127.53.53.53", &at.sin_addr);
    if (bind(s, (const struct sockaddr *)&at, sizeof at) == 0)
        return s;
    close(s);
    return -1;
}

static pid_t only_child(void)
{
    FILE *f = fopen("/proc/thread-self/children", "re");
    int child = 0;

    if (f && fscanf(f, "%d", &child) != 1)
        child = 0;
    if (f)
        fclose(f);
    return child;
}

static void a_check_that_dies_says_nothing_of_the_silent(void **unused)
{
    static const struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};
    struct house *h = move_in(enforcing);
    struct outage *o = &h->monitor.outage;
    int listener = mute();
    nsec_t begun = clock_now();

    (void)unused;
    if (listener < 0)
        skip();
    for (int i = 0; i < 3; i++) {
        o->asked = 0;
        outage_watch(&h->monitor, clock_now());
        assert_non_null(o->asking);
        assert_false(preflight_over(o->asking, clock_now()));
        kill(only_child(), SIGKILL);
        while (!preflight_over(o->asking, clock_now()))
            nanosleep(&moment, NULL);
        assert_false(preflight_finished(o->asking));
        outage_watch(&h->monitor, clock_now());
    }
    assert_true(clock_now() - begun < 3 * NSEC_S); /* death is seen, not waited out */
    assert_false(told(h, "resolvers down"));
    close(listener);
    move_out(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_whose_resolver_is_silent_is_held),
        cmocka_unit_test(who_is_not_asked_is_not_held),
        cmocka_unit_test(a_policy_that_is_not_to_be_changes_nothing),
        cmocka_unit_test(a_refused_start_only_counts),
        cmocka_unit_test(an_outage_is_believed_the_second_time),
        cmocka_unit_test(a_check_that_dies_says_nothing_of_the_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
