/* What a report may be believed: when the sensor ran, what it lost, what it cannot see. */
#include <string.h>

#include "base/error.h"
#include "report/build.h"

/* Counters are written each minute. */
#define GAP (3 * 60 * NSEC_S)

struct coverage {
    json_t *rows;
    nsec_t missing;
    int gaps;
    json_t *last; /* the counters of the hour before */
    json_int_t packets, frames_lost, records_lost, shed, hellos, outer, starts;
};

static int see_gap(void *context, const struct gap_row *gap)
{
    struct coverage *c = context;

    c->missing += gap->to - gap->from;
    if (c->gaps++ < REPORT_LIST)
        json_array_append_new(c->rows,
                              json_pack("[o,o,I]", build_time(gap->from), build_time(gap->to),
                                        (json_int_t)((gap->to - gap->from) / NSEC_S / 60)));
    return 0;
}

/* Since the hour before; all of it after a start. */
static json_int_t grown(const struct coverage *c, const json_t *now, const char *name)
{
    json_int_t had = json_integer_value(json_object_get(c->last, name));
    json_int_t has = json_integer_value(json_object_get(now, name));

    return has >= had ? has - had : has;
}

static int see_counters(void *context, const struct counters_row *row)
{
    struct coverage *c = context;
    json_t *now = json_loads(row->json, 0, NULL);

    if (!now)
        return 0;
    c->starts += json_integer_value(json_object_get(now, "packets")) <
                 json_integer_value(json_object_get(c->last, "packets"));
    c->packets += grown(c, now, "packets");
    c->frames_lost += grown(c, now, "kernel_drops");
    c->shed += grown(c, now, "shed_443") + grown(c, now, "shed_853");
    c->records_lost += grown(c, now, "observations_dropped") + grown(c, now, "records_dropped");
    c->hellos += grown(c, now, "hellos");
    c->outer += grown(c, now, "hellos_outer");
    json_decref(c->last);
    c->last = now;
    return 0;
}

static void put_measures(struct build *b, const struct coverage *c)
{
    double length = (double)(b->period.until - b->period.since);

    build_measure(b, "coverage_share", 1 - (double)c->missing / length);
    build_measure(b, "packets", (double)c->packets);
    build_measure(b, "query_log", b->ask->policy->query_log.mode != QUERIES_OFF);
    build_measure(b, "frames_lost", (double)(c->frames_lost + c->shed));
    build_measure(b, "records_lost", (double)c->records_lost);
    build_measure(b, "ech_share", c->hellos ? (double)c->outer / (double)c->hellos : 0);
}

static void say_coverage(struct build *b, json_t *s, const struct coverage *c)
{
    double share = build_measured(b, "coverage_share");

    if (share <= 0 && !c->packets)
        section_warn(s, "The sensor did not run in this period: nothing below says anything of the "
                        "network.");
    else if (share < 0.99)
        section_warn(s,
                     "The sensor ran for %.1f %% of the period only; what happened in the other "
                     "%.1f %% is not in this report.",
                     100 * share, 100 - 100 * share);
    else
        section_say(s, "The sensor ran for %.2f %% of the period.", 100 * share);
    section_say(s, "It saw %lld packets.", (long long)c->packets);
    if (c->frames_lost || c->shed || c->records_lost)
        section_warn(s,
                     "Lost: %lld frames in the kernel, %lld left out under load, %lld records. "
                     "Figures below are too low by what was in them.",
                     (long long)c->frames_lost, (long long)c->shed, (long long)c->records_lost);
    else
        section_say(s, "It lost no frame and no record that it knows of.");
    if (c->outer)
        section_say(s, "%lld of %lld TLS connections hid the name that they asked for (ECH).",
                    (long long)c->outer, (long long)c->hellos);
}

/* What no sensor at this place can know. */
static void say_limits(json_t *s)
{
    section_say(s,
                "Not seen by a sensor on the gateway: what does not pass it (a phone's own line, a "
                "VPN's inside, DNS between machines of one segment), and names inside encrypted "
                "DNS.");
    section_say(s,
                "Queries inside encrypted transports are counted from the lengths of records, and "
                "are estimates; DNS in clear text is counted message by message.");
}

int build_coverage(struct build *b)
{
    json_t *s = build_section(b, "coverage", "Scope and sensor coverage");
    struct coverage c = {.last = json_object()};
    int status;

    c.rows = section_table(s, "gaps", "Times without a sensor, of three minutes and longer",
                           "from@:From;to@:To;minutes#:Minutes");
    status = b->source->gaps(b->source->reader, &b->period, GAP, see_gap, &c);
    if (status == SD_OK)
        status = b->source->counters(b->source->reader, &b->period, see_counters, &c);
    json_decref(c.last);
    put_measures(b, &c);
    section_say(s, "Gateway \"%s\", interfaces as its policy names them; times are UTC.",
                b->ask->policy->name);
    say_coverage(b, s, &c);
    say_limits(s);
    if (c.gaps > REPORT_LIST)
        section_say(s, "%d more times without a sensor are not listed.", c.gaps - REPORT_LIST);
    return status;
}
