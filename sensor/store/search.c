#include "store/search.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "store/read.h"

enum { BETWEEN_LOOKS = 1000 }; /* steps */

static int spend(void *context)
{
    struct store_reader *r = context;

    r->budget -= BETWEEN_LOOKS;
    return r->budget <= 0;
}

void store_reader_budget(struct store_reader *r, int64_t steps)
{
    r->budget = steps;
    sqlite3_progress_handler(r->db, BETWEEN_LOOKS, spend, r);
}

static void bind_text(sqlite3_stmt *q, int at, const char *text)
{
    if (text)
        sqlite3_bind_text(q, at, text, -1, SQLITE_TRANSIENT);
}

/* What LIKE reads as wild is meant as it stands. */
static void bind_part(sqlite3_stmt *q, int at, const char *text)
{
    char pattern[512];
    size_t n = 0;

    if (!text)
        return;
    pattern[n++] = '%';
    for (; *text && n < sizeof pattern - 4; text++) {
        if (strchr("%_\\", *text))
            pattern[n++] = '\\';
        pattern[n++] = *text;
    }
    pattern[n++] = '%';
    sqlite3_bind_text(q, at, pattern, (int)n, SQLITE_TRANSIENT);
}

/* --- events ---------------------------------------------------------------------------------- */

int64_t store_last_row(struct store_reader *r)
{
    sqlite3_stmt *q;
    int64_t row = 0;

    if (sqlite3_prepare_v2(r->db, "SELECT max(row) FROM events", -1, &q, NULL) != SQLITE_OK)
        return 0;
    if (sqlite3_step(q) == SQLITE_ROW)
        row = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return row;
}

/* By the index that leaves the fewest rows; else from the newest backwards. */
static const char *source_of(const struct event_search *s)
{
    if (s->client)
        return "events e INDEXED BY events_by_client";
    return s->kind >= 0 ? "events e INDEXED BY events_by_kind" : "events e NOT INDEXED";
}

static sqlite3_stmt *prepare_page(struct store_reader *r, const struct event_search *s,
                                  const char *source)
{
    char text[1024];
    sqlite3_stmt *q;

    snprintf(text, sizeof text,
             "SELECT row, id, revision, time, json FROM %s WHERE row < ?1 AND row >= ?2"
             " AND (?3 = 0 OR last >= ?3) AND (?4 = 0 OR first <= ?4)"
             "%s AND (?6 = 0 OR (severity BETWEEN 1 AND ?6)) AND (?7 IS NULL OR zone = ?7)"
             "%s AND (?9 IS NULL OR server = ?9)"
             " AND (?10 IS NULL OR json LIKE ?10 ESCAPE '\\')"
             " AND revision = (SELECT max(revision) FROM events WHERE id = e.id)"
             " ORDER BY row DESC LIMIT ?11",
             source, s->kind >= 0 ? " AND kind = ?5" : "", s->client ? " AND client = ?8" : "");
    return sqlite3_prepare_v2(r->db, text, -1, &q, NULL) == SQLITE_OK ? q : NULL;
}

static sqlite3_stmt *select_page(struct store_reader *r, const struct event_search *s, int64_t from)
{
    sqlite3_stmt *q = prepare_page(r, s, source_of(s));

    if (!q && !(q = prepare_page(r, s, "events e"))) /* of an older schema, without the index */
        return NULL;
    sqlite3_bind_int64(q, 1, s->before ? s->before : INT64_MAX);
    sqlite3_bind_int64(q, 2, from);
    sqlite3_bind_int64(q, 3, s->since);
    sqlite3_bind_int64(q, 4, s->until);
    if (s->kind >= 0)
        bind_text(q, 5, kind_name((unsigned)s->kind));
    sqlite3_bind_int(q, 6, s->severity);
    bind_text(q, 7, s->zone);
    bind_text(q, 8, s->client);
    bind_text(q, 9, s->server);
    bind_part(q, 10, s->text);
    sqlite3_bind_int(q, 11, s->limit);
    return q;
}

static struct event_row event_at(sqlite3_stmt *q)
{
    return (struct event_row){.row = sqlite3_column_int64(q, 0),
                              .id = text_at(q, 1),
                              .revision = (uint32_t)sqlite3_column_int64(q, 2),
                              .time = sqlite3_column_int64(q, 3),
                              .json = text_at(q, 4)};
}

int store_search(struct store_reader *r, const struct event_search *s, int64_t *next,
                 int (*fn)(void *context, const struct event_row *row), void *context)
{
    int64_t top = s->before ? s->before : store_last_row(r) + 1;
    int64_t from = s->text && top > SEARCH_WINDOW ? top - SEARCH_WINDOW : 0;
    sqlite3_stmt *q = select_page(r, s, from);
    int code = SQLITE_DONE, stop = 0, found = 0;

    *next = 0;
    if (!q)
        return SD_EIO;
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct event_row row = event_at(q);

        *next = row.row;
        found++;
        stop = fn(context, &row);
    }
    sqlite3_finalize(q);
    if (found < s->limit)
        *next = from; /* the window's end, or that of all */
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

