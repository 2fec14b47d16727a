/* How much of DNS is sealed, what was told, and whether the sensor can be believed. */
#include <string.h>

#include "base/error.h"
#include "store/summary.h"
#include "web/condition.h"
#include "web/request.h"

#define HOUR (3600 * NSEC_S)
#define DAY  (24 * HOUR)
enum { CLIENTS = 10, PARTS = 4 };

static const char *const parts[PARTS] = {"clear_approved", "clear_unapproved", "sealed_approved",
                                         "sealed_unapproved"};

struct overview {
    json_t *series, *zones, *transports; /* transports: an object, by name */
    uint64_t sum[PARTS], before[PARTS];
};

static int part_of(const struct zone_row *row)
{
    bool clear = row->transport == TRANSPORT_DO53_UDP || row->transport == TRANSPORT_DO53_TCP;

    return (clear ? 0 : 2) + (row->approved ? 0 : 1);
}

static void add_to(json_t *object, const char *key, uint64_t count)
{
    json_int_t had = json_integer_value(json_object_get(object, key));

    json_object_set_new(object, key, json_integer(had + (json_int_t)count));
}

static json_t *parts_object(json_t *object)
{
    for (int i = 0; i < PARTS; i++)
        json_object_set_new(object, parts[i], json_integer(0));
    return object;
}

/* Rows come by time and zone. */
static json_t *last_of_series(json_t *series, const struct zone_row *row)
{
    json_t *last = json_array_get(series, json_array_size(series) - 1);
    char text[TIME_TEXT];

    time_text(row->time, text);
    if (last && strcmp(json_string_value(json_object_get(last, "time")), text) == 0 &&
        strcmp(json_string_value(json_object_get(last, "zone")), row->zone) == 0)
        return last;
    last = parts_object(json_pack("{s:s,s:s}", "time", text, "zone", row->zone));
    return json_array_append_new(series, last) == 0 ? last : NULL;
}

static json_t *zone_called(json_t *zones, const char *zone)
{
    json_t *z;
    size_t i;

    json_array_foreach(
        zones, i, z) if (strcmp(json_string_value(json_object_get(z, "zone")), zone) == 0) return z;
    z = parts_object(json_pack("{s:s}", "zone", zone));
    return json_array_append_new(zones, z) == 0 ? z : NULL;
}

static int see(void *context, const struct zone_row *row)
{
    struct overview *o = context;
    int part = part_of(row);

    o->sum[part] += row->counts.queries;
    add_to(last_of_series(o->series, row), parts[part], row->counts.queries);
    add_to(zone_called(o->zones, row->zone), parts[part], row->counts.queries);
    add_to(o->transports, transport_name(row->transport), row->counts.queries);
    return 0;
}

static int see_before(void *context, const struct zone_row *row)
{
    struct overview *o = context;

    o->before[part_of(row)] += row->counts.queries;
    return 0;
}

static json_t *share(uint64_t sealed, uint64_t all)
{
    return all ? json_real((double)sealed / (double)all) : json_null();
}

static json_t *totals(const uint64_t sum[PARTS])
{
    uint64_t clear = sum[0] + sum[1], sealed = sum[2] + sum[3];

    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:o}", "queries", (json_int_t)(clear + sealed), "clear",
                     (json_int_t)clear, "sealed", (json_int_t)sealed, "unapproved",
                     (json_int_t)(sum[1] + sum[3]), "clear_unapproved", (json_int_t)sum[1], "share",
                     share(sealed, clear + sealed));
}

static void put_shares(json_t *zones)
{
    json_t *z;
    size_t i;

    json_array_foreach(zones, i, z)
    {
        uint64_t n[PARTS];

        for (int p = 0; p < PARTS; p++)
            n[p] = (uint64_t)json_integer_value(json_object_get(z, parts[p]));
        json_object_set_new(z, "share", share(n[2] + n[3], n[0] + n[1] + n[2] + n[3]));
    }
}

