#include "cli/screen.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "output/output.h"

enum { BAR = 24 };
/* Of the time a line of text begins with: "2026-12-01T", "04:20:14", ".044983Z". */
enum { DATE_WIDE = 11, TIME_WIDE = 8, STAMP_WIDE = 27 };

/* --- what is read ---------------------------------------------------------------------------- */

static struct screen_share *share_of(struct screen *s, const char *zone)
{
    for (int i = 0; i < s->zone_count; i++)
        if (strcmp(s->zones[i].name, zone) == 0)
            return s->zones + i;
    if (s->zone_count == SCREEN_ZONES)
        return NULL; /* it is in the sum of all */
    text_printable(zone, strlen(zone), s->zones[s->zone_count].name, sizeof s->zones->name);
    return s->zones + s->zone_count++;
}

static void add(struct screen_share *share, const struct zone_row *row)
{
    bool clear = row->transport == TRANSPORT_DO53_UDP || row->transport == TRANSPORT_DO53_TCP;

    *(clear ? &share->clear : &share->sealed) += row->counts.queries;
    if (!row->approved)
        share->against += row->counts.queries;
}

static int see_zone(void *context, const struct zone_row *row)
{
    struct screen *s = context;
    struct screen_share *share = share_of(s, row->zone);

    add(&s->all, row);
    if (share)
        add(share, row);
    return 0;
}

static int see_server(void *context, const struct server_row *row)
{
    struct screen *s = context;
    struct screen_row *to = s->servers + s->server_count++;
    char name[48];

    text_printable(*row->name ? row->name : row->resolver, 47, name, sizeof name);
    snprintf(to->text, sizeof to->text, "%-39s %5u %-9s %10" PRIu64 "  %s", row->server,
             row->server_port, transport_name(row->transport), row->counts.queries, name);
    to->style = row->approved ? SCREEN_PLAIN : SCREEN_NOTICE;
    return s->server_count == SCREEN_LIST;
}

static int see_client(void *context, const struct client_row *row)
{
    struct screen *s = context;
    struct screen_row *to = s->clients + s->client_count++;

    snprintf(to->text, sizeof to->text, "%-39s %-15.15s %10" PRIu64, row->client, row->zone,
             row->clear_unapproved);
    to->style = SCREEN_PLAIN;
    return s->client_count == SCREEN_LIST;
}

static int see_event(void *context, const struct event_row *row)
{
    struct screen *s = context;
    struct screen_row *to = s->alerts + s->alert_total % SCREEN_ALERTS;
    json_t *eve = json_loads(row->json, 0, NULL);
    json_int_t severity =
        json_integer_value(json_object_get(json_object_get(eve, "alert"), "severity"));
    char *line = eve ? output_format_named("text")->render(eve) : NULL;

    s->alert_row = row->row;
    if (line && strlen(line) > STAMP_WIDE) { /* the time of the day is enough */
        snprintf(to->text, sizeof to->text, "%.*s", TIME_WIDE, line + DATE_WIDE);
        text_copy(to->text + strlen(to->text), sizeof to->text - TIME_WIDE, line + STAMP_WIDE);
        to->style = severity == SEVERITY_HIGH     ? SCREEN_BAD
                    : severity == SEVERITY_MEDIUM ? SCREEN_NOTICE
                                                  : SCREEN_PLAIN;
        s->alert_total++;
    }
    free(line);
    json_decref(eve);
    return 0;
}

int screen_read(struct screen *s, struct store_reader *r)
{
    struct summary_period period = {.since = s->now - s->window, .until = s->now + NSEC_S};
    struct event_filter news = {.since = s->now - s->window,
                                .kind = -1,
                                .after_row = s->alert_row,
                                .all_revisions = s->alert_row != 0};
    int status;

    memset(&s->all, 0, sizeof s->all);
    memset(s->zones, 0, sizeof s->zones);
    s->zone_count = s->server_count = s->client_count = 0;
    status = store_zones(r, &period, 3600 * NSEC_S, see_zone, s);
    if (status == SD_OK)
        status = store_servers(r, &period, SCREEN_LIST, see_server, s);
    if (status == SD_OK)
        status = store_clear_clients(r, &period, SCREEN_LIST, see_client, s);
    if (status == SD_OK)
        status = store_events(r, &news, see_event, s);
    return status;
}

/* --- what is shown --------------------------------------------------------------------------- */

static void put(struct screen *s, enum screen_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void put(struct screen *s, enum screen_style style, const char *format, ...)
{
    struct screen_row *row = s->row + s->rows;
    va_list arguments;

    if (s->rows == SCREEN_HIGH)
        return;
    va_start(arguments, format);
    vsnprintf(row->text, sizeof row->text, format, arguments);
    va_end(arguments);
    row->style = style;
    s->rows++;
}

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static const char *window_name(nsec_t window)
{
    nsec_t hours = window / (3600 * NSEC_S);

    return hours == 1 ? "hour" : hours == 24 ? "day" : "week";
}

/* A count since the last status, a second. */
static double rate(uint64_t *before, uint64_t now, nsec_t span)
{
    double grown = span > 0 && now >= *before ? (double)(now - *before) * NSEC_S / (double)span : 0;

    *before = now;
    return grown;
}

static void put_rates(struct screen *s, const json_t *counters)
{
    nsec_t span = s->counted ? s->now - s->counted : 0;
    double packets = rate(&s->packets, (uint64_t)number(counters, "packets"), span);
    double bytes = rate(&s->bytes, (uint64_t)number(counters, "bytes"), span);
    double queries = rate(&s->queries, (uint64_t)number(counters, "dns_queries"), span);

    s->counted = s->now;
    put(s, SCREEN_PLAIN,
        "now     %.0f packets/s, %.1f Mbit/s, %.0f queries/s in clear text, %lld flows", packets,
        bytes * 8 / 1e6, queries, (long long)number(counters, "flows"));
}

static void put_interfaces(struct screen *s, const json_t *list)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one) if (!json_is_true(json_object_get(one, "up")))
        put(s, SCREEN_BAD, "BLIND   interface %s is gone", word(one, "name"));
    else if (number(one, "shedding"))
        put(s, SCREEN_BAD, "BLIND   %s: cannot keep up, payload on port 443 is left out",
            word(one, "name"));
}

