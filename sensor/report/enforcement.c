/* What the kernel cut, who touched the rules, who is excepted until when, who changed what. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "report/build.h"
#include "report/cells.h"

enum { EVENTS_COUNTED = 5000, RULES_MOST = 256 };

struct rule_sum {
    char rule[64], verdict[24];
    int64_t packets, clients;
};

struct enforcement {
    const struct build *b;
    json_t *drift, *changes;
    struct rule_sum rules[RULES_MOST];
    size_t rule_count;
    int64_t drifts, changed;
};

static bool is_one_of(const char *what, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(what, *words) == 0)
            return true;
    return false;
}

static void add_rule(struct enforcement *e, const json_t *own)
{
    const json_t *evidence = json_object_get(own, "evidence");
    const char *rule = json_word(evidence, "rule"), *verdict = json_word(own, "verdict");
    size_t i = 0;

    while (i < e->rule_count &&
           (strcmp(e->rules[i].rule, rule) != 0 || strcmp(e->rules[i].verdict, verdict) != 0))
        i++;
    if (i == RULES_MOST)
        return;
    if (i == e->rule_count) {
        snprintf(e->rules[i].rule, sizeof e->rules->rule, "%s", rule);
        snprintf(e->rules[i].verdict, sizeof e->rules->verdict, "%s", verdict);
        e->rule_count++;
    }
    e->rules[i].packets += json_integer_value(json_object_get(evidence, "packets"));
    e->rules[i].clients++;
}

/* Who, as far as the kernel said it. */
static json_t *who(const json_t *e)
{
    const char *program = json_word(e, "program"), *login = json_word(e, "login"),
               *ssh = json_word(e, "ssh");
    const json_t *uid = json_object_get(e, "uid");

    if (!*program && !*login && !uid)
        return json_string("the sensor");
    return json_sprintf("%s%s%s, uid %lld%s%s", program, *login ? " of " : "", login,
                        (long long)json_integer_value(uid), *ssh ? ", from " : "", ssh);
}

static void add_row(const struct build *b, json_t *rows, const json_t *eve, const json_t *own)
{
    const json_t *e = json_object_get(own, "evidence");
    const char *detail = json_word(e, "changes");

    if (!*detail)
        detail = json_word(e, "detail");
    if (json_array_size(rows) < REPORT_LIST)
        json_array_append_new(
            rows,
            build_row(b, json_word(eve, "host"),
                      json_pack("[o,s,o,s,O?]", json_sprintf("%.19sZ", json_word(own, "last")),
                                json_word(e, "what"), who(e), detail,
                                json_object_get(own, "count"))));
}

static int see_event(void *context, const struct event_row *row)
{
    static const char *const drift[] = {"healed", "fought over", "lost", "restored", NULL};
    struct enforcement *e = context;
    json_t *eve = json_loads(row->json, 0, NULL);
    const json_t *own = json_object_get(eve, "sealdns");

    if (strcmp(json_word(own, "rule"), "rule-evidence") == 0) {
        add_rule(e, own);
    } else if (is_one_of(json_word(json_object_get(own, "evidence"), "what"), drift)) {
        e->drifts++;
        add_row(e->b, e->drift, eve, own);
    } else if (own) {
        e->changed++;
        add_row(e->b, e->changes, eve, own);
    }
    json_decref(eve);
    return 0;
}

static int put_exceptions(struct build *b, json_t *s)
{
    json_t *rows =
        section_table(s, "exceptions", "Exceptions of the policy in force",
                      "client:Who;resolver:Resolver;until@:Until;state:State;owner:Owner;"
                      "reason:Reason");
    const struct policy *p = b->ask->policy;
    int active = 0;

    for (size_t i = 0; i < p->exception_count; i++) {
        const struct policy_exception *e = p->exceptions + i;
        char client[ADDR_TEXT + 4];
        bool ended = e->until < b->ask->now;

        active += !ended;
        json_array_append_new(
            rows, json_pack("[s,s,o,s,s,s]", policy_exception_text(e, client),
                            e->resolver >= 0 ? p->resolvers[e->resolver].id : "any",
                            build_time(e->until), ended ? "ended" : "active", e->owner, e->reason));
    }
    build_measure(b, "exceptions_active", active);
    return active;
}

static void put_rules(const struct enforcement *e, json_t *s)
{
    json_t *rows = section_table(s, "cut", "What rules met, by the kernel's own log",
                                 "rule:Rule;verdict:Verdict;packets#:Packets;clients#:Clients and "
                                 "servers");

    for (size_t i = 0; i < e->rule_count; i++)
        json_array_append_new(rows, json_pack("[s,s,I,I]", e->rules[i].rule, e->rules[i].verdict,
                                              (json_int_t)e->rules[i].packets,
                                              (json_int_t)e->rules[i].clients));
}

static void say_mode(struct build *b, json_t *s)
{
    static const char *const means[] = {
        [MODE_MONITOR] = "it watches, and no rule is in the kernel",
        [MODE_SHADOW] = "its rules are in the kernel and count, but cut nothing",
        [MODE_ENFORCE] = "its rules are in the kernel and cut"};

    if (build_is_of_fleet(b))
        section_say(s,
                    "Exceptions are those of the policy that the report was made with (%s); "
                    "which policy each sensor follows stands in the table of sensors.",
                    b->ask->policy->digest);
    else
        section_say(s, "The policy in force (%s) is in mode %s: %s.", b->ask->policy->digest,
                    mode_name(b->ask->policy->mode), means[b->ask->policy->mode]);
}

int build_enforcement(struct build *b)
{
    json_t *s = build_section(b, "enforcement", "Enforcement, exceptions and changes");
    struct event_search search = {.since = b->period.since,
                                  .until = b->period.until,
                                  .kind = KIND_ENFORCEMENT,
                                  .limit = EVENTS_COUNTED};
    struct enforcement e = {.b = b};
    int status, active;
    int64_t next;

    say_mode(b, s);
    active = put_exceptions(b, s);
    e.drift = build_table(b, s, "drift", "Rules that were found changed, and put back",
                          "time@:Last;what:What;who:Who;detail:Detail;count#:Times");
    e.changes = build_table(b, s, "changes", "Changes of policy and rules, the latest first",
                            "time@:Time;what:What;who:Who;detail:Detail;count#:Times");
    status = b->source->events(b->source->reader, &search, &next, see_event, &e);
    put_rules(&e, s);
    section_say(s,
                "Rules cut %.0f times what clients sent, as far as events tell it; %.0f more would "
                "have been cut in mode enforce.",
                build_measured(b, "blocked"), build_measured(b, "would_block"));
    section_say(s, "%d exceptions are active. %lld changes of policy and rules are on record.",
                active, (long long)e.changed);
    if (e.drifts)
        section_warn(s, "%lld times somebody else changed the rules in the kernel.",
                     (long long)e.drifts);
    build_measure(b, "drift_events", (double)e.drifts);
    build_measure(b, "policy_changes", (double)e.changed);
    return status;
}
