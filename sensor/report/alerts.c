/* Alerts by kind and severity, and how long they took to end. */
#include "base/error.h"
#include "report/build.h"

struct alerts {
    json_t *rows;
    int64_t events, open;
    double ended_days, ended;
};

static int see(void *context, const struct closure_row *row)
{
    struct alerts *a = context;

    a->events += row->events;
    a->open += row->events - row->ended;
    a->ended += (double)row->ended;
    a->ended_days += (double)row->ended * (double)row->mean / (double)REPORT_DAY;
    return json_array_append_new(
        a->rows,
        json_pack("[s,s,I,I,o,o]", row->kind, severity_name((unsigned)row->severity),
                  (json_int_t)row->events, (json_int_t)(row->events - row->ended),
                  row->ended ? json_sprintf("%.1f", (double)row->mean / 3600e9) : json_null(),
                  row->ended ? json_sprintf("%.1f", (double)row->longest / 3600e9) : json_null()));
}

int build_alerts(struct build *b)
{
    json_t *s = build_section(b, "alerts", "Alerts and how long they lasted");
    struct alerts a = {
        .rows = section_table(s, "alerts", "Alerts that were told in this period",
                              "kind:Kind;severity:Severity;events#:Events;open#:Still open;"
                              "mean#:Lasted, mean (h);longest#:Lasted, longest (h)")};
    int status = b->source->closures(b->source->reader, &b->period, see, &a);

    section_say(s,
                a.events
                    ? "%lld alerts; %lld were still open when they were told last. An alert ends "
                      "when what it tells of is not seen any more."
                    : "No alert was told.",
                (long long)a.events, (long long)a.open);
    build_measure(b, "alerts", (double)a.events);
    build_measure(b, "alerts_open", (double)a.open);
    build_measure(b, "days_to_close", a.ended > 0 ? a.ended_days / a.ended : 0);
    build_measure(b, "event_revisions", (double)a.events);
    return status;
}
