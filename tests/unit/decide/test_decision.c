#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "decide/decide.h"
#include "model/mute.h"

#define T0 (INT64_C(1795262400) * NSEC_S)
#define S  NSEC_S

struct ledger {
    struct decision *d;
    struct stats stats;
    struct policy policy;
    bool full;
    size_t count;
    struct event event[64];
    char zone[64]; /* of the last record */
};

static int take(void *context, const struct record *r)
{
    struct ledger *l = context;

    assert_int_equal(r->kind, RECORD_EVENT);
    if (l->full)
        return SD_ELIMIT;
    l->event[l->count++ % 64] = r->event;
    snprintf(l->zone, sizeof l->zone, "%s", r->zone);
    return 0;
}

static void open_ledger(struct ledger *l, size_t events, enum mode mode, bool installed)
{
    memset(l, 0, sizeof *l);
    snprintf(l->policy.name, sizeof l->policy.name, "gw");
    l->d = decision_create(events, 7, (struct record_sink){take, l}, &l->stats);
    assert_non_null(l->d);
    decision_use_policy(l->d, &l->policy, mode, installed);
}

static struct finding finding(nsec_t t, uint64_t key)
{
    struct finding f = {.rule = "cleartext",
                        .severity = SEVERITY_LOW,
                        .cut = ACTION_ALERT,
                        .key = key,
                        .count = 1,
                        .time = t,
                        .query = true};

    return f;
}

/* In a flood a ledger ends an event at the very time at which its like begins again: two events. */
static void what_begins_again_at_once_is_another_event(void **state)
{
    static struct ledger l;
    struct finding one = finding(T0, 1), other = finding(T0, 2);

    (void)state;
    open_ledger(&l, 1, MODE_MONITOR, false);
    decision_finding(l.d, &one);
    decision_finding(l.d, &other);
    decision_finding(l.d, &one);
    decision_finding(l.d, &other);
    decision_finding(l.d, &one);
    decision_flush(l.d, T0);
    assert_int_equal(l.count, 10);
    for (size_t i = 0; i < l.count; i += 2) /* each is told of, then final */
        for (size_t j = 0; j < i; j += 2)
            assert_string_not_equal(l.event[i].id, l.event[j].id);
    decision_destroy(l.d);
}

/* Where the kernel said what became of it, that counts; else what is installed. */
static void the_kernels_word_makes_the_verdict(void **state)
{
    static const struct {
        enum proof proof;
        enum mode mode;
        bool installed;
        enum verdict verdict;
    } rows[] = {{PROOF_POLICY, MODE_ENFORCE, true, VERDICT_BLOCKED},
                {PROOF_POLICY, MODE_ENFORCE, false, VERDICT_WOULD_BLOCK},
                {PROOF_ACTED, MODE_ENFORCE, false, VERDICT_BLOCKED},
                {PROOF_ACTED, MODE_SHADOW, true, VERDICT_BLOCKED},
                {PROOF_COUNTED, MODE_ENFORCE, true, VERDICT_WOULD_BLOCK}};
    static struct ledger l;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct finding f = finding(T0, 1);

        open_ledger(&l, 0, rows[i].mode, rows[i].installed);
        f.cut = ACTION_REJECT;
        f.proof = (uint8_t)rows[i].proof;
        decision_finding(l.d, &f);
        assert_int_equal(l.event[0].verdict, rows[i].verdict);
        decision_destroy(l.d);
    }
}

/* An alert that was judged by the policy is written again, once, when the kernel has confirmed it.
 */
static void a_proof_is_worth_a_revision(void **state)
{
    static struct ledger l;
    struct finding f = finding(T0, 1);

    (void)state;
    open_ledger(&l, 0, MODE_ENFORCE, true);
    f.cut = ACTION_REJECT;
    decision_finding(l.d, &f);
    f.proof = PROOF_ACTED;
    f.time = T0 + S;
    decision_finding(l.d, &f);
    assert_int_equal(l.count, 2);
    f.time = T0 + 2 * S;
    decision_finding(l.d, &f);
    assert_int_equal(l.count, 2);
    decision_destroy(l.d);
}

