/* Hours of conversations summed up, so that a year is answered in a second and stays when its hours
 * have gone. Internal to store/. */
#ifndef SEALDNS_STORE_ROLLUP_H
#define SEALDNS_STORE_ROLLUP_H

#include <sqlite3.h>

#include "model/record.h"
#include "store/sums.h"

/* Of these is a sum: the rest is ordinary TLS and QUIC. */
#define ROLLUP_DNS "transport IN ('do53-udp','do53-tcp','dot','doq','doh2','doh3','dnscrypt')"
#define ROLLUP_DAY "86400000000000"

/* Hours before this one are in the sums; the others are counted where they lie. */
nsec_t rollup_until(sqlite3 *db);
/* In a transaction: the oldest hours that ended before `before` and are not in the sums yet; some
 * of them, so that it takes about a tenth of a second. SD_EIO. */
int rollup_hours(sqlite3 *db, nsec_t before);
/* In a transaction: what was written to temp.late, of hours that are in the sums already, and
 * empties it. SD_EIO. */
int rollup_late(sqlite3 *db);
/* In a transaction, before its row is written: counts a revision of an event. SD_EIO. */
int rollup_event(sqlite3_stmt *previous, struct sums *sums, const struct record *r);

/* What rollup_event() wants prepared. */
extern const char rollup_previous[];

#endif
