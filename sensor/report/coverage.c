/* What a report may be believed: when the sensor ran, what it lost, what it cannot see. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "report/build.h"
#include "report/sensors.h"

/* Counters are written each minute. */
#define GAP (3 * 60 * NSEC_S)

struct coverage {
    struct build *b;
    json_t *rows;
    struct sensor_sums sums;
    char sensor[64]; /* whose counters were the last */
    nsec_t missing;
    int gaps;
    json_t *last; /* the counters of the hour before */
    json_int_t packets, frames_lost, records_lost, shed, hellos, outer, starts;
};

static int see_gap(void *context, const struct gap_row *gap)
{
    struct coverage *c = context;

    struct sensor_sum *sum = gap->sensor ? sensor_sum_of(&c->sums, gap->sensor) : NULL;

    c->missing += gap->to - gap->from;
    if (sum)
        sum->missing += gap->to - gap->from;
    if (c->gaps++ < REPORT_LIST)
        json_array_append_new(
            c->rows, build_row(c->b, gap->sensor,
                               json_pack("[o,o,I]", build_time(gap->from), build_time(gap->to),
                                         (json_int_t)((gap->to - gap->from) / NSEC_S / 60))));
    return 0;
}

/* Since the hour before; all of it after a start. */
static json_int_t grown(const struct coverage *c, const json_t *now, const char *name)
{
    json_int_t had = json_integer_value(json_object_get(c->last, name));
    json_int_t has = json_integer_value(json_object_get(now, name));

    return has >= had ? has - had : has;
}

/* Another sensor's begin anew. */
static void begin_sensor(struct coverage *c, const char *sensor)
{
    if (!sensor || strcmp(c->sensor, sensor) == 0)
        return;
    text_copy(c->sensor, sizeof c->sensor, sensor);
    json_object_clear(c->last);
}

static void add_to_sensor(struct coverage *c, const struct counters_row *row, const json_t *now)
{
    struct sensor_sum *sum = row->sensor ? sensor_sum_of(&c->sums, row->sensor) : NULL;

    if (!sum)
        return;
    sum->packets += grown(c, now, "packets");
    sum->lost += grown(c, now, "kernel_drops") + grown(c, now, "shed_443") +
                 grown(c, now, "shed_853") + grown(c, now, "observations_dropped") +
                 grown(c, now, "records_dropped");
}

static int see_counters(void *context, const struct counters_row *row)
{
    struct coverage *c = context;
    json_t *now = json_loads(row->json, 0, NULL);

    if (!now)
        return 0;
    begin_sensor(c, row->sensor);
    add_to_sensor(c, row, now);
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
    double sensors = build_is_of_fleet(b) ? build_measured(b, "sensors") : 1;

    build_measure(b, "coverage_share", sensors > 0 ? 1 - (double)c->missing / length / sensors : 0);
    build_measure(b, "packets", (double)c->packets);
    if (!build_is_of_fleet(b))
        build_measure(b, "query_log", b->ask->policy->query_log.mode != QUERIES_OFF);
    build_measure(b, "frames_lost", (double)(c->frames_lost + c->shed));
    build_measure(b, "records_lost", (double)c->records_lost);
    build_measure(b, "ech_share", c->hellos ? (double)c->outer / (double)c->hellos : 0);
}

static void say_coverage(struct build *b, json_t *s, const struct coverage *c)
{
    double share = build_measured(b, "coverage_share");
    bool fleet = build_is_of_fleet(b);
    const char *who = fleet ? "The sensors together" : "The sensor";

    if (share <= 0 && !c->packets)
        section_warn(s,
                     "%s did not run in this period: nothing below says anything of the network.",
                     fleet ? "As far as is known the sensors" : who);
    else if (share < 0.99)
        section_warn(s,
                     "%s ran for %.1f %% of the period only; what happened in the other "
                     "%.1f %% is not in this report.",
                     who, 100 * share, 100 - 100 * share);
    else
        section_say(s, "%s ran for %.2f %% of the period.", who, 100 * share);
    section_say(s, "%s saw %lld packets.", fleet ? "They" : "It", (long long)c->packets);
    if (c->frames_lost || c->shed || c->records_lost)
        section_warn(s,
                     "Lost: %lld frames in the kernel, %lld left out under load, %lld records. "
                     "Figures below are too low by what was in them.",
                     (long long)c->frames_lost, (long long)c->shed, (long long)c->records_lost);
    else
        section_say(s, fleet ? "They lost no frame and no record that they know of."
                             : "It lost no frame and no record that it knows of.");
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

static void say_scope(struct build *b, json_t *s)
{
    if (build_is_of_fleet(b))
        section_say(s, "What sensors told one ClickHouse: events that a mute or the filter of an "
                       "output keeps away are not in it, nor is what each sensor learned of "
                       "resolvers. Times are UTC.");
    else
        section_say(s, "Gateway \"%s\", interfaces as its policy names them; times are UTC.",
                    b->ask->policy->name);
}

int build_coverage(struct build *b)
{
    json_t *s = build_section(b, "coverage", "Scope and sensor coverage");
    struct coverage c = {.b = b, .last = json_object()};
    json_t *sensors = sensors_table(b, s);
    int status;

    say_scope(b, s);
    c.rows = build_table(b, s, "gaps", "Times without a sensor, of three minutes and longer",
                         "from@:From;to@:To;minutes#:Minutes");
    status = b->source->gaps(b->source->reader, &b->period, GAP, see_gap, &c);
    if (status == SD_OK)
        status = b->source->counters(b->source->reader, &b->period, see_counters, &c);
    if (status == SD_OK && sensors)
        status = sensors_fill(b, s, sensors, &c.sums);
    json_decref(c.last);
    free(c.sums.of);
    put_measures(b, &c);
    say_coverage(b, s, &c);
    say_limits(s);
    if (c.gaps > REPORT_LIST)
        section_say(s, "%d more times without a sensor are not listed.", c.gaps - REPORT_LIST);
    return status;
}