static void a_clock_that_was_set_back_silences_nothing(void **state)
{
    static struct ledger l;
    nsec_t then = T0 - 86400 * S;
    struct finding f;

    (void)state;
    open_ledger(&l, 0, MODE_MONITOR, false);
    f = finding(T0, 1);
    decision_finding(l.d, &f);
    decision_tick(l.d, T0 + S);
    assert_int_equal(l.count, 1);
    for (int i = 0; i < 500; i++) {
        f = finding(then + i * S, 1);
        if (i < 200)
            decision_finding(l.d, &f);
        decision_tick(l.d, f.time);
    }
    assert_int_equal(l.event[l.count - 1].count, 201);
    assert_in_range(l.count, 3, 8);
    decision_destroy(l.d);
}

static void repeats_grow_one_event(void **state)
{
    static struct ledger l;
    struct finding f;

    (void)state;
    open_ledger(&l, 0, MODE_MONITOR, false);
    for (int i = 0; i < 100; i++) {
        f = finding(T0 + i * S, 1);
        decision_tick(l.d, f.time);
        decision_finding(l.d, &f);
    }
    decision_tick(l.d, T0 + 122 * S);
    decision_tick(l.d, T0 + 900 * S);
    assert_int_equal(l.count, 4);
    assert_int_equal(l.event[0].state, STATE_NEW);
    assert_int_equal(l.event[0].count, 1);
    assert_int_equal(l.event[1].state, STATE_UPDATE);
    assert_true(l.event[1].written >= T0 + 60 * S);
    assert_int_equal(l.event[2].count, 100);
    assert_true(l.event[2].written >= T0 + 120 * S);
    assert_int_equal(l.event[3].state, STATE_FINAL);
    assert_int_equal(l.event[3].revision, 4);
    assert_int_equal(l.event[3].count, 100);
    assert_true(l.event[3].first == T0 && l.event[3].last == T0 + 99 * S);
    for (int i = 1; i < 4; i++)
        assert_string_equal(l.event[i].id, l.event[0].id);
    assert_int_equal(strlen(l.event[0].id), 16);
    assert_int_equal(l.stats.events, 4);
    decision_destroy(l.d);
}

/* Two hours of one client: after 1, 2, 4, 8, 16, 32 minutes; with a weightier one each minute. */
static void what_weighs_little_is_told_less_often(void **state)
{
    static const struct {
        uint8_t severity;
        size_t revisions;
    } cases[] = {{SEVERITY_LOW, 7}, {SEVERITY_INFORMATIONAL, 7}, {SEVERITY_MEDIUM, 120}};
    static struct ledger l;

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof *cases; at++) {
        open_ledger(&l, 0, MODE_MONITOR, false);
        for (int i = 0; i < 7200; i += 10) {
            struct finding f = finding(T0 + i * S, 1);

            f.severity = cases[at].severity;
            decision_tick(l.d, f.time);
            decision_finding(l.d, &f);
        }
        assert_in_range(l.stats.events, cases[at].revisions - 1, cases[at].revisions + 1);
        decision_flush(l.d, T0 + 7200 * S);
        assert_int_equal(l.event[(l.count - 1) % 64].count, 720); /* the last one has it all */
        decision_destroy(l.d);
    }
}

static void what_gets_graver_is_written_at_once(void **state)
{
    static struct ledger l;
    struct finding f = finding(T0, 1);

    (void)state;
    open_ledger(&l, 0, MODE_MONITOR, false);
    decision_finding(l.d, &f);
    f.severity = SEVERITY_HIGH;
    f.time += S;
    decision_finding(l.d, &f);
    assert_int_equal(l.count, 2);
    f.severity = SEVERITY_LOW; /* less grave: waits, and takes nothing back */
    f.time += S;
    decision_finding(l.d, &f);
    assert_int_equal(l.count, 2);
    f.cut = ACTION_REJECT; /* a stronger verdict */
    f.time += S;
    decision_finding(l.d, &f);
    assert_int_equal(l.count, 3);
    assert_int_equal(l.event[2].verdict, VERDICT_WOULD_BLOCK);
    assert_int_equal(l.event[2].finding.severity, SEVERITY_HIGH);
    assert_int_equal(l.event[2].count, 4);
    decision_destroy(l.d);
}

