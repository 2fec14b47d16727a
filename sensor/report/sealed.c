/* The share of DNS that is sealed: over time, by zone, against the period before; transports. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "report/build.h"

enum { POINTS = 60, ZONES = 256 };

struct parts {
    uint64_t clear_approved, clear_unapproved, sealed_approved, sealed_unapproved;
};

struct zone_sum {
    char zone[64];
    struct parts now, before;
};

struct sealed {
    struct build *b;
    nsec_t step;
    struct parts all, all_before, at[POINTS + 2]; /* at: by step */
    struct zone_sum zones[ZONES];
    size_t zone_count;
    uint64_t transports[TRANSPORT_COUNT];
};

static bool is_clear(enum transport t)
{
    return t == TRANSPORT_DO53_UDP || t == TRANSPORT_DO53_TCP;
}

static void add(struct parts *p, const struct zone_row *row)
{
    uint64_t n = row->counts.queries;

    if (is_clear(row->transport))
        *(row->approved ? &p->clear_approved : &p->clear_unapproved) += n;
    else
        *(row->approved ? &p->sealed_approved : &p->sealed_unapproved) += n;
}

static uint64_t sealed_of(const struct parts *p)
{
    return p->sealed_approved + p->sealed_unapproved;
}

static uint64_t all_of(const struct parts *p)
{
    return sealed_of(p) + p->clear_approved + p->clear_unapproved;
}

static struct zone_sum *zone_called(struct sealed *s, const char *zone)
{
    for (size_t i = 0; i < s->zone_count; i++)
        if (strcmp(s->zones[i].zone, zone) == 0)
            return s->zones + i;
    if (s->zone_count == ZONES)
        return NULL; /* it is in the sums of all */
    snprintf(s->zones[s->zone_count].zone, sizeof s->zones->zone, "%s", zone);
    return s->zones + s->zone_count++;
}

static int see(void *context, const struct zone_row *row)
{
    struct sealed *s = context;
    struct zone_sum *z = zone_called(s, row->zone);
    nsec_t first = s->b->period.since - s->b->period.since % s->step;
    nsec_t at = (row->time - first) / s->step;

    add(&s->all, row);
    if (z)
        add(&z->now, row);
    if (at >= 0 && at < POINTS + 2)
        add(s->at + at, row);
    s->transports[row->transport] += row->counts.queries;
    return 0;
}

static int see_before(void *context, const struct zone_row *row)
{
    struct sealed *s = context;
    struct zone_sum *z = zone_called(s, row->zone);

    add(&s->all_before, row);
    if (z)
        add(&z->before, row);
    return 0;
}

/* An hour, a day, or as many days as leave the chart readable. */
static nsec_t step_of(const struct summary_period *p)
{
    nsec_t length = p->until - p->since, days = length / REPORT_DAY;

    if (days <= 2)
        return 3600 * NSEC_S;
    return (days / POINTS + 1) * REPORT_DAY;
}

static json_t *points_series(json_t *chart, const char *name)
{
    json_t *values = json_array();

    json_array_append_new(json_object_get(chart, "series"),
                          json_pack("{s:s,s:o}", "name", name, "values", values));
    return values;
}

static void put_charts(struct sealed *s, json_t *section)
{
    json_t *share = section_chart(section, "share", "Share of DNS that is sealed", "share");
    json_t *stack = section_chart(section, "queries", "Queries by how they went", "stack");
    json_t *shares = points_series(share, "sealed");
    json_t *of[] = {points_series(stack, "sealed, approved"), points_series(stack, "sealed, other"),
                    points_series(stack, "clear text, approved"),
                    points_series(stack, "clear text, other")};
    nsec_t first = s->b->period.since - s->b->period.since % s->step;

    for (int i = 0; i < POINTS + 2 && first + i * s->step < s->b->period.until; i++) {
        const struct parts *p = s->at + i;
        uint64_t n[] = {p->sealed_approved, p->sealed_unapproved, p->clear_approved,
                        p->clear_unapproved};

        json_array_append_new(json_object_get(share, "labels"), build_time(first + i * s->step));
        json_array_append_new(json_object_get(stack, "labels"), build_time(first + i * s->step));
        json_array_append_new(shares, build_share(sealed_of(p), all_of(p)));
        for (int k = 0; k < 4; k++)
            json_array_append_new(of[k], json_integer((json_int_t)n[k]));
    }
}

