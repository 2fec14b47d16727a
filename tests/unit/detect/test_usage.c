/* The usage profile of each kind of client, how it changes, and that it survives a restart. */
#include "scene.h"

#include "detect/usage.h"

extern const struct detector detector_downgrade;

#define C     "10.30.1.1"
#define Q4    "9.9.9.9"
#define PLAIN "198.51.100.7"

static struct scene s;
static uint64_t flows;
static struct memory kept;
static int pieces;

static int open_scene(void **state)
{
    (void)state;
    scene_open(&s, &detector_downgrade);
    flows = 0;
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    scene_close(&s);
    return 0;
}

static void work(nsec_t t, const char *name)
{
    struct observation o = scene_flow(t, C, Q4, FLOW_OPENED, ++flows);

    scene_see(&s, &o);
    o.flow.phase = FLOW_ESTABLISHED;
    snprintf(o.flow.tls.sni, sizeof o.flow.tls.sni, "%s", name);
    scene_see(&s, &o);
}

static void fail_with(nsec_t t, enum cause cause)
{
    struct observation o = scene_flow(t, C, Q4, FLOW_OPENED, ++flows);

    scene_see(&s, &o);
    o.flow.phase = FLOW_FAILED;
    o.flow.cause = (uint8_t)cause;
    o.time += 5 * MS;
    scene_see(&s, &o);
}

static void ask(nsec_t t, int number)
{
    char name[32];

    snprintf(name, sizeof name, "host%d.example.org", number);
    scene_clear(&s, t, C, PLAIN, name);
}

static void recurse(nsec_t t)
{
    struct observation o = scene_query(t, C, PLAIN, "example.org");

    o.dns.message.flags = 0;
    scene_see(&s, &o);
}

static void run_until(nsec_t from, nsec_t to)
{
    for (nsec_t t = from; t <= to; t += 500 * MS)
        scene_tick(&s, t);
}

static int keep(void *context, const struct memory *m)
{
    struct addr client = at(C);
    char text[ADDR_TEXT];

    (void)context;
    assert_string_equal(m->topic, "profile");
    if (strcmp(m->key, addr_text(&client, text)) == 0)
        kept = *m;
    pieces++;
    return 0;
}

static void remember(nsec_t now)
{
    pieces = 0;
    s.detector->remember(s.state, (struct memory_sink){keep, NULL}, now);
}

/* What the store would be told now, or what it has. */
static void profile_is(nsec_t now, const char *word)
{
    char text[64];

    remember(now);
    snprintf(text, sizeof text, "\"profile\":\"%s\"", word);
    if (!strstr(kept.text.text, text))
        print_error("expected %s: %s\n", word, kept.text.text);
    assert_non_null(strstr(kept.text.text, text));
}

static void nothing_is_known(nsec_t now)
{
    memset(&kept, 0, sizeof kept);
    remember(now);
    assert_null(strstr(kept.text.text, "strict"));
    assert_null(strstr(kept.text.text, "opportunistic"));
}

static void who_takes_failures_is_strict(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        fail_with(T0 + i * S, CAUSE_RESET);
    profile_is(T0 + 4 * S, "strict");
    assert_non_null(strstr(kept.text.text, "\"failures\":3,\"hard_failures\":2"));
    scene_clear(&s, T0 + 5 * S, C, PLAIN, "dns.quad9.net"); /* bootstrap changes nothing */
    work(T0 + 6 * S, "dns.quad9.net");
    profile_is(T0 + 7 * S, "strict");
    assert_non_null(strstr(kept.text.text, "\"bootstrap\":1"));
}

/* Android waits 127 s, systemd-resolved was seen to take 280 s. */
static void silence_makes_nobody_strict_before_its_time(void **state)
{
    static const enum cause cause[] = {CAUSE_TIMEOUT, CAUSE_ICMP};
    static const nsec_t window[] = {130 * S, 300 * S};

    (void)state;
    for (int i = 0; i < 2; i++) {
        open_scene(NULL);
        for (int n = 0; n < 5; n++)
            fail_with(T0 + n * 10 * S, cause[i]);
        nothing_is_known(T0 + 100 * S);
        profile_is(T0 + 41 * S + window[i], "strict");
        close_scene(NULL);
    }
}

static void who_goes_on_in_clear_is_opportunistic(void **state)
{
    (void)state;
    work(T0, "dns.quad9.net");
    for (int i = 0; i < 3; i++)
        fail_with(T0 + 60 * S + i * S, CAUSE_RESET);
    profile_is(T0 + 64 * S, "strict");
    ask(T0 + 65 * S, 1);
    run_until(T0 + 65 * S, T0 + 67 * S);
    profile_is(T0 + 67 * S, "opportunistic");
    assert_non_null(strstr(kept.text.text, "\"clear_after_failure\":1"));
}