static void verdicts_follow_mode_and_kernel(void **state)
{
    static const struct {
        enum mode mode;
        bool installed, excepted;
        enum action cut;
        enum verdict expected;
    } row[] = {{MODE_ENFORCE, true, false, ACTION_REJECT, VERDICT_BLOCKED},
               {MODE_ENFORCE, true, false, ACTION_DROP, VERDICT_BLOCKED},
               {MODE_ENFORCE, true, false, ACTION_ALERT, VERDICT_ALLOWED},
               {MODE_ENFORCE, true, false, ACTION_REDIRECT, VERDICT_REDIRECTED},
               {MODE_ENFORCE, false, false, ACTION_REDIRECT, VERDICT_WOULD_REDIRECT},
               {MODE_SHADOW, true, false, ACTION_REDIRECT, VERDICT_WOULD_REDIRECT},
               {MODE_ENFORCE, true, true, ACTION_REJECT, VERDICT_EXCEPTED},
               {MODE_ENFORCE, false, false, ACTION_REJECT, VERDICT_WOULD_BLOCK},
               {MODE_SHADOW, true, false, ACTION_REJECT, VERDICT_WOULD_BLOCK},
               {MODE_MONITOR, false, false, ACTION_DROP, VERDICT_WOULD_BLOCK}};

    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        static struct ledger l;
        struct finding f = finding(T0, 1);

        open_ledger(&l, 0, row[i].mode, row[i].installed);
        f.cut = row[i].cut;
        f.excepted = row[i].excepted;
        decision_finding(l.d, &f);
        assert_int_equal(l.event[0].verdict, row[i].expected);
        decision_destroy(l.d);
    }
}

/* A client that the rollout has not come to, and rules that are somebody else's. */
static void nothing_is_blocked_where_no_rule_of_ours_acts(void **state)
{
    static struct ledger l;
    struct policy_zone zones[] = {{.id = "office", .rollout = {.given = true, .percent = 0}}};
    struct policy policy = {.zones = zones, .zone_count = 1};
    struct finding f = finding(T0, 1), g = finding(T0, 2), h = finding(T0, 3);

    (void)state;
    open_ledger(&l, 0, MODE_ENFORCE, true);
    decision_use_policy(l.d, &policy, MODE_ENFORCE, true);
    f.cut = g.cut = h.cut = ACTION_REJECT;
    decision_finding(l.d, &f);
    zones[0].rollout.percent = 100;
    decision_finding(l.d, &g);
    policy.set_only = true;
    decision_finding(l.d, &h);
    assert_int_equal(l.event[0].verdict, VERDICT_WOULD_BLOCK);
    assert_int_equal(l.event[1].verdict, VERDICT_BLOCKED);
    assert_int_equal(l.event[2].verdict, VERDICT_WOULD_BLOCK);
    decision_destroy(l.d);
}

/* Its rules stand in the kernel and only count. */
static void nothing_is_blocked_in_a_zone_that_is_held(void **state)
{
    static struct ledger l;
    struct policy_zone zones[] = {{.id = "open", .held = true}, {.id = "shut"}};
    struct policy policy = {.zones = zones, .zone_count = 2};
    struct finding f = finding(T0, 1), g = finding(T0, 2), h = finding(T0, 3), i = finding(T0, 4);

    (void)state;
    open_ledger(&l, 0, MODE_ENFORCE, true);
    decision_use_policy(l.d, &policy, MODE_ENFORCE, true);
    f.cut = g.cut = i.cut = ACTION_REJECT;
    h.cut = ACTION_REDIRECT;
    g.zone = 1;
    i.zone = -1;
    decision_finding(l.d, &f);
    decision_finding(l.d, &g);
    decision_finding(l.d, &h);
    decision_finding(l.d, &i);
    assert_int_equal(l.event[0].verdict, VERDICT_WOULD_BLOCK);
    assert_int_equal(l.event[1].verdict, VERDICT_BLOCKED);
    assert_int_equal(l.event[2].verdict, VERDICT_WOULD_REDIRECT);
    assert_int_equal(l.event[3].verdict, VERDICT_BLOCKED);
    decision_destroy(l.d);
}

static void a_full_ledger_ends_the_oldest(void **state)
{
    static struct ledger l;
    unsigned finals = 0;

    (void)state;
    open_ledger(&l, 8, MODE_MONITOR, false);
    for (uint64_t key = 1; key <= 9; key++) {
        struct finding f = finding(T0 + (nsec_t)key * S, key);

        decision_finding(l.d, &f);
    }
    assert_int_equal(l.count, 10);
    assert_int_equal(l.event[8].state, STATE_FINAL);
    assert_true(l.event[8].finding.key == 1);
    decision_flush(l.d, T0 + 10 * S);
    for (size_t i = 0; i < l.count; i++)
        finals += l.event[i].state == STATE_FINAL;
    assert_int_equal(finals, 9);
    decision_destroy(l.d);
}