int store_event(struct store_reader *r, const char *id,
                int (*fn)(void *context, const struct event_row *row), void *context)
{
    static const char text[] = "SELECT row, id, revision, time, json FROM events WHERE id = ?1"
                               " ORDER BY revision";
    int code = SQLITE_DONE, stop = 0;
    sqlite3_stmt *q;

    if (sqlite3_prepare_v2(r->db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    bind_text(q, 1, id);
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct event_row row = event_at(q);

        stop = fn(context, &row);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

/* --- clients --------------------------------------------------------------------------------- */

int store_clients(struct store_reader *r, const struct client_search *s,
                  int (*fn)(void *context, const struct client_seen *seen), void *context)
{
    static const char text[] =
        "SELECT c.client, c.zone, m.text, c.first, c.last, c.queries_clear, c.queries_sealed,"
        " c.flows_failed FROM clients c LEFT JOIN memory m ON m.topic = 'profile' AND m.key = "
        "c.client"
        " WHERE (?1 IS NULL OR c.client LIKE ?1 ESCAPE '\\') AND (?2 IS NULL OR c.zone = ?2)"
        " AND (?3 IS NULL OR c.client = ?3) AND (?4 = 0 OR c.last < ?4)"
        " ORDER BY c.last DESC LIMIT ?5";
    int code = SQLITE_DONE, stop = 0;
    sqlite3_stmt *q;

    if (sqlite3_prepare_v2(r->db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    bind_part(q, 1, s->text);
    bind_text(q, 2, s->zone);
    bind_text(q, 3, s->client);
    sqlite3_bind_int64(q, 4, s->before);
    sqlite3_bind_int(q, 5, s->limit);
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct client_seen seen = {.client = text_at(q, 0),
                                   .zone = text_at(q, 1),
                                   .profile = text_at(q, 2),
                                   .first = sqlite3_column_int64(q, 3),
                                   .last = sqlite3_column_int64(q, 4),
                                   .queries_clear = count_at(q, 5),
                                   .queries_sealed = count_at(q, 6),
                                   .flows_failed = count_at(q, 7)};

        stop = fn(context, &seen);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

/* --- resolvers ------------------------------------------------------------------------------- */

int store_resolvers(struct store_reader *r, const char *server, nsec_t since, int limit,
                    int (*fn)(void *context, const struct resolver_seen *seen), void *context)
{
    static const char text[] =
        "WITH recent AS (SELECT server, server_port, transport, max(approved) AS approved,"
        " count(DISTINCT client) AS clients FROM conversations WHERE hour >= ?2 AND client <> ''"
        " AND (?1 IS NULL OR server = ?1) GROUP BY 1, 2, 3)"
        " SELECT r.server, r.resolver, r.name, r.server_port, r.transport, r.first, r.last,"
        " r.queries, r.responses, r.flows, r.flows_failed, coalesce(c.clients, 0),"
        " coalesce(c.approved, (SELECT max(approved) FROM server_days d WHERE d.server = r.server"
        " AND d.server_port = r.server_port AND d.transport = r.transport AND d.day >= ?4), 0)"
        " FROM (SELECT * FROM resolvers WHERE ?1 IS NULL OR server = ?1"
        " ORDER BY queries DESC, flows DESC LIMIT ?3) r"
        " LEFT JOIN recent c USING (server, server_port, transport)"
        " ORDER BY r.queries DESC, r.flows DESC";
    int code = SQLITE_DONE, stop = 0;
    sqlite3_stmt *q;

    if (sqlite3_prepare_v2(r->db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    bind_text(q, 1, server);
    sqlite3_bind_int64(q, 2, since);
    sqlite3_bind_int(q, 3, limit);
    sqlite3_bind_int64(q, 4, since - 7 * 86400 * NSEC_S);
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct resolver_seen seen = {.server = text_at(q, 0),
                                     .resolver = text_at(q, 1),
                                     .name = text_at(q, 2),
                                     .server_port = (uint16_t)sqlite3_column_int(q, 3),
                                     .transport = transport_at(q, 4),
                                     .first = sqlite3_column_int64(q, 5),
                                     .last = sqlite3_column_int64(q, 6),
                                     .queries = count_at(q, 7),
                                     .responses = count_at(q, 8),
                                     .flows = count_at(q, 9),
                                     .flows_failed = count_at(q, 10),
                                     .clients = count_at(q, 11),
                                     .approved = sqlite3_column_int(q, 12) != 0};

        stop = fn(context, &seen);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

int store_users(struct store_reader *r, const char *server, nsec_t since, int limit,
                int (*fn)(void *context, const struct resolver_user *user), void *context)
{
    static const char text[] =
        "SELECT client, coalesce(max(zone), ''), transport, sum(queries), max(last)"
        " FROM conversations WHERE hour >= ?2 AND server = ?1 AND client <> ''"
        " GROUP BY 1, 3 ORDER BY 4 DESC, 1 LIMIT ?3";
    int code = SQLITE_DONE, stop = 0;
    sqlite3_stmt *q;

    if (sqlite3_prepare_v2(r->db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    bind_text(q, 1, server);
    sqlite3_bind_int64(q, 2, since);
    sqlite3_bind_int(q, 3, limit);
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct resolver_user user = {.client = text_at(q, 0),
                                     .zone = text_at(q, 1),
                                     .transport = transport_at(q, 2),
                                     .queries = count_at(q, 3),
                                     .last = sqlite3_column_int64(q, 4)};

        stop = fn(context, &user);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}
