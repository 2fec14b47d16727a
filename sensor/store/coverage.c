#include "store/coverage.h"

#include "base/error.h"
#include "store/read.h"
#include "store/thin.h"

static sqlite3_stmt *prepare(struct store_reader *r, const char *text,
                             const struct summary_period *p)
{
    sqlite3_stmt *q;

    if (sqlite3_prepare_v2(r->db, text, -1, &q, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_int64(q, 1, p->since);
    sqlite3_bind_int64(q, 2, p->until);
    return q;
}

/* From where on a row says that somebody watched: a whole hour's from its beginning. */
static nsec_t watched_from(sqlite3_stmt *q)
{
    nsec_t time = sqlite3_column_int64(q, 0);

    return sqlite3_column_int(q, 1) ? time / THIN_HOUR * THIN_HOUR : time;
}

int store_gaps(struct store_reader *r, const struct summary_period *p, nsec_t least,
               int (*fn)(void *context, const struct gap_row *row), void *context)
{
    /* An hour that is whole and ends behind the period has its row there. */
    static const char text[] =
        "SELECT time, instr(json, '" THIN_MARK "') > 0 FROM stats WHERE time >= ?1"
        " AND time < ?2 + 3600000000000 ORDER BY time";
    sqlite3_stmt *q = prepare(r, text, p);
    struct gap_row gap = {.from = p->since};
    int code = SQLITE_DONE, stop = 0;

    if (!q)
        return SD_EIO;
    while (!stop && gap.from < p->until && (code = sqlite3_step(q)) == SQLITE_ROW) {
        nsec_t from = watched_from(q);

        if (from >= p->until)
            break;
        gap.to = from;
        if (gap.to - gap.from >= least)
            stop = fn(context, &gap);
        gap.from = sqlite3_column_int64(q, 0);
    }
    sqlite3_finalize(q);
    gap.to = p->until;
    if (!stop && gap.to - gap.from >= least)
        stop = fn(context, &gap);
    return stop || code == SQLITE_DONE || code == SQLITE_ROW ? SD_OK : SD_EIO;
}

int store_counters(struct store_reader *r, const struct summary_period *p,
                   int (*fn)(void *context, const struct counters_row *row), void *context)
{
    sqlite3_stmt *q = prepare(r,
                              "SELECT max(time), json FROM stats WHERE time >= ?1 AND time < ?2"
                              " GROUP BY time / 3600000000000 ORDER BY 1",
                              p);
    int code = SQLITE_DONE, stop = 0;

    if (!q)
        return SD_EIO;
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct counters_row row = {.time = sqlite3_column_int64(q, 0), .json = text_at(q, 1)};

        stop = fn(context, &row);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

int store_closures(struct store_reader *r, const struct summary_period *p,
                   int (*fn)(void *context, const struct closure_row *row), void *context)
{
    sqlite3_stmt *q =
        prepare(r,
                "SELECT kind, severity, count(*), sum(state = 'final'),"
                " avg(CASE WHEN state = 'final' THEN last - first END),"
                " max(CASE WHEN state = 'final' THEN last - first END) FROM events e"
                " WHERE time >= ?1 AND time < ?2 AND kind NOT IN ('sensor', 'enforcement')"
                " AND revision = (SELECT max(revision) FROM events WHERE id = e.id) GROUP BY 1, 2"
                " ORDER BY 2, 3 DESC, 1",
                p);
    int code = SQLITE_DONE, stop = 0;

    if (!q)
        return SD_EIO;
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct closure_row row = {.kind = text_at(q, 0),
                                  .severity = sqlite3_column_int(q, 1),
                                  .events = sqlite3_column_int64(q, 2),
                                  .ended = sqlite3_column_int64(q, 3),
                                  .mean = sqlite3_column_int64(q, 4),
                                  .longest = sqlite3_column_int64(q, 5)};

        stop = fn(context, &row);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}