/* Zones are places in a list: another policy has another list. */
static void open_events_keep_their_zone_when_the_policy_changes(void **state)
{
    static struct policy_zone before[3] = {{.id = "default"}, {.id = "gateway"}, {.id = "lan"}};
    static struct policy_zone after[4] = {
        {.id = "default"}, {.id = "gateway"}, {.id = "guests"}, {.id = "lan"}};
    static struct ledger l;
    struct policy second = {.name = "gw", .zones = after, .zone_count = 4};
    struct policy third = {.name = "gw", .zones = after, .zone_count = 2};
    struct finding f = finding(T0, 1);

    (void)state;
    open_ledger(&l, 0, MODE_MONITOR, false);
    l.policy.zones = before;
    l.policy.zone_count = 3;
    f.zone = 2;
    decision_finding(l.d, &f);
    assert_string_equal(l.zone, "lan");
    decision_use_policy(l.d, &second, MODE_MONITOR, false);
    f = finding(T0 + S, 1);
    f.zone = 3;
    f.severity = SEVERITY_INFORMATIONAL; /* less grave: the first finding stays the event's */
    decision_finding(l.d, &f);
    decision_tick(l.d, T0 + 70 * S);
    assert_int_equal(l.count, 2);
    assert_string_equal(l.zone, "lan");
    decision_use_policy(l.d, &third, MODE_MONITOR, false);
    decision_flush(l.d, T0 + 80 * S);
    assert_int_equal(l.count, 3);
    assert_string_equal(l.zone, "default");
    decision_destroy(l.d);
}

static void what_the_sink_refuses_is_written_later(void **state)
{
    static struct ledger l;
    struct finding f = finding(T0, 1);

    (void)state;
    open_ledger(&l, 0, MODE_MONITOR, false);
    l.full = true;
    decision_finding(l.d, &f);
    decision_tick(l.d, T0 + S / 2);
    l.full = false;
    decision_tick(l.d, T0 + 5 * S);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.event[0].state, STATE_NEW);
    assert_int_equal(l.event[0].revision, 1);
    decision_destroy(l.d);
}

static struct policy_mute mute_of_rule(const char *rule, nsec_t until)
{
    struct policy_mute m = {.kind = -1, .until = until};

    snprintf(m.rule, sizeof m.rule, "%s", rule);
    return m;
}

/* It is found, stored and counted, and graver again when the mute has ended. */
static void what_is_muted_weighs_nothing_and_is_not_lost(void **state)
{
    static struct ledger l;
    struct policy_mute mute = mute_of_rule("cleartext", T0 + 100 * S);
    struct finding f = finding(T0, 1), other = finding(T0, 2);

    (void)state;
    open_ledger(&l, 0, MODE_MONITOR, false);
    l.policy.mutes = &mute;
    l.policy.mute_count = 1;
    decision_finding(l.d, &f);
    assert_int_equal(l.count, 1);
    assert_int_equal(l.event[0].finding.severity, SEVERITY_INFORMATIONAL);
    assert_int_equal(l.event[0].finding.muted, SEVERITY_LOW);
    assert_int_equal(l.stats.events_muted, 1);
    snprintf(other.rule, sizeof other.rule, "tunnel");
    decision_finding(l.d, &other);
    assert_int_equal(l.event[1].finding.muted, SEVERITY_NONE);
    assert_int_equal(l.stats.events_muted, 1);
    f.time = T0 + 100 * S + 1;
    decision_finding(l.d, &f);
    assert_int_equal(l.count, 3); /* at once: it has become graver */
    assert_int_equal(l.event[2].finding.severity, SEVERITY_LOW);
    assert_int_equal(l.event[2].finding.muted, SEVERITY_NONE);
    assert_int_equal(l.event[2].count, 2);
    decision_destroy(l.d);
}

static void an_open_event_is_muted_by_a_new_policy_and_back(void **state)
{
    static struct ledger l;
    struct policy_mute mute = mute_of_rule("cleartext", T0 + 1000 * S);
    struct policy muting = {.mutes = &mute, .mute_count = 1}, plain = {.mute_count = 0};
    struct finding f = finding(T0, 1);

    (void)state;
    open_ledger(&l, 0, MODE_MONITOR, false);
    decision_finding(l.d, &f);
    decision_use_policy(l.d, &muting, MODE_MONITOR, false);
    f.time += 61 * S;
    decision_finding(l.d, &f);
    assert_int_equal(l.event[l.count - 1].finding.severity, SEVERITY_INFORMATIONAL);
    assert_int_equal(l.event[l.count - 1].finding.muted, SEVERITY_LOW);
    decision_use_policy(l.d, &plain, MODE_MONITOR, false);
    decision_flush(l.d, T0 + 70 * S);
    assert_int_equal(l.event[l.count - 1].finding.severity, SEVERITY_LOW);
    assert_int_equal(l.event[l.count - 1].finding.muted, SEVERITY_NONE);
    decision_destroy(l.d);
}

