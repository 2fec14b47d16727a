/* What broke the policy: by kind, by client, and downgrades with their causes. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "report/build.h"
#include "report/cells.h"

enum { KINDS_MOST = 64, DOWNGRADES_COUNTED = 5000 };

struct told {
    char kind[32];
    int severity;
    char verdict[24];
    int64_t events, count;
};

struct violations {
    struct told told[KINDS_MOST];
    size_t count;
    int64_t by_kind[KIND_COUNT], blocked, would;
};

static struct told *told_like(struct violations *v, const struct told_row *row)
{
    struct told *t;

    for (size_t i = 0; i < v->count; i++) {
        t = v->told + i;
        if (strcmp(t->kind, row->kind) == 0 && t->severity == row->severity &&
            strcmp(t->verdict, row->verdict) == 0)
            return t;
    }
    if (v->count == KINDS_MOST)
        return NULL;
    t = v->told + v->count++;
    snprintf(t->kind, sizeof t->kind, "%s", row->kind);
    snprintf(t->verdict, sizeof t->verdict, "%s", row->verdict);
    t->severity = row->severity;
    return t;
}

static int see_told(void *context, const struct told_row *row)
{
    struct violations *v = context;
    struct told *t = told_like(v, row);
    int kind = kind_of(row->kind);

    if (kind >= 0)
        v->by_kind[kind] += row->events;
    if (strcmp(row->verdict, verdict_name(VERDICT_BLOCKED)) == 0)
        v->blocked += row->count;
    if (strcmp(row->verdict, verdict_name(VERDICT_WOULD_BLOCK)) == 0)
        v->would += row->count;
    if (t) {
        t->events += row->events;
        t->count += row->count;
    }
    return 0;
}

static void put_told(const struct violations *v, json_t *s)
{
    json_t *rows = section_table(s, "violations", "What was told",
                                 "kind:Kind;severity:Severity;verdict:Verdict;events#:Events;"
                                 "count#:Times");

    for (int severity = SEVERITY_HIGH; severity <= SEVERITY_INFORMATIONAL; severity++)
        for (size_t i = 0; i < v->count; i++)
            if (v->told[i].severity == severity)
                json_array_append_new(
                    rows, json_pack("[s,s,s,I,I]", v->told[i].kind,
                                    severity_name((unsigned)severity), v->told[i].verdict,
                                    (json_int_t)v->told[i].events, (json_int_t)v->told[i].count));
}

struct downgrades {
    const struct build *b;
    json_t *rows, *causes; /* causes: an object "cause, origin": count */
    int64_t count, grave;
};

static int see_downgrade(void *context, const struct event_row *row)
{
    struct downgrades *d = context;
    json_t *eve = json_loads(row->json, 0, NULL);
    const json_t *own = json_object_get(eve, "sealdns"), *e = json_object_get(own, "evidence");
    json_int_t severity =
        json_integer_value(json_object_get(json_object_get(eve, "alert"), "severity"));
    char cause[96];

    d->count++;
    d->grave += severity > 0 && severity <= SEVERITY_MEDIUM;
    snprintf(cause, sizeof cause, "%.40s, by %.40s", json_word(e, "cause"), json_word(e, "origin"));
    json_object_set_new(d->causes, cause,
                        json_integer(json_integer_value(json_object_get(d->causes, cause)) + 1));
    if (eve && json_array_size(d->rows) < REPORT_LIST)
        json_array_append_new(
            d->rows, build_row(d->b, json_word(eve, "host"),
                               json_pack("[o,s,s,s,s,s,s,O?]",
                                         json_sprintf("%.19sZ", json_word(own, "first")),
                                         json_word(own, "client"), json_word(own, "zone"),
                                         json_word(e, "failed_server"), json_word(e, "cause"),
                                         json_word(e, "origin"), severity_name((unsigned)severity),
                                         json_object_get(e, "queries"))));
    json_decref(eve);
    return 0;
}

static int build_downgrades(struct build *b, json_t *s)
{
    struct event_search search = {.since = b->period.since,
                                  .until = b->period.until,
                                  .kind = KIND_DOWNGRADE,
                                  .limit = DOWNGRADES_COUNTED};
    struct downgrades d = {.b = b, .causes = json_object()};
    json_t *causes, *count;
    const char *cause;
    int64_t next;
    int status;

    causes = section_table(s, "downgrade_causes",
                           "Downgrades from encrypted DNS to clear text, by cause",
                           "cause:Cause and origin;events#:Events");
    d.rows = build_table(b, s, "downgrades", "The latest downgrades",
                         "first@:First;client:Client;zone:Zone;server:Resolver;cause:Cause;"
                         "origin:Origin;severity:Severity;queries#:Queries in clear");
    status = b->source->events(b->source->reader, &search, &next, see_downgrade, &d);
    json_object_foreach(d.causes, cause, count)
        json_array_append_new(causes, json_pack("[s,O]", cause, count));
    json_decref(d.causes);
    section_say(s,
                d.count ? "%lld times a client tried encrypted DNS, failed, and went on in clear "
                          "text; %lld of these are of severity medium or high."
                        : "No downgrade from encrypted DNS to clear text was seen.",
                (long long)d.count, (long long)d.grave);
    build_measure(b, "downgrades", (double)d.count);
    build_measure(b, "downgrades_grave", (double)d.grave);
    return status;
}

static int see_client(void *context, const struct client_row *row)
{
    uint64_t all = 0;

    for (unsigned t = 0; t <= TRANSPORT_DNSCRYPT; t++)
        all += row->queries[t];
    return json_array_append_new(context,
                                 json_pack("[s,s,I,I]", row->client, row->zone,
                                           (json_int_t)row->clear_unapproved, (json_int_t)all));
}

static void put_measures(struct build *b, const struct violations *v)
{
    static const struct {
        enum kind kind;
        const char *name;
    } of[] = {{KIND_TUNNEL, "tunnel_events"},
              {KIND_ZONE_TRANSFER, "zone_transfer_events"},
              {KIND_POISONING, "poisoning_events"},
              {KIND_VOLUME_ANOMALY, "volume_events"},
              {KIND_RESOLVER_IDENTITY, "identity_events"}};

    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        build_measure(b, of[i].name, (double)v->by_kind[of[i].kind]);
    build_measure(b, "blocked", (double)v->blocked);
    build_measure(b, "would_block", (double)v->would);
}

int build_violations(struct build *b)
{
    json_t *s = build_section(b, "violations", "Violations and downgrades");
    struct violations v = {0};
    int status = b->source->told(b->source->reader, &b->period, see_told, &v);

    put_told(&v, s);
    put_measures(b, &v);
    if (status == SD_OK)
        status = build_downgrades(b, s);
    if (status == SD_OK)
        status = b->source->clear_clients(
            b->source->reader, &b->period, REPORT_LIST, see_client,
            section_table(s, "clients", "Clients that ask most in clear text, unapproved",
                          "client:Client;zone:Zone;clear#:In clear text;queries#:Of all queries"));
    return status;
}
