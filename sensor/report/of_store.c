/* The report's rows out of a store. */
#include "report/report.h"

static int zones(void *reader, const struct summary_period *p, nsec_t step,
                 int (*fn)(void *context, const struct zone_row *row), void *context)
{
    return store_zones(reader, p, step, fn, context);
}

static int servers(void *reader, const struct summary_period *p, int limit,
                   int (*fn)(void *context, const struct server_row *row), void *context)
{
    return store_servers(reader, p, limit, fn, context);
}

static int clear_clients(void *reader, const struct summary_period *p, int limit,
                         int (*fn)(void *context, const struct client_row *row), void *context)
{
    return store_clear_clients(reader, p, limit, fn, context);
}

static int told(void *reader, const struct summary_period *p,
                int (*fn)(void *context, const struct told_row *row), void *context)
{
    return store_told(reader, p, fn, context);
}

static int closures(void *reader, const struct summary_period *p,
                    int (*fn)(void *context, const struct closure_row *row), void *context)
{
    return store_closures(reader, p, fn, context);
}

static int events(void *reader, const struct event_search *s, int64_t *next,
                  int (*fn)(void *context, const struct event_row *row), void *context)
{
    return store_search(reader, s, next, fn, context);
}

static int memory(void *reader, const char *topic, const char *key,
                  int (*fn)(void *context, const struct memory_row *row), void *context)
{
    return store_memory(reader, topic, key, fn, context);
}

static int gaps(void *reader, const struct summary_period *p, nsec_t least,
                int (*fn)(void *context, const struct gap_row *row), void *context)
{
    return store_gaps(reader, p, least, fn, context);
}

static int counters(void *reader, const struct summary_period *p,
                    int (*fn)(void *context, const struct counters_row *row), void *context)
{
    return store_counters(reader, p, fn, context);
}

struct report_source report_of_store(struct store_reader *r)
{
    return (struct report_source){.reader = r,
                                  .zones = zones,
                                  .servers = servers,
                                  .clear_clients = clear_clients,
                                  .told = told,
                                  .closures = closures,
                                  .events = events,
                                  .memory = memory,
                                  .gaps = gaps,
                                  .counters = counters};
}