static void a_mute_covers_what_it_names(void **state)
{
    struct policy_mute mute = mute_of_rule("cleartext", T0);
    struct policy p = {.mutes = &mute, .mute_count = 1};
    struct finding f = finding(T0, 1);

    (void)state;
    assert_ptr_equal(policy_mute_for(&p, &f, T0), &mute);
    assert_null(policy_mute_for(&p, &f, T0 + 1));
    mute.has_client = true;
    assert_int_equal(prefix_parse("10.20.0.0/16", &mute.client), 0);
    assert_null(policy_mute_for(&p, &f, T0)); /* about nobody */
    assert_int_equal(addr_parse("10.20.1.1", &f.client), 0);
    assert_non_null(policy_mute_for(&p, &f, T0));
    assert_int_equal(addr_parse("10.21.1.1", &f.client), 0);
    assert_null(policy_mute_for(&p, &f, T0));
    mute.has_client = false;
    snprintf(mute.name, sizeof mute.name, "example.org");
    assert_null(policy_mute_for(&p, &f, T0));
    snprintf(f.name, sizeof f.name, "a.b.example.org");
    assert_non_null(policy_mute_for(&p, &f, T0));
    snprintf(f.name, sizeof f.name, "badexample.org");
    assert_null(policy_mute_for(&p, &f, T0));
    mute.name[0] = mute.rule[0] = '\0';
    mute.kind = KIND_TUNNEL;
    assert_null(policy_mute_for(&p, &f, T0));
    f.kind = KIND_TUNNEL;
    assert_non_null(policy_mute_for(&p, &f, T0));
}

static void the_same_input_gives_the_same_ids(void **state)
{
    static struct ledger a, b;
    struct finding f = finding(T0, 1), g = finding(T0, 2);

    (void)state;
    open_ledger(&a, 0, MODE_MONITOR, false);
    open_ledger(&b, 0, MODE_MONITOR, false);
    decision_finding(a.d, &f);
    decision_finding(b.d, &f);
    decision_finding(b.d, &g);
    assert_string_equal(a.event[0].id, b.event[0].id);
    assert_string_not_equal(b.event[0].id, b.event[1].id);
    decision_destroy(a.d);
    decision_destroy(b.d);
}

static struct open_event there(uint32_t revision, nsec_t last)
{
    struct event e = {.id = "00000000000000ab",
                      .revision = revision,
                      .state = STATE_UPDATE,
                      .count = 10,
                      .first = T0,
                      .last = last,
                      .finding = {.rule = "cleartext", .kind = KIND_CLEARTEXT, .key = 5}};
    struct open_event o;

    assert_true(open_event_of(&e, &o));
    assert_true(open_event_is_sound(&o, last));
    return o;
}

static void an_event_of_the_other_gateway_goes_on(void **unused)
{
    struct ledger l;
    struct finding f = finding(T0 + 100 * S, 5), other = finding(T0 + 100 * S, 6);
    struct open_event o = there(3, T0 + 90 * S);

    (void)unused;
    open_ledger(&l, 0, MODE_MONITOR, false);
    decision_adopt(l.d, &o, T0 + 95 * S);
    decision_finding(l.d, &f);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.event[0].id, "00000000000000ab");
    assert_int_equal(l.event[0].revision, 4);
    assert_int_equal(l.event[0].state, STATE_UPDATE);
    assert_int_equal(l.event[0].count, 11);
    assert_true(l.event[0].first == T0);
    decision_finding(l.d, &other);
    assert_int_equal(l.event[1].revision, 1);
    assert_string_not_equal(l.event[1].id, l.event[0].id);
    decision_destroy(l.d);
}

static void what_ended_there_begins_anew_here(void **unused)
{
    struct ledger l;
    struct finding f = finding(T0 + 2000 * S, 5);
    struct open_event o = there(3, T0 + 90 * S); /* quiet for longer than it stays open */

    (void)unused;
    open_ledger(&l, 0, MODE_MONITOR, false);
    decision_adopt(l.d, &o, T0 + 95 * S);
    decision_finding(l.d, &f);
    assert_int_equal(l.event[0].revision, 1);
    decision_destroy(l.d);
    open_ledger(&l, 0, MODE_MONITOR, false);
    decision_adopt(l.d, &o, T0 + 95 * S);
    o.state = STATE_FINAL;
    o.revision++;
    decision_adopt(l.d, &o, T0 + 96 * S);
    f.time = T0 + 97 * S;
    decision_finding(l.d, &f);
    assert_int_equal(l.event[0].revision, 1);
    decision_destroy(l.d);
}

