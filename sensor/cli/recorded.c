#include "cli/recorded.h"

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"

static int open_fleet(struct recorded *s)
{
    char error[FLEET_ERROR] = "";
    int status = fleet_open(s->store, s->sensor, &s->fleet, error);

    if (status == SD_OK)
        return EXIT_DONE;
    log_error("%s", error[0] ? error : sd_strerror(status));
    return status == SD_EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

int recorded_open(struct recorded *s)
{
    char error[STORE_ERROR] = "";

    if (fleet_is(s->store))
        return open_fleet(s);
    if (s->sensor) {
        log_error("--sensor chooses among those of a --store: a file has one sensor's");
        return EXIT_USAGE;
    }
    if (store_reader_open(s->store, &s->reader, error) == SD_OK)
        return EXIT_DONE;
    log_error("%s", error);
    return EXIT_FAILED;
}

void recorded_close(struct recorded *s)
{
    fleet_close(s->fleet);
    store_reader_close(s->reader);
}

int recorded_events(const struct recorded *s, const struct event_filter *filter,
                    int (*fn)(void *context, const struct event_row *row), void *context)
{
    if (s->fleet)
        return fleet_events(s->fleet, filter, fn, context);
    return store_events(s->reader, filter, fn, context);
}

struct rehearsal_source recorded_rehearsal(const struct recorded *s)
{
    if (s->fleet)
        return (struct rehearsal_source){s->fleet, fleet_history, fleet_blocked, fleet_memory};
    return rehearsal_of_store(s->reader);
}

struct report_source recorded_report(const struct recorded *s)
{
    if (!s->fleet)
        return report_of_store(s->reader);
    return (struct report_source){.reader = s->fleet,
                                  .zones = fleet_zones,
                                  .servers = fleet_servers,
                                  .clear_clients = fleet_clear_clients,
                                  .told = fleet_told,
                                  .closures = fleet_closures,
                                  .events = fleet_search,
                                  .memory = fleet_memory,
                                  .gaps = fleet_gaps,
                                  .counters = fleet_counters,
                                  .sensors = fleet_sensors};
}

void recorded_complain(const struct recorded *s, int status)
{
    const char *why = s->fleet ? fleet_error(s->fleet) : "";

    log_error("cannot read %s: %s", s->store, why[0] ? why : sd_strerror(status));
}
