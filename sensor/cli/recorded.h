/* Where a command reads what was recorded: the store of a sensor, or what many told a ClickHouse.
 */
#ifndef SEALDNS_CLI_RECORDED_H
#define SEALDNS_CLI_RECORDED_H

#include "engine/rehearse.h"
#include "fleet/fleet.h"
#include "report/report.h"

struct recorded {
    const char *store;  /* a file, or a fleet's address */
    const char *sensor; /* of a fleet only that one; NULL: all */
    struct store_reader *reader;
    struct fleet *fleet; /* or NULL: reader */
};

/* store and sensor are given. An exit status, after a message if it is not EXIT_DONE. */
int recorded_open(struct recorded *s);
void recorded_close(struct recorded *s);
int recorded_events(const struct recorded *s, const struct event_filter *filter,
                    int (*fn)(void *context, const struct event_row *row), void *context);
struct rehearsal_source recorded_rehearsal(const struct recorded *s);
struct report_source recorded_report(const struct recorded *s);
/* After a reading that failed with status. */
void recorded_complain(const struct recorded *s, int status);

#define RECORDED_USAGE                                                                             \
    "      --store URL    in place of --db what many sensors told a ClickHouse:\n"                 \
    "                     clickhouse://[USER@]HOST[:PORT]/DATABASE[?secure=1&ca=FILE&password="    \
    "FILE];\n"                                                                                     \
    "                     the password may also be in SEALDNS_CLICKHOUSE_PASSWORD\n"               \
    "      --sensor HOST  of these only the sensor of that name\n"

#endif
