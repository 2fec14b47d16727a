#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "store/read.h"
#include "store/schema.h"
#include "store/store.h"

static int refuse(const char *path, const char *why, int status, char error[STORE_ERROR])
{
    snprintf(error, STORE_ERROR, "%.150s: %.90s", path, why);
    return status;
}

/* Of a WAL store SQLite makes files beside it, also to read. */
static bool wants_to_write(int code)
{
    return code == SQLITE_CANTOPEN || code == SQLITE_READONLY;
}

static int check_version(sqlite3 *db, const char *path, char error[STORE_ERROR])
{
    sqlite3_stmt *q;
    int version = -1, newest = 0;

    while (schema_steps[newest])
        newest++;
    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &q, NULL) == SQLITE_OK) {
        if (sqlite3_step(q) == SQLITE_ROW)
            version = sqlite3_column_int(q, 0);
        sqlite3_finalize(q);
    }
    if (version < 0 && wants_to_write(sqlite3_errcode(db)))
        return refuse(path, "cannot be read where nothing can be written: copy it, and its -wal",
                      SD_EPERM, error);
    if (version < 0)
        return refuse(path, "no SQLite database", SD_EFORMAT, error);
    if (version == 0)
        return refuse(path, "not a sealdns store", SD_EFORMAT, error);
    if (version > newest)
        return refuse(path, "made by a newer sealdns", SD_EVERSION, error);
    return SD_OK;
}

/* As a file that nobody changes. */
static int open_unchanging(const char *path, sqlite3 **out)
{
    static const char odd[] = "%?# ";
    size_t size = 3 * strlen(path) + 32, used = 0;
    char *uri = malloc(size);
    int code;

    if (!uri)
        return SQLITE_NOMEM;
    used += (size_t)snprintf(uri, size, "file:");
    for (; *path; path++)
        used += (size_t)snprintf(uri + used, size - used, strchr(odd, *path) ? "%%%02X" : "%c",
                                 (unsigned char)*path);
    snprintf(uri + used, size - used, "?immutable=1");
    code = sqlite3_open_v2(uri, out, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI,
                           NULL);
    free(uri);
    return code;
}

/* A copy on a medium, or in a folder, where nothing can be written, with nothing beside it. */
static bool is_shut_away(sqlite3 *db, const char *path)
{
    char wal[4096];

    return wants_to_write(sqlite3_exec(db, "PRAGMA user_version", NULL, NULL, NULL)) &&
           snprintf(wal, sizeof wal, "%s-wal", path) < (int)sizeof wal && access(wal, F_OK) != 0;
}

