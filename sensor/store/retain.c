/* What leaves the store for its age, or for want of room. */
#include "base/error.h"
#include "store/chain.h"
#include "store/expire.h"
#include "store/handle.h"
#include "store/rollup.h"
#include "store/thin.h"

#define RETAIN_ROWS 20000 /* deleted at most in one call of store_retain() */

static uint64_t used_bytes(struct store *s)
{
    int64_t pages = store_number(s, "PRAGMA page_count") - store_number(s, "PRAGMA freelist_count");

    return (uint64_t)(pages * store_number(s, "PRAGMA page_size"));
}

/* Takes the oldest rows out, those before `before` only, at most so many. */
static int take_out(struct store *s, const char *text, nsec_t before, int64_t most)
{
    sqlite3_stmt *q;
    int status;

    if (sqlite3_prepare_v2(s->db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    sqlite3_bind_int64(q, 1, before);
    sqlite3_bind_int64(q, 2, most < RETAIN_ROWS ? most : RETAIN_ROWS);
    status = sqlite3_step(q) == SQLITE_DONE ? SD_OK : SD_EIO;
    sqlite3_finalize(q);
    return status;
}

static const char delete_memory[] =
    "DELETE FROM memory WHERE (topic, key) IN"
    " (SELECT topic, key FROM memory WHERE time < ?1 ORDER BY time LIMIT ?2)";

static int delete_oldest(struct store *s, nsec_t before)
{
    static const char *const deletes[] = {
        expire_hours,
        "DELETE FROM events WHERE row IN"
        " (SELECT row FROM events WHERE time < ?1 ORDER BY time LIMIT ?2)",
        "DELETE FROM stats WHERE time IN"
        " (SELECT time FROM stats WHERE time < ?1 ORDER BY time LIMIT ?2)",
    };
    int status = SD_OK;

    for (size_t i = 0; i < sizeof deletes / sizeof *deletes && status == SD_OK; i++)
        status = take_out(s, deletes[i], before, RETAIN_ROWS);
    return status;
}

/* What was learned and who was ever seen do not give way to events: a store that is full would
 * forget every baseline each minute. Nor do events give way to them: whoever invents clients by the
 * million has a share of the store, in octets a row takes. */
static int bound_shares(struct store *s, nsec_t now)
{
    static const struct {
        const char *count, *take_out;
        unsigned share, row;
    } bounded[] = {
        {"SELECT count(*) FROM memory", delete_memory, 4, 2048},
        {"SELECT count(*) FROM clients",
         "DELETE FROM clients WHERE client IN"
         " (SELECT client FROM clients WHERE last < ?1 ORDER BY last LIMIT ?2)",
         8, 128},
        {"SELECT count(*) FROM resolvers",
         "DELETE FROM resolvers WHERE (server, server_port, transport) IN"
         " (SELECT server, server_port, transport FROM resolvers WHERE last < ?1"
         "  ORDER BY last LIMIT ?2)",
         8, 128},
        {"SELECT count(*) FROM client_days",
         "DELETE FROM client_days WHERE (day, client) IN"
         " (SELECT day, client FROM client_days WHERE day < ?1 ORDER BY day LIMIT ?2)",
         4, 64},
        {"SELECT count(*) FROM client_months",
         "DELETE FROM client_months WHERE (month, client) IN"
         " (SELECT month, client FROM client_months WHERE month < ?1 ORDER BY month LIMIT ?2)",
         16, 64},
        {"SELECT count(*) FROM server_days",
         "DELETE FROM server_days WHERE (day, zone, server, server_port, transport) IN"
         " (SELECT day, zone, server, server_port, transport FROM server_days WHERE day < ?1"
         "  ORDER BY day LIMIT ?2)",
         8, 128},
    };
    int status = SD_OK;

    for (size_t i = 0; i < sizeof bounded / sizeof *bounded && status == SD_OK; i++) {
        uint64_t kept = s->options.max_size / bounded[i].share / bounded[i].row;
        int64_t over = store_number(s, bounded[i].count) - (int64_t)kept;

        if (over > 0)
            status = take_out(s, bounded[i].take_out, now, over);
    }
    return status;
}

/* What is told of a client is forgotten with the hours it came from; sums without clients stay. */
static int forget_clients(struct store *s, nsec_t before)
{
    int status = take_out(s, expire_days, before, RETAIN_ROWS);

    return status == SD_OK ? take_out(s, expire_months, before, RETAIN_ROWS) : status;
}

/* Old hours are rolled up a few at a time, five minutes after they ended: the last of them is
 * written by then. */
static int roll_up(struct store *s, nsec_t now)
{
    int status = store_begin(s);

    if (status == SD_OK)
        status = rollup_hours(s->db, now - 300 * NSEC_S);
    return status == SD_OK ? store_commit(s) : status;
}

static bool is_full(struct store *s)
{
    return s->options.max_size && used_bytes(s) > s->options.max_size;
}

/* What is older than it may be, by its kind and in all. */
static int take_old(struct store *s, nsec_t now)
{
    nsec_t most = s->options.max_age;
    int status = SD_OK;

    if (most && now > most) {
        status = delete_oldest(s, expire_before(now, most));
        if (status == SD_OK)
            status = take_out(s, delete_memory, now - most, RETAIN_ROWS);
        if (status == SD_OK)
            status = forget_clients(s, now - most);
    }
    if (status == SD_OK)
        status = expire_step(s->db, &s->expiry, now, s->options.max_size);
    if (status == SD_OK)
        status = thin_counters(s->db, now, &s->thinned);
    return status == SD_OK ? chain_close_segment(s->chain, WHY_AGE, now) : status;
}

static int make_room(struct store *s, nsec_t now)
{
    int status = is_full(s) ? bound_shares(s, now) : SD_OK;

    if (status == SD_OK && is_full(s))
        status = delete_oldest(s, now);
    return status == SD_OK ? chain_close_segment(s->chain, WHY_SIZE, now) : status;
}

int store_retain(struct store *s, nsec_t now)
{
    int status = store_commit(s);

    if (status == SD_OK)
        status = roll_up(s, now);
    if (status == SD_OK)
        status = store_begin(s);
    if (status == SD_OK)
        status = take_old(s, now);
    if (status == SD_OK)
        status = make_room(s, now);
    if (status == SD_OK)
        status = store_commit(s);
    else
        store_give_up(s);
    if (status == SD_OK &&
        sqlite3_exec(s->db, "PRAGMA incremental_vacuum(10000)", NULL, NULL, NULL) != SQLITE_OK)
        status = SD_EIO;
    return status;
}