static json_t *change_of(const struct parts *now, const struct parts *before)
{
    double a, b;

    if (!all_of(now) || !all_of(before))
        return json_string("nothing to compare with");
    a = (double)sealed_of(now) / (double)all_of(now);
    b = (double)sealed_of(before) / (double)all_of(before);
    return json_sprintf("%+.1f points", 100 * (a - b));
}

static json_t *zone_cells(const char *zone, const struct parts *now, const struct parts *before)
{
    return json_pack("[s,o,o,I,I,I,I,I]", zone, build_share(sealed_of(now), all_of(now)),
                     change_of(now, before), (json_int_t)all_of(now),
                     (json_int_t)now->sealed_approved, (json_int_t)now->sealed_unapproved,
                     (json_int_t)now->clear_approved, (json_int_t)now->clear_unapproved);
}

static void put_tables(struct sealed *s, json_t *section)
{
    json_t *rows =
        section_table(section, "zones", "Share by zone, and against the period before",
                      "zone:Zone;share%:Sealed;change:Change;queries#:Queries;"
                      "sealed_approved#:Sealed, approved;sealed_unapproved#:Sealed, other;"
                      "clear_approved#:Clear, approved;clear_unapproved#:Clear, other");
    uint64_t all = all_of(&s->all);

    json_array_append_new(rows, zone_cells("all zones", &s->all, &s->all_before));
    for (size_t i = 0; i < s->zone_count; i++)
        json_array_append_new(rows,
                              zone_cells(s->zones[i].zone, &s->zones[i].now, &s->zones[i].before));
    rows = section_table(section, "transports", "Transports",
                         "transport:Transport;queries#:Queries;share%:Share of all");
    for (unsigned t = 0; t < TRANSPORT_COUNT; t++)
        if (s->transports[t])
            json_array_append_new(rows, json_pack("[s,I,o]", transport_name(t),
                                                  (json_int_t)s->transports[t],
                                                  build_share(s->transports[t], all)));
}

static void say_share(struct sealed *s, json_t *section)
{
    uint64_t all = all_of(&s->all), sealed = sealed_of(&s->all);
    uint64_t before = all_of(&s->all_before);

    if (!all) {
        section_say(section, "No DNS was seen in this period.");
        return;
    }
    section_say(section, "%.1f %% of %llu queries went out sealed (DNS over TLS, QUIC or HTTPS).",
                100.0 * (double)sealed / (double)all, (unsigned long long)all);
    if (before)
        section_say(section, "In the period before it was %.1f %% of %llu.",
                    100.0 * (double)sealed_of(&s->all_before) / (double)before,
                    (unsigned long long)before);
    else
        section_say(section, "Nothing was recorded in the period before.");
    if (s->all.clear_unapproved)
        section_say(section,
                    "%llu queries went in clear text to servers that their zone does not "
                    "approve for that.",
                    (unsigned long long)s->all.clear_unapproved);
    if (s->all.sealed_unapproved)
        section_say(section, "%llu went sealed, to resolvers that nobody approved.",
                    (unsigned long long)s->all.sealed_unapproved);
}

int build_sealed(struct build *b)
{
    json_t *section = build_section(b, "sealed", "How much of DNS is sealed");
    struct sealed *s = calloc(1, sizeof *s);
    int status;

    if (!s)
        return SD_EMEM;
    s->b = b;
    s->step = step_of(&b->period);
    status = b->source->zones(b->source->reader, &b->period, s->step, see, s);
    if (status == SD_OK)
        status = b->source->zones(b->source->reader, &b->before, REPORT_DAY, see_before, s);
    build_measure(b, "queries", (double)all_of(&s->all));
    build_measure(b, "queries_before", (double)all_of(&s->all_before));
    if (all_of(&s->all))
        build_measure(b, "sealed_share", (double)sealed_of(&s->all) / (double)all_of(&s->all));
    if (all_of(&s->all_before))
        build_measure(b, "sealed_share_before",
                      (double)sealed_of(&s->all_before) / (double)all_of(&s->all_before));
    build_measure(b, "clear_unapproved_queries", (double)s->all.clear_unapproved);
    build_measure(b, "unapproved_queries",
                  (double)(s->all.clear_unapproved + s->all.sealed_unapproved));
    say_share(s, section);
    put_charts(s, section);
    put_tables(s, section);
    free(s);
    return status;
}
