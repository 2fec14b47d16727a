#include "store/expire.h"

#include "base/error.h"
#include "store/rollup.h"

#define QUERY_ROW 160 /* octets, with its index */

static const char old_queries[] =
    "DELETE FROM queries WHERE row IN"
    " (SELECT row FROM queries WHERE time < ?1 ORDER BY time LIMIT ?2)";
static const char surplus_queries[] =
    "DELETE FROM queries WHERE row < (SELECT max(row) FROM queries) - ?1"
    " AND row < (SELECT min(row) FROM queries) + ?2";
const char expire_hours[] =
    "DELETE FROM conversations WHERE (hour, client, server, server_port, transport) IN"
    " (SELECT hour, client, server, server_port, transport FROM conversations"
    "  WHERE hour < min(?1, (SELECT until FROM rolled)) ORDER BY hour LIMIT ?2)";
static const char old_events[] = "DELETE FROM events WHERE row IN (SELECT row FROM events"
                                 " WHERE kind = ?3 AND time < ?1 ORDER BY row LIMIT ?2)";

const char expire_days[] =
    "DELETE FROM client_days WHERE (day, client) IN (SELECT day, client FROM client_days"
    " WHERE day < ?1 - " ROLLUP_DAY " ORDER BY day LIMIT ?2)";
const char expire_months[] =
    "DELETE FROM client_months WHERE (month, client) IN (SELECT month, client FROM client_months"
    " WHERE month < ?1 - 31 * " ROLLUP_DAY " ORDER BY month LIMIT ?2)";

static int take(sqlite3 *db, struct expiry *e, const char *text, int64_t bound, const char *kind)
{
    sqlite3_stmt *q;
    int status;

    if (sqlite3_prepare_v2(db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    sqlite3_bind_int64(q, 1, bound);
    sqlite3_bind_int64(q, 2, EXPIRE_ROWS);
    if (kind)
        sqlite3_bind_text(q, 3, kind, -1, SQLITE_STATIC);
    status = sqlite3_step(q) == SQLITE_DONE ? SD_OK : SD_EIO;
    if (status == SD_OK)
        e->expired += (uint64_t)sqlite3_changes(db);
    sqlite3_finalize(q);
    return status;
}

static int take_conversations(sqlite3 *db, struct expiry *e, nsec_t before)
{
    static const char *const texts[] = {expire_hours, expire_days, expire_months};
    int status = SD_OK;

    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == SD_OK; i++)
        status = take(db, e, texts[i], before, NULL);
    return status;
}

nsec_t expire_before(nsec_t now, nsec_t most)
{
    nsec_t step = most / 1000 + 1;

    return (now - most) / step * step;
}

/* The next kind that has a time of its own. */
static int take_events(sqlite3 *db, struct expiry *e, nsec_t now)
{
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        unsigned kind = e->kind++ % KIND_COUNT;

        if (e->wish.kinds[kind])
            return take(db, e, old_events, expire_before(now, e->wish.kinds[kind]),
                        kind_name(kind));
    }
    return SD_OK;
}

int expire_step(sqlite3 *db, struct expiry *e, nsec_t now, uint64_t most)
{
    int status = SD_OK;

    if (e->wish.queries)
        status = take(db, e, old_queries, now - e->wish.queries, NULL);
    if (status == SD_OK && most)
        status = take(db, e, surplus_queries, (int64_t)(most / 4 / QUERY_ROW), NULL);
    if (status == SD_OK && e->wish.conversations)
        status = take_conversations(db, e, now - e->wish.conversations);
    return status == SD_OK ? take_events(db, e, now) : status;
}