static void who_verifies_nothing_is_not_called_strict(void **state)
{
    (void)state;
    work(T0, "");
    for (int i = 0; i < 5; i++)
        fail_with(T0 + 60 * S + i * S, CAUSE_RESET);
    nothing_is_known(T0 + 70 * S);
    fail_with(T0 + 71 * S, CAUSE_CERTIFICATE); /* it does verify */
    profile_is(T0 + 72 * S, "strict");
}

static void clear_text_alone(void **state)
{
    (void)state;
    ask(T0, 1);
    ask(T0 + S, 2);
    nothing_is_known(T0 + S);
    ask(T0 + 2 * S, 3);
    profile_is(T0 + 3 * S, "clear-text-only");
}

static void clear_text_beside_encryption_is_mixed(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        work(T0 + i * 10 * S, "dns.quad9.net");
        ask(T0 + i * 10 * S + S, i);
    }
    run_until(T0 + 50 * S, T0 + 53 * S);
    profile_is(T0 + 60 * S, "mixed");
}

/* Chromium asks in clear text until its probe of the resolver has come back. */
static void clear_text_until_encryption_works_is_no_habit(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        ask(T0 + i * S, i);
    work(T0 + 10 * S, "dns.quad9.net");
    run_until(T0 + 10 * S, T0 + 13 * S);
    nothing_is_known(T0 + 20 * S);
    for (int i = 5; i < 8; i++)
        ask(T0 + i * 60 * S, i);
    profile_is(T0 + 500 * S, "mixed");
}

static void recursion_after_a_failure_is_opportunistic(void **state)
{
    (void)state;
    work(T0, "dns.quad9.net");
    fail_with(T0 + 60 * S, CAUSE_RESET);
    for (int i = 0; i < 3; i++)
        recurse(T0 + 61 * S + i * S);
    run_until(T0 + 61 * S, T0 + 65 * S);
    assert_int_equal(s.count, 0); /* and no downgrade */
    profile_is(T0 + 66 * S, "opportunistic");
    /* one that always recurses has not fallen back */
    close_scene(NULL);
    open_scene(NULL);
    work(T0, "dns.quad9.net");
    recurse(T0 + S);
    for (int i = 0; i < 4; i++) {
        fail_with(T0 + 60 * S + i * S, CAUSE_RESET);
        recurse(T0 + 60 * S + i * S + 100 * MS);
    }
    profile_is(T0 + 66 * S, "strict");
}

/* The end of a silent attempt is known after the recursion that it caused. */
static void recursion_beside_a_silent_attempt_is_opportunistic(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        nsec_t t = T0 + i * 10 * S;
        struct observation o = scene_flow(t, C, Q4, FLOW_OPENED, ++flows);

        scene_see(&s, &o);
        recurse(t + 2 * S);
        o.flow.phase = FLOW_FAILED;
        o.flow.cause = CAUSE_TIMEOUT;
        o.time = t + 2900 * MS;
        scene_see(&s, &o);
    }
    profile_is(T0 + 40 * S, "opportunistic");
}

/* Of a resolver that nobody knows: its name is one when its address is contacted. */
static void a_resolvers_name_again_and_again_is_bootstrap(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        nsec_t t = T0 + i * S;
        struct observation o = scene_answer(t + MS, C, PLAIN, "dns.private.example", Q4);

        scene_clear(&s, t, C, PLAIN, "dns.private.example");
        scene_see(&s, &o);
        fail_with(t + 2 * MS, CAUSE_RESET);
    }
    run_until(T0 + 6 * S, T0 + 9 * S);
    profile_is(T0 + 9 * S, "strict");
}

static void a_client_may_change(void **state)
{
    nsec_t week = 7 * 86400 * S;

    (void)state;
    fail_with(T0, CAUSE_RESET);
    ask(T0 + 10 * MS, 1);
    run_until(T0, T0 + 2 * S);
    profile_is(T0 + 2 * S, "opportunistic");
    for (int i = 0; i < 4; i++)
        fail_with(T0 + week + (10 + i) * S, CAUSE_RESET);
    profile_is(T0 + week + 20 * S, "strict");
}

static void it_survives_a_restart(void **state)
{
    struct memory strange;

    (void)state;
    for (int i = 0; i < 3; i++)
        fail_with(T0 + i * S, CAUSE_RESET);
    profile_is(T0 + 4 * S, "strict");
    strange = kept;
    close_scene(NULL);
    open_scene(NULL);
    s.detector->recall(s.state, &kept);
    strange.body[0] = 77; /* of another version: not guessed at */
    snprintf(strange.key, sizeof strange.key, "10.30.1.2");
    s.detector->recall(s.state, &strange);
    strange.size = 3;
    s.detector->recall(s.state, &strange);
    memset(&kept, 0, sizeof kept);
    work(T0 + 100 * S, "dns.quad9.net");
    profile_is(T0 + 101 * S, "strict");
    assert_non_null(strstr(kept.text.text, "\"failures\":3,"));
}