static int open_file(const char *path, sqlite3 **out)
{
    int code = sqlite3_open_v2(path, out, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (code != SQLITE_OK || !is_shut_away(*out, path))
        return code;
    sqlite3_close(*out);
    *out = NULL;
    return open_unchanging(path, out);
}

int store_reader_open(const char *path, struct store_reader **out, char error[STORE_ERROR])
{
    struct store_reader *r = calloc(1, sizeof *r);
    int status;

    if (!r)
        return SD_EMEM;
    if (open_file(path, &r->db) != SQLITE_OK)
        status =
            refuse(path, "cannot be opened: is it the right path (--db FILE)?", SD_ENOENT, error);
    else
        status = check_version(r->db, path, error);
    if (status != SD_OK) {
        store_reader_close(r);
        return status;
    }
    sqlite3_busy_timeout(r->db, 5000);
    *out = r;
    return SD_OK;
}

void store_reader_close(struct store_reader *r)
{
    if (!r)
        return;
    sqlite3_close(r->db);
    free(r);
}

static sqlite3_stmt *select_events(struct store_reader *r, const struct event_filter *f)
{
    static const char every[] =
        "SELECT row, id, revision, time, json FROM events e WHERE row > ?1"
        " AND (?2 = 0 OR last >= ?2) AND (?3 = 0 OR first <= ?3)"
        " AND (?4 IS NULL OR kind = ?4) AND (?5 = 0 OR (severity BETWEEN 1 AND ?5))"
        " AND (?6 IS NULL OR client = ?6)"
        " AND (?7 OR revision = (SELECT max(revision) FROM events WHERE id = e.id))"
        " ORDER BY row";
    sqlite3_stmt *q;
    char client[ADDR_TEXT];

    if (sqlite3_prepare_v2(r->db, every, -1, &q, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_int64(q, 1, f->after_row);
    sqlite3_bind_int64(q, 2, f->since);
    sqlite3_bind_int64(q, 3, f->until);
    if (f->kind >= 0)
        sqlite3_bind_text(q, 4, kind_name((unsigned)f->kind), -1, SQLITE_STATIC);
    sqlite3_bind_int(q, 5, f->severity);
    if (f->client)
        sqlite3_bind_text(q, 6, addr_text(f->client, client), -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(q, 7, f->all_revisions);
    return q;
}

int store_events(struct store_reader *r, const struct event_filter *filter,
                 int (*fn)(void *context, const struct event_row *row), void *context)
{
    sqlite3_stmt *q = select_events(r, filter);
    int code = SQLITE_DONE, stop = 0;

    if (!q)
        return SD_EIO;
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct event_row row = {.row = sqlite3_column_int64(q, 0),
                                .id = text_at(q, 1),
                                .revision = (uint32_t)sqlite3_column_int64(q, 2),
                                .time = sqlite3_column_int64(q, 3),
                                .json = text_at(q, 4)};

        stop = fn(context, &row);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

static sqlite3_stmt *select_conversations(struct store_reader *r, const struct addr *either,
                                          nsec_t since, int limit)
{
    static const char text[] =
        "SELECT hour, client, server, server_port, transport, zone, resolver, name, approved,"
        " identified_by, confidence, estimated, first, last, flows, flows_failed, queries,"
        " responses, bytes_out, bytes_in FROM conversations"
        " WHERE hour >= ?1 AND client <> '' AND (?2 IS NULL OR client = ?2 OR server = ?2)"
        " ORDER BY hour DESC, queries + flows DESC LIMIT ?3";
    char address[ADDR_TEXT];
    sqlite3_stmt *q;

    if (sqlite3_prepare_v2(r->db, text, -1, &q, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_int64(q, 1, since - since % (3600 * NSEC_S));
    if (either)
        sqlite3_bind_text(q, 2, addr_text(either, address), -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(q, 3, limit);
    return q;
}

static void read_conversation(sqlite3_stmt *q, struct conversation *c)
{
    uint64_t *counts[] = {&c->flows,     &c->flows_failed, &c->queries,
                          &c->responses, &c->bytes_out,    &c->bytes_in};
    int transport = transport_of(text_at(q, 4));

    memset(c, 0, sizeof *c);
    if (addr_parse(text_at(q, 1), &c->key.client) != SD_OK ||
        addr_parse(text_at(q, 2), &c->key.server) != SD_OK)
        memset(&c->key, 0, sizeof c->key); /* a damaged row shows as an empty address */
    c->key.server_port = (uint16_t)sqlite3_column_int(q, 3);
    c->key.transport = transport > 0 ? (uint8_t)transport : TRANSPORT_UNKNOWN;
    text_copy(c->name, sizeof c->name, text_at(q, 7));
    c->zone = c->resolver = -1;
    c->approved = sqlite3_column_int(q, 8) != 0;
    c->identified_by = (uint8_t)sqlite3_column_int(q, 9);
    c->confidence = (uint8_t)sqlite3_column_int(q, 10);
    c->queries_estimated = sqlite3_column_int(q, 11) != 0;
    c->first = sqlite3_column_int64(q, 12);
    c->last = sqlite3_column_int64(q, 13);
    for (int i = 0; i < 6; i++)
        *counts[i] = (uint64_t)sqlite3_column_int64(q, 14 + i);
}

int store_conversations(struct store_reader *r, const struct addr *either, nsec_t since, int limit,
                        int (*fn)(void *context, const struct conversation_row *row), void *context)
{
    sqlite3_stmt *q = select_conversations(r, either, since, limit);
    int code = SQLITE_DONE, stop = 0;

    if (!q)
        return SD_EIO;
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct conversation_row row = {
            .hour = sqlite3_column_int64(q, 0), .zone = text_at(q, 5), .resolver = text_at(q, 6)};

        read_conversation(q, &row.conversation);
        stop = fn(context, &row);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

int store_blocked(struct store_reader *r, nsec_t since,
                  int (*fn)(void *context, const struct blocked_row *row), void *context)
{
    static const char text[] = "SELECT DISTINCT client, server, kind = ?2 FROM events"
                               " WHERE time >= ?1 AND verdict = ?3 AND client IS NOT NULL"
                               " AND server IS NOT NULL";
    sqlite3_stmt *q;
    int code = SQLITE_DONE, stop = 0;

    if (sqlite3_prepare_v2(r->db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    sqlite3_bind_int64(q, 1, since);
    sqlite3_bind_text(q, 2, kind_name(KIND_CLEARTEXT), -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 3, verdict_name(VERDICT_BLOCKED), -1, SQLITE_STATIC);
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct blocked_row row = {text_at(q, 0), text_at(q, 1), sqlite3_column_int(q, 2) != 0};

        stop = fn(context, &row);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

int store_memory(struct store_reader *r, const char *topic, const char *key,
                 int (*fn)(void *context, const struct memory_row *row), void *context)
{
    static const char text[] = "SELECT topic, key, text, time, body FROM memory"
                               " WHERE (?1 IS NULL OR topic = ?1) AND (?2 IS NULL OR key = ?2)"
                               " ORDER BY topic, key";
    sqlite3_stmt *q;
    int code = SQLITE_DONE, stop = 0;

    if (sqlite3_prepare_v2(r->db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_OK; /* of an older schema: nothing was learned */
    if (topic)
        sqlite3_bind_text(q, 1, topic, -1, SQLITE_STATIC);
    if (key)
        sqlite3_bind_text(q, 2, key, -1, SQLITE_STATIC);
    while (!stop && (code = sqlite3_step(q)) == SQLITE_ROW) {
        struct memory_row row = {.topic = text_at(q, 0),
                                 .key = text_at(q, 1),
                                 .text = text_at(q, 2),
                                 .time = sqlite3_column_int64(q, 3),
                                 .body = sqlite3_column_blob(q, 4),
                                 .size = (size_t)sqlite3_column_bytes(q, 4)};

        stop = fn(context, &row);
    }
    sqlite3_finalize(q);
    return stop || code == SQLITE_DONE ? SD_OK : SD_EIO;
}