static json_t *list_of(json_t *by_name)
{
    json_t *list = json_array(), *count;
    const char *name;

    json_object_foreach(by_name, name, count)
        json_array_append_new(list, json_pack("{s:s,s:O}", "transport", name, "queries", count));
    json_decref(by_name);
    return list;
}

static int see_told(void *context, const struct told_row *row)
{
    json_t *list = context, *t;
    size_t i;

    json_array_foreach(list, i, t)
    {
        if (strcmp(json_string_value(json_object_get(t, "kind")), row->kind) != 0 ||
            strcmp(json_string_value(json_object_get(t, "verdict")), row->verdict) != 0 ||
            json_integer_value(json_object_get(t, "severity")) != row->severity)
            continue;
        add_to(t, "events", (uint64_t)row->events);
        add_to(t, "count", (uint64_t)row->count);
        return 0;
    }
    return json_array_append_new(list, json_pack("{s:s,s:i,s:s,s:I,s:I}", "kind", row->kind,
                                                 "severity", row->severity, "verdict", row->verdict,
                                                 "events", (json_int_t)row->events, "count",
                                                 (json_int_t)row->count));
}

static int see_blocked(void *context, const struct told_row *row)
{
    if (strcmp(row->verdict, verdict_name(VERDICT_BLOCKED)) == 0)
        *(json_int_t *)context += row->count;
    return 0;
}

static int see_client(void *context, const struct client_row *row)
{
    return json_array_append_new(context, json_pack("{s:s,s:s,s:I}", "client", row->client, "zone",
                                                    row->zone, "clear_unapproved",
                                                    (json_int_t)row->clear_unapproved));
}

static int read_store(struct store_reader *r, const struct summary_period *p, nsec_t step,
                      struct overview *o)
{
    struct summary_period before = {p->since - (p->until - p->since), p->since, NULL};
    int status = store_zones(r, p, step, see, o);

    return status == SD_OK ? store_zones(r, &before, DAY, see_before, o) : status;
}

static json_t *period_json(const struct summary_period *p)
{
    return json_pack("{s:o,s:o}", "from", web_time_json(p->since), "to", web_time_json(p->until));
}

static enum MHD_Result read_and_answer(const struct web_request *q, struct store_reader *r,
                                       const struct summary_period *p, nsec_t step)
{
    struct overview o = {json_array(), json_array(), json_object(), {0}, {0}};
    struct summary_period today = {q->now - q->now % DAY, q->now + NSEC_S, NULL};
    json_t *told = json_array(), *clients = json_array();
    json_int_t blocked = 0;
    int status = read_store(r, p, step, &o);

    if (status == SD_OK)
        status = store_told(r, p, see_told, told);
    if (status == SD_OK)
        status = store_told(r, &today, see_blocked, &blocked);
    if (status == SD_OK)
        status = store_clear_clients(r, p, CLIENTS, see_client, clients);
    put_shares(o.zones);
    return web_read(q, r, status,
                    json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:{s:I},s:o,s:o}", "period",
                              period_json(p), "sealed", totals(o.sum), "before", totals(o.before),
                              "series", o.series, "zones", o.zones, "transports",
                              list_of(o.transports), "violations", told, "blocked", "today",
                              blocked, "clients", clients, "health", condition_of(q)));
}

static enum MHD_Result answer(const struct web_request *q)
{
    const char *step = web_argument(q, "step");
    struct summary_period p = {0};
    enum MHD_Result answered;
    struct store_reader *r;

    if (!web_time(q, "from", q->now - 7 * DAY, &p.since, &answered) ||
        !web_time(q, "to", q->now + NSEC_S, &p.until, &answered))
        return answered;
    if (p.since >= p.until)
        return web_error(q, MHD_HTTP_BAD_REQUEST, "from is not before to");
    if (step && strcmp(step, "hour") != 0 && strcmp(step, "day") != 0)
        return web_error(q, MHD_HTTP_BAD_REQUEST, "step is hour or day");
    if (!(r = web_reader(q, &answered)))
        return answered;
    return read_and_answer(q, r, &p, step && *step == 'h' ? HOUR : DAY);
}

const struct web_route route_overview = {"/api/overview", .answer = answer};