static void nothing_new_is_not_written_again(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        fail_with(T0 + i * S, CAUSE_RESET);
    remember(T0 + 4 * S);
    assert_int_equal(pieces, 1);
    remember(T0 + 5 * S);
    assert_int_equal(pieces, 0);
}

/* A query as account/ would note it: of the client at that place, whatever its address. */
static void ask_as(nsec_t t, uint32_t who, const char *address, int number)
{
    char name[32];
    struct observation o;

    snprintf(name, sizeof name, "host%d.example.org", number);
    o = scene_query(t, address, PLAIN, name);
    scene_note(s.policy, &o);
    o.note.who = who;
    o.note.tenure = who + 1;
    s.detector->observe(s.state, &o);
}

static struct memory row[8];
static int rows;

static int collect(void *context, const struct memory *m)
{
    (void)context;
    assert_true(rows < 8);
    row[rows++] = *m;
    return 0;
}

static void collect_all(nsec_t now)
{
    rows = 0;
    s.detector->remember(s.state, (struct memory_sink){collect, NULL}, now);
}

/* A new lease: what it had goes with it, and does not stay with the address. */
static void who_moves_takes_its_profile_along(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        ask_as(T0 + i * S, 5, "10.30.2.11", i);
    collect_all(T0 + 4 * S);
    assert_int_equal(rows, 1);
    assert_string_equal(row[0].key, "10.30.2.11");
    ask_as(T0 + 5 * S, 5, "10.30.2.12", 4);
    ask_as(T0 + 5 * S, 5, "2001:db8:30::12", 4); /* IPv4 stays what it goes by */
    for (int i = 0; i < 3; i++)
        ask_as(T0 + 6 * S, 3, "10.30.2.11", i); /* of another, in a place before */
    collect_all(T0 + 7 * S);
    assert_int_equal(rows, 3);
    assert_string_equal(row[0].key, "10.30.2.11");
    assert_true(row[0].forget);
    assert_string_equal(row[1].key, "10.30.2.11");
    assert_non_null(strstr(row[1].text.text, "\"clear_otherwise\":3"));
    assert_string_equal(row[2].key, "10.30.2.12");
    assert_non_null(strstr(row[2].text.text, "\"clear_otherwise\":5"));
    collect_all(T0 + 8 * S);
    assert_int_equal(rows, 0);
}

/* After a restart the address that it uses first may be another than the one it went by. */
static void what_was_remembered_is_found_by_a_later_address(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        ask_as(T0 + i * S, 5, "10.30.2.11", i);
    collect_all(T0 + 4 * S);
    close_scene(NULL);
    open_scene(NULL);
    s.detector->recall(s.state, &row[0]);
    ask_as(T0 + 10 * S, 9, "2001:db8:30::11", 4);
    ask_as(T0 + 11 * S, 9, "10.30.2.11", 5);
    collect_all(T0 + 12 * S);
    assert_int_equal(rows, 1);
    assert_string_equal(row[0].key, "10.30.2.11");
    assert_non_null(strstr(row[0].text.text, "\"clear_otherwise\":5"));
}

/* Or it is given back together with the place that its machine has. */
static void what_was_remembered_is_of_the_machines_place(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        ask_as(T0 + i * S, 5, "10.30.2.11", i);
    collect_all(T0 + 4 * S);
    close_scene(NULL);
    open_scene(NULL);
    row[0].who = 9;
    row[0].tenure = 10;
    s.detector->recall(s.state, &row[0]);
    ask_as(T0 + 10 * S, 9, "2001:db8:30::11", 4); /* temporary, never seen before */
    ask_as(T0 + 11 * S, 6, "10.30.2.11", 5);      /* another machine has the old one */
    collect_all(T0 + 12 * S);
    assert_int_equal(rows, 1);
    assert_non_null(strstr(row[0].text.text, "\"clear_otherwise\":4"));
}

static int no_room(void *context, const struct memory *m)
{
    (void)context;
    (void)m;
    return -1;
}

static void what_found_no_room_is_said_again(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        fail_with(T0 + i * S, CAUSE_RESET);
    s.detector->remember(s.state, (struct memory_sink){no_room, NULL}, T0 + 4 * S);
    remember(T0 + 5 * S);
    assert_int_equal(pieces, 1);
}

