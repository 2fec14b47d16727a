/* Counters are written each minute. When an hour of them is eight days old and has no gap, its last
 * row stands for all of it, with "whole" among its members; one that has a gap stays as it is. So a
 * year takes 20 MB where it took a gigabyte. Internal to store/. */
#ifndef SEALDNS_STORE_THIN_H
#define SEALDNS_STORE_THIN_H

#include <sqlite3.h>

#include "base/time.h"

#define THIN_HOUR INT64_C(3600000000000)
#define THIN_GAP  (INT64_C(180) * NSEC_S) /* what a report calls a gap */
#define THIN_MARK "\"whole\":1"

/* In a transaction: some hours from *next on, which begins at 0 and is kept by the caller. SD_EIO.
 */
int thin_counters(sqlite3 *db, nsec_t now, nsec_t *next);

#endif
