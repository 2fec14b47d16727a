/* What many sensors told one ClickHouse (packaging/clickhouse/schema.sql), read as a store is: the
 * functions have the names and the rows of store/. Answers are bounded and taken for a stranger's.
 */
#ifndef SEALDNS_FLEET_FLEET_H
#define SEALDNS_FLEET_FLEET_H

#include "store/coverage.h"
#include "store/search.h"
#include "store/store.h"

#define FLEET_ERROR 384

struct fleet;

/* Begins with clickhouse:// */
bool fleet_is(const char *store);

/* clickhouse://[USER@]HOST[:PORT]/DATABASE[?secure=1&ca=FILE&password=FILE]; the password is the
 * first line of that file, else the environment's SEALDNS_CLICKHOUSE_PASSWORD, and never part of
 * the address. sensor: only what that one told; NULL: all. Nothing is asked yet. SD_EINVAL: error
 * says what is wrong. SD_EMEM. */
int fleet_open(const char *url, const char *sensor, struct fleet **out, char error[FLEET_ERROR]);
void fleet_close(struct fleet *f);
/* Why the last reading failed; printable, "" if it did not. */
const char *fleet_error(const struct fleet *f);

/* As store_events(), by time; after_row is of no use here, and row is 0. SD_EIO: fleet_error(). */
int fleet_events(void *fleet, const struct event_filter *filter,
                 int (*fn)(void *context, const struct event_row *row), void *context);
/* As store_history(), store_blocked() and store_memory(): of what sensors learned nothing is told.
 */
int fleet_history(void *fleet, nsec_t since, const struct history_sink *sink);
int fleet_blocked(void *fleet, nsec_t since,
                  int (*fn)(void *context, const struct blocked_row *row), void *context);
int fleet_memory(void *fleet, const char *topic, const char *key,
                 int (*fn)(void *context, const struct memory_row *row), void *context);

/* What a report asks, as store/summary.h, coverage.h and search.h have it of one sensor; a search
 * has no further page, and looks for no text. What a mute or the filter of an output kept away is
 * not there. */
int fleet_zones(void *fleet, const struct summary_period *p, nsec_t step,
                int (*fn)(void *context, const struct zone_row *row), void *context);
int fleet_servers(void *fleet, const struct summary_period *p, int limit,
                  int (*fn)(void *context, const struct server_row *row), void *context);
int fleet_clear_clients(void *fleet, const struct summary_period *p, int limit,
                        int (*fn)(void *context, const struct client_row *row), void *context);
int fleet_told(void *fleet, const struct summary_period *p,
               int (*fn)(void *context, const struct told_row *row), void *context);
int fleet_closures(void *fleet, const struct summary_period *p,
                   int (*fn)(void *context, const struct closure_row *row), void *context);
int fleet_search(void *fleet, const struct event_search *s, int64_t *next,
                 int (*fn)(void *context, const struct event_row *row), void *context);
int fleet_sensors(void *fleet, const struct summary_period *p,
                  int (*fn)(void *context, const struct sensor_row *row), void *context);
int fleet_gaps(void *fleet, const struct summary_period *p, nsec_t least,
               int (*fn)(void *context, const struct gap_row *row), void *context);
int fleet_counters(void *fleet, const struct summary_period *p,
                   int (*fn)(void *context, const struct counters_row *row), void *context);

#endif