/* It had worked; the client comes back after an hour, and a portal may hold it. */
static void clear_text_right_after_an_absence_is_informational(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        work(T0 + i * S, "dns.quad9.net");
    fail_with(T0 + 3600 * S, CAUSE_RESET);
    ask(T0 + 3600 * S + 50 * MS, 1);
    run_until(T0 + 3600 * S, T0 + 3603 * S);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_INFORMATIONAL);
    assert_non_null(strstr(s.found[0].evidence.text, "\"attaching\":true"));
    fail_with(T0 + 3800 * S, CAUSE_RESET); /* it goes on */
    ask(T0 + 3800 * S + 50 * MS, 2);
    run_until(T0 + 3800 * S, T0 + 3803 * S);
    assert_int_equal(s.count, 2);
    assert_true(s.found[1].severity < SEVERITY_INFORMATIONAL);
    assert_null(strstr(s.found[1].evidence.text, "attaching"));
}

static void begin_vpn(nsec_t t, enum vpn vpn)
{
    struct observation o = scene_flow(t, C, "203.0.113.9", FLOW_OPENED, 0);

    o.kind = OBSERVE_VPN;
    o.vpn = (uint8_t)vpn;
    scene_note(s.policy, &o);
    s.detector->vpn_began(s.state, &o);
}

static void fall_back(nsec_t t, int number)
{
    fail_with(t, CAUSE_TIMEOUT);
    ask(t + 300 * MS, number);
    run_until(t, t + 3 * S);
}

/* Its routes change under the connections; a new key two minutes later is no beginning. */
static void clear_text_at_the_beginning_of_a_vpn_is_informational(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        work(T0 + i * S, "dns.quad9.net");
    begin_vpn(T0 + 90 * S, VPN_WIREGUARD);
    fall_back(T0 + 100 * S, 1);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_INFORMATIONAL);
    assert_non_null(strstr(s.found[0].evidence.text, "\"vpn\":\"wireguard\""));
    for (int i = 0; i < 5; i++)
        work(T0 + 150 * S + i * S, "dns.quad9.net");
    begin_vpn(T0 + 210 * S, VPN_WIREGUARD);
    s.count = 0;
    fall_back(T0 + 215 * S, 2);
    assert_int_equal(s.count, 1);
    assert_true(s.found[0].severity < SEVERITY_INFORMATIONAL);
    assert_null(strstr(s.found[0].evidence.text, "vpn"));
}

/* Who stays in clear text was not moved by it. */
static void it_excuses_no_more_than_a_moment(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        work(T0 + i * S, "dns.quad9.net");
    begin_vpn(T0 + 90 * S, VPN_IKE);
    fall_back(T0 + 100 * S, 1);
    fall_back(T0 + 170 * S, 2);
    assert_int_equal(s.found[0].severity, SEVERITY_INFORMATIONAL);
    assert_true(s.count >= 2 && s.found[s.count - 1].severity < SEVERITY_INFORMATIONAL);
}

/* The name of its server is asked in clear text, like that of a resolver. */
static void the_name_of_its_server_is_bootstrap(void **state)
{
    struct observation o;

    (void)state;
    for (int i = 0; i < 5; i++)
        work(T0 + i * S, "dns.quad9.net");
    fail_with(T0 + 100 * S, CAUSE_RESET);
    scene_clear(&s, T0 + 100 * S + 50 * MS, C, PLAIN, "vpn.example.org");
    o = scene_answer(T0 + 100 * S + 60 * MS, C, PLAIN, "vpn.example.org", "203.0.113.9");
    scene_see(&s, &o);
    begin_vpn(T0 + 100 * S + 90 * MS, VPN_OPENVPN);
    run_until(T0 + 100 * S, T0 + 103 * S);
    assert_int_equal(s.count, 0);
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(who_takes_failures_is_strict),
        cmocka_unit_test(silence_makes_nobody_strict_before_its_time),
        SCENE(who_goes_on_in_clear_is_opportunistic),
        SCENE(who_verifies_nothing_is_not_called_strict),
        SCENE(clear_text_alone),
        SCENE(clear_text_beside_encryption_is_mixed),
        SCENE(clear_text_until_encryption_works_is_no_habit),
        SCENE(recursion_after_a_failure_is_opportunistic),
        SCENE(recursion_beside_a_silent_attempt_is_opportunistic),
        SCENE(a_resolvers_name_again_and_again_is_bootstrap),
        SCENE(a_client_may_change),
        SCENE(clear_text_at_the_beginning_of_a_vpn_is_informational),
        SCENE(it_excuses_no_more_than_a_moment),
        SCENE(the_name_of_its_server_is_bootstrap),
        SCENE(it_survives_a_restart),
        SCENE(nothing_new_is_not_written_again),
        SCENE(what_found_no_room_is_said_again),
        SCENE(who_moves_takes_its_profile_along),
        SCENE(what_was_remembered_is_found_by_a_later_address),
        SCENE(what_was_remembered_is_of_the_machines_place),
        SCENE(clear_text_right_after_an_absence_is_informational)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