static void put_loss(struct screen *s, const json_t *status)
{
    const json_t *c = json_object_get(status, "counters");
    json_int_t lost = number(c, "kernel_drops") + number(c, "observations_dropped") +
                      number(c, "records_dropped");

    if (lost)
        put(s, SCREEN_BAD,
            "LOST    %lld frames by the kernel, %lld observations, %lld records since %s",
            (long long)number(c, "kernel_drops"), (long long)number(c, "observations_dropped"),
            (long long)number(c, "records_dropped"), word(status, "started"));
    else
        put(s, SCREEN_GOOD, "lost    nothing since %s", word(status, "started"));
}

static void put_rules(struct screen *s, const json_t *rules)
{
    if (json_is_true(json_object_get(rules, "drifted")))
        put(s, SCREEN_BAD, "RULES   in the kernel are not as the policy says: %s",
            word(rules, "differs"));
    else if (json_is_true(json_object_get(rules, "installed")))
        put(s, SCREEN_GOOD, "rules   %lld of %lld, %lld elements, as the policy says",
            (long long)number(rules, "rules"), (long long)number(rules, "rules_wanted"),
            (long long)number(rules, "elements"));
    else
        put(s, json_is_true(json_object_get(rules, "desired")) ? SCREEN_BAD : SCREEN_FAINT,
            "rules   none in the kernel%s",
            json_is_true(json_object_get(rules, "desired")) ? ", though the policy wants them"
                                                            : "");
}

static void put_sensor(struct screen *s, const json_t *status)
{
    char time[TIME_TEXT];

    time_text(s->now / NSEC_S * NSEC_S, time);
    if (!status) {
        put(s, SCREEN_TITLE, "sealdns   %.19sZ   the last %s", time, window_name(s->window));
        put(s, SCREEN_BAD, "no sensor answers: what the store has");
        return;
    }
    put(s, SCREEN_TITLE, "sealdns %s   %s   up %lld s   %.19sZ   the last %s", word(status, "name"),
        word(status, "mode"), (long long)number(status, "uptime"), time, window_name(s->window));
    put_rates(s, json_object_get(status, "counters"));
    put_loss(s, status);
    put_interfaces(s, json_object_get(status, "interfaces"));
    put_rules(s, json_object_get(status, "rules"));
}

static void put_share(struct screen *s, const struct screen_share *share, const char *name)
{
    uint64_t total = share->sealed + share->clear;
    int percent = total ? (int)(100 * share->sealed / total) : 0;
    char bar[BAR + 1];

    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)(percent * BAR / 100));
    bar[BAR] = '\0';
    put(s,
        !total           ? SCREEN_FAINT
        : share->against ? SCREEN_NOTICE
        : share->clear   ? SCREEN_PLAIN
                         : SCREEN_GOOD,
        "%-16.16s [%s] %3d%% %12" PRIu64 " %12" PRIu64 " %12" PRIu64, name, bar, percent,
        share->sealed, share->clear, share->against);
}

static void put_list(struct screen *s, const char *title, const struct screen_row *rows, int count)
{
    if (!count)
        return;
    put(s, SCREEN_PLAIN, "%s", "");
    put(s, SCREEN_TITLE, "%s", title);
    for (int i = 0; i < count; i++)
        put(s, rows[i].style, "%s", rows[i].text);
}

static void put_alerts(struct screen *s, int room)
{
    int64_t kept = s->alert_total < SCREEN_ALERTS ? s->alert_total : SCREEN_ALERTS;

    if (room < 3)
        return;
    put(s, SCREEN_PLAIN, "%s", "");
    put(s, SCREEN_TITLE, "Alerts, the newest first");
    if (!kept)
        put(s, SCREEN_FAINT, "none");
    for (int64_t i = 1; i <= kept && i <= room - 2; i++) {
        const struct screen_row *row = s->alerts + (s->alert_total - i) % SCREEN_ALERTS;

        put(s, row->style, "%s", row->text);
    }
}

void screen_compose(struct screen *s, const json_t *status, int high)
{
    s->rows = 0;
    put_sensor(s, status);
    if (s->store_error)
        put(s, SCREEN_BAD, "STORE   %s", s->store_error);
    put(s, SCREEN_PLAIN, "%s", "");
    put(s, SCREEN_TITLE, "%-16s %-*s %5s %12s %12s %12s", "Sealed", BAR + 2, "", "share", "sealed",
        "in clear", "unapproved");
    put_share(s, &s->all, "all zones");
    for (int i = 0; i < s->zone_count; i++)
        put_share(s, s->zones + i, s->zones[i].name);
    put_list(s, "Resolvers                               port  transport    queries  name",
             s->servers, s->server_count);
    put_list(s, "Clients in clear text, unapproved       zone               queries", s->clients,
             s->client_count);
    put_alerts(s, high - s->rows);
}