/* Otherwise it would be final here while it grows there. */
static void what_moved_there_is_not_made_final_here(void **unused)
{
    struct ledger l;
    struct finding f = finding(T0 + 100 * S, 5);
    struct open_event o = there(3, T0 + 90 * S);

    (void)unused;
    open_ledger(&l, 0, MODE_MONITOR, false);
    decision_adopt(l.d, &o, T0 + 95 * S);
    decision_finding(l.d, &f); /* ours now */
    o.revision = 5;
    o.last = T0 + 120 * S;
    decision_adopt(l.d, &o, T0 + 121 * S); /* both see it: it stays */
    f.time = T0 + 125 * S;
    decision_finding(l.d, &f);
    o.last = T0 + 190 * S;
    decision_adopt(l.d, &o, T0 + 191 * S);
    decision_flush(l.d, T0 + 2000 * S);
    assert_int_equal(l.count, 1);
    f.time = T0 + 200 * S; /* and comes back */
    decision_finding(l.d, &f);
    assert_string_equal(l.event[1].id, "00000000000000ab");
    assert_int_equal(l.event[1].revision, 6);
    decision_destroy(l.d);
}

/* Two that began by themselves stay two, each with its end. */
static void an_event_with_another_id_is_left_alone(void **unused)
{
    struct ledger l;
    struct finding f = finding(T0 + 10 * S, 5);
    struct open_event o = there(9, T0 + 190 * S);

    (void)unused;
    open_ledger(&l, 0, MODE_MONITOR, false);
    decision_finding(l.d, &f);
    decision_adopt(l.d, &o, T0 + 191 * S);
    decision_flush(l.d, T0 + 2000 * S);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.event[1].state, STATE_FINAL);
    assert_string_equal(l.event[1].id, l.event[0].id);
    decision_destroy(l.d);
}

static void what_is_no_event_is_not_sound(void **unused)
{
    struct open_event good = there(1, T0 + S), bad[8];

    (void)unused;
    for (size_t i = 0; i < 8; i++)
        bad[i] = good;
    bad[0].id = 0;
    bad[1].revision = 0;
    bad[2].revision = UINT32_MAX;
    bad[3].state = STATE_COUNT;
    bad[4].first = -1;
    bad[5].first = bad[5].last + 1;
    bad[6].last = T0 + 3700 * S;
    bad[7].zero[2] = 1;
    for (size_t i = 0; i < 8; i++)
        assert_false(open_event_is_sound(bad + i, T0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernels_word_makes_the_verdict),
        cmocka_unit_test(a_proof_is_worth_a_revision),
        cmocka_unit_test(a_clock_that_was_set_back_silences_nothing),
        cmocka_unit_test(repeats_grow_one_event),
        cmocka_unit_test(what_weighs_little_is_told_less_often),
        cmocka_unit_test(what_gets_graver_is_written_at_once),
        cmocka_unit_test(verdicts_follow_mode_and_kernel),
        cmocka_unit_test(nothing_is_blocked_in_a_zone_that_is_held),
        cmocka_unit_test(nothing_is_blocked_where_no_rule_of_ours_acts),
        cmocka_unit_test(a_full_ledger_ends_the_oldest),
        cmocka_unit_test(what_begins_again_at_once_is_another_event),
        cmocka_unit_test(open_events_keep_their_zone_when_the_policy_changes),
        cmocka_unit_test(what_is_muted_weighs_nothing_and_is_not_lost),
        cmocka_unit_test(an_open_event_is_muted_by_a_new_policy_and_back),
        cmocka_unit_test(a_mute_covers_what_it_names),
        cmocka_unit_test(what_the_sink_refuses_is_written_later),
        cmocka_unit_test(the_same_input_gives_the_same_ids),
        cmocka_unit_test(an_event_of_the_other_gateway_goes_on),
        cmocka_unit_test(what_ended_there_begins_anew_here),
        cmocka_unit_test(what_moved_there_is_not_made_final_here),
        cmocka_unit_test(an_event_with_another_id_is_left_alone),
        cmocka_unit_test(what_is_no_event_is_not_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
