#include "store/thin.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define AGE   (INT64_C(8) * 86400 * NSEC_S)
#define HOURS 24 /* that one call looks at: after a start a year is looked through in six hours */

/* Of the hour from ?1 on: 1: every minute is there, as far as a report looks; and more rows than
 * the one that would stay. */
static const char is_whole[] =
    "SELECT count(*) > 1 AND min(time) - ?1 < ?2 AND ?1 + 3600000000000 - max(time) < ?2"
    " AND max(gap) < ?2 FROM (SELECT time, time - lag(time, 1, time) OVER (ORDER BY time) AS gap"
    " FROM stats WHERE time >= ?1 AND time < ?1 + 3600000000000)";
static const char mark[] =
    "UPDATE stats SET json = json_set(json, '$.whole', 1) WHERE time ="
    " (SELECT max(time) FROM stats WHERE time >= ?1 AND time < ?1 + 3600000000000)";
static const char take_out[] =
    "DELETE FROM stats WHERE time >= ?1 AND time <"
    " (SELECT max(time) FROM stats WHERE time >= ?1 AND time < ?1 + 3600000000000)";

/* What a statement of an hour says, or whether it did what it does. */
static int ask(sqlite3 *db, const char *text, nsec_t hour, bool *yes)
{
    sqlite3_stmt *q;
    int code;

    if (sqlite3_prepare_v2(db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    sqlite3_bind_int64(q, 1, hour);
    sqlite3_bind_int64(q, 2, THIN_GAP); /* refused by those that have no such place */
    code = sqlite3_step(q);
    *yes = code == SQLITE_ROW && sqlite3_column_int(q, 0) != 0;
    sqlite3_finalize(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

/* The hour of the first row from there on; INT64_MAX: there is none. */
static nsec_t hour_from(sqlite3 *db, nsec_t from)
{
    sqlite3_stmt *q;
    nsec_t at = INT64_MAX;

    if (sqlite3_prepare_v2(db, "SELECT min(time) FROM stats WHERE time >= ?1", -1, &q, NULL) !=
        SQLITE_OK)
        return at;
    sqlite3_bind_int64(q, 1, from);
    if (sqlite3_step(q) == SQLITE_ROW && sqlite3_column_type(q, 0) == SQLITE_INTEGER)
        at = sqlite3_column_int64(q, 0) / THIN_HOUR * THIN_HOUR;
    sqlite3_finalize(q);
    return at;
}

int thin_counters(sqlite3 *db, nsec_t now, nsec_t *next)
{
    int status = SD_OK;

    for (int i = 0; i < HOURS && status == SD_OK; i++) {
        nsec_t hour = hour_from(db, *next);
        bool whole = false, done;

        if (hour > now - AGE - THIN_HOUR)
            return SD_OK;
        status = ask(db, is_whole, hour, &whole);
        if (status == SD_OK && whole)
            status = ask(db, mark, hour, &done);
        if (status == SD_OK && whole)
            status = ask(db, take_out, hour, &done);
        *next = hour + THIN_HOUR;
    }
    return status;
}
