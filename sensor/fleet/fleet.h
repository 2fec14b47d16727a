/* What many sensors told one ClickHouse (packaging/clickhouse/schema.sql), read as a store is: the
 * functions have the names and the rows of store/. Answers are bounded and taken for a stranger's.
 */
#ifndef SEALDNS_FLEET_FLEET_H
#define SEALDNS_FLEET_FLEET_H

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

#endif
