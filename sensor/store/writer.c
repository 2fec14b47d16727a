#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/chain.h"
#include "store/handle.h"
#include "store/query.h"
#include "store/rollup.h"
#include "store/schema.h"

#define BUSY_MS 1000 /* waited for somebody else's transaction: events stand behind it */
#define CACHE   (16 << 20)

static const char *const statement_text[STATEMENTS] = {
    "INSERT INTO events (" CHAIN_EVENT ", row) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "INSERT INTO conversations VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
    " ON CONFLICT DO UPDATE SET zone = excluded.zone, resolver = excluded.resolver,"
    " name = excluded.name, approved = excluded.approved,"
    " identified_by = identified_by | excluded.identified_by,"
    " confidence = max(confidence, excluded.confidence), estimated = excluded.estimated,"
    " first = min(first, excluded.first), last = max(last, excluded.last),"
    " flows = flows + excluded.flows, flows_failed = flows_failed + excluded.flows_failed,"
    " queries = queries + excluded.queries, responses = responses + excluded.responses,"
    " bytes_out = bytes_out + excluded.bytes_out, bytes_in = bytes_in + excluded.bytes_in",
    "INSERT INTO temp.late VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    rollup_previous,
    sums_event_text,
    "INSERT INTO clients VALUES (?,?,?,?,?,?,?)"
    " ON CONFLICT DO UPDATE SET zone = excluded.zone, first = min(first, excluded.first),"
    " last = max(last, excluded.last), queries_clear = queries_clear + excluded.queries_clear,"
    " queries_sealed = queries_sealed + excluded.queries_sealed,"
    " flows_failed = flows_failed + excluded.flows_failed",
    sums_resolver_text,
    "INSERT OR REPLACE INTO stats VALUES (?,?)",
    "INSERT OR REPLACE INTO memory VALUES (?,?,?,?,?)",
    "DELETE FROM memory WHERE topic = ? AND key = ?",
    query_insert,
};

static int explain(sqlite3 *db, const char *path, char error[STORE_ERROR])
{
    int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;

    switch (code) {
    case SQLITE_NOTADB:
        snprintf(error, STORE_ERROR, "%.150s is no SQLite database: move it away", path);
        return SD_EFORMAT;
    case SQLITE_CANTOPEN:
        snprintf(error, STORE_ERROR, "cannot open %.150s: make its folder, or give store.path",
                 path);
        return SD_EIO;
    case SQLITE_READONLY:
    case SQLITE_PERM:
        snprintf(error, STORE_ERROR, "may not write %.150s", path);
        return SD_EPERM;
    default:
        snprintf(error, STORE_ERROR, "%.150s: %.80s", path, db ? sqlite3_errmsg(db) : "no memory");
        return SD_EIO;
    }
}

int64_t store_number(struct store *s, const char *text)
{
    sqlite3_stmt *q;
    int64_t value = 0;

    if (sqlite3_prepare_v2(s->db, text, -1, &q, NULL) != SQLITE_OK)
        return 0;
    if (sqlite3_step(q) == SQLITE_ROW)
        value = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return value;
}

static int user_version(sqlite3 *db, int *version)
{
    sqlite3_stmt *s;

    if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &s, NULL) != SQLITE_OK)
        return SD_EIO;
    *version = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int(s, 0) : -1;
    sqlite3_finalize(s);
    return *version < 0 ? SD_EIO : SD_OK;
}

static int migrate_step(sqlite3 *db, int version)
{
    char set[64];

    snprintf(set, sizeof set, "PRAGMA user_version = %d", version + 1);
    if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, schema_steps[version], NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, set, NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return SD_OK;
    return SD_EIO; /* closing the database rolls the step back */
}

static int migrate(struct store *s, const char *path, char error[STORE_ERROR])
{
    int version, newest = 0;

    while (schema_steps[newest])
        newest++;
    if (user_version(s->db, &version) != SD_OK)
        return explain(s->db, path, error);
    if (version > newest) {
        snprintf(error, STORE_ERROR,
                 "%.120s was made by a newer sealdns (schema %d, this one knows %d): use that one, "
                 "or another store.path",
                 path, version, newest);
        return SD_EVERSION;
    }
    for (; version < newest; version++)
        if (migrate_step(s->db, version) != SD_OK)
            return explain(s->db, path, error);
    return SD_OK;
}

static int set_up(struct store *s)
{
    static const char usual[] = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
                                "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;";
    static const char once[] = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = MEMORY;"
                               "PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;";
    size_t cache = s->options.cache;
    char size[64];

    s->once = s->options.report && store_number(s, "PRAGMA page_count") == 0;
    if (!cache)
        cache = s->once ? 2 * CACHE : CACHE;
    snprintf(size, sizeof size, "PRAGMA cache_size = -%zu", cache / 1024);
    return sqlite3_exec(s->db, s->once ? once : usual, NULL, NULL, NULL) == SQLITE_OK &&
                   sqlite3_exec(s->db, size, NULL, NULL, NULL) == SQLITE_OK
               ? SD_OK
               : SD_EIO;
}

static int prepare(struct store *s, const char *path, char error[STORE_ERROR])
{
    int status;

    sqlite3_busy_timeout(s->db, 5000);
    if (set_up(s) != SD_OK)
        return explain(s->db, path, error);
    status = migrate(s, path, error);
    if (status == SD_OK && chain_open(s->db, s->options.key, s->options.now, &s->chain) != SD_OK)
        status = explain(s->db, path, error);
    if (status == SD_OK && chain_watch(s->db) != SD_OK)
        status = explain(s->db, path, error);
    if (status == SD_OK &&
        sqlite3_exec(s->db, "CREATE TEMP TABLE late AS SELECT * FROM conversations LIMIT 0", NULL,
                     NULL, NULL) != SQLITE_OK)
        status = explain(s->db, path, error);
    for (int i = 0; i < STATEMENTS && status == SD_OK; i++)
        if (sqlite3_prepare_v3(s->db, statement_text[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &s->statements[i], NULL) != SQLITE_OK)
            status = explain(s->db, path, error);
    s->sums.add_event = s->statements[ADD_EVENT_DAY];
    s->sums.add_resolver = s->statements[ADD_RESOLVER];
    sqlite3_busy_timeout(s->db, BUSY_MS);
    return status;
}

int store_open(const struct store_options *options, struct store **out, char error[STORE_ERROR])
{
    struct store *s = calloc(1, sizeof *s);
    int status;

    if (!s)
        return SD_EMEM;
    s->options = *options;
    snprintf(s->host, sizeof s->host, "%s", options->host ? options->host : "");
    /* Nobody asks SQLite what it has allocated; counting that takes a lock for each piece. Refused
     * where it runs already, which is as well. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    if (sqlite3_open_v2(options->path, &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        status = explain(s->db, options->path, error);
    else
        status = prepare(s, options->path, error);
    if (status != SD_OK) {
        store_close(s);
        return status;
    }
    *out = s;
    return SD_OK;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    if (s->open_batch)
        store_commit(s);
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(s->statements[i]);
    chain_close(s->chain);
    if (s->once) /* from now on a store like any other */
        sqlite3_exec(s->db, "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL", NULL, NULL,
                     NULL);
    sqlite3_close(s->db);
    free(s);
}

/* What is bound stays where it is until step() has run. */
static void bind_text(sqlite3_stmt *s, int at, const char *text)
{
    if (text && text[0])
        sqlite3_bind_text(s, at, text, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(s, at);
}

/* A key column is never null: what was folded has no address. */
static void bind_key_address(sqlite3_stmt *s, int at, const struct addr *a)
{
    char text[ADDR_TEXT] = "";

    sqlite3_bind_text(s, at, addr_is_zero(a) ? "" : addr_text(a, text), -1, SQLITE_TRANSIENT);
}

static int step(sqlite3_stmt *s)
{
    int code = sqlite3_step(s);

    sqlite3_reset(s);
    return code == SQLITE_DONE ? SD_OK : SD_EIO;
}

/* Columns of an event go into its row and into its digest. */
struct columns {
    sqlite3_stmt *q;
    struct digester *digester;
    int at;
};

static void put_text(struct columns *c, const char *text)
{
    bind_text(c->q, ++c->at, text);
    digest_text(c->digester, text && text[0] ? text : NULL);
}

static void put_rule(struct columns *c, const char *rule)
{
    sqlite3_bind_text(c->q, ++c->at, rule, -1, SQLITE_STATIC);
    digest_text(c->digester, rule);
}

static void put_number(struct columns *c, int64_t number)
{
    sqlite3_bind_int64(c->q, ++c->at, number);
    digest_number(c->digester, number);
}

static void put_address(struct columns *c, const struct addr *a)
{
    char text[ADDR_TEXT] = "";

    if (!addr_is_zero(a))
        addr_text(a, text);
    digest_text(c->digester, text[0] ? text : NULL);
    if (text[0])
        sqlite3_bind_text(c->q, ++c->at, text, -1, SQLITE_TRANSIENT);
    else
        sqlite3_bind_null(c->q, ++c->at);
}

static void put_event(struct store *s, struct columns *c, const struct record *r, const char *json)
{
    const struct event *e = &r->event;

    put_text(c, e->id);
    put_number(c, e->revision);
    put_text(c, state_name(e->state));
    put_text(c, kind_name(e->finding.kind));
    put_rule(c, e->finding.rule);
    put_number(c, e->finding.severity);
    put_text(c, verdict_name(e->verdict));
    put_number(c, e->finding.time);
    put_number(c, e->first);
    put_number(c, e->last);
    put_number(c, (int64_t)e->count);
    put_address(c, &e->finding.client);
    put_address(c, &e->finding.server);
    put_text(c, r->zone);
    put_text(c, r->resolver);
    put_text(c, s->host);
    put_text(c, json ? json : "{}");
}

/* Without its link a row would be one that somebody else put there. */
void store_give_up(struct store *s)
{
    if (!sqlite3_get_autocommit(s->db) &&
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
        return; /* the disk is gone: what follows will say so */
}

static int write_event(struct store *s, const struct record *r, const char *json)
{
    struct columns c = {s->statements[ADD_EVENT], s->chain->digester, 0};
    unsigned char salt[SALT];
    int status = digest_salt(c.digester, salt);

    if (status != SD_OK)
        return status;
    digest_begin(c.digester, salt);
    put_event(s, &c, r, json);
    sqlite3_bind_int64(c.q, ++c.at, s->chain->next);
    status = step(c.q);
    if (status != SD_OK)
        return status;
    status = chain_add(s->chain, salt, r->event.finding.time);
    if (status != SD_OK)
        store_give_up(s);
    return status;
}

static int write_counts(sqlite3_stmt *q, const struct record *r)
{
    const struct conversation *c = &r->conversation;
    const uint64_t counts[] = {c->flows,     c->flows_failed, c->queries,
                               c->responses, c->bytes_out,    c->bytes_in};

    sqlite3_bind_int64(q, 1, r->hour);
    bind_key_address(q, 2, &c->key.client);
    bind_key_address(q, 3, &c->key.server);
    sqlite3_bind_int(q, 4, c->key.server_port);
    bind_text(q, 5, transport_name(c->key.transport));
    bind_text(q, 6, r->zone);
    bind_text(q, 7, r->resolver);
    bind_text(q, 8, c->name);
    sqlite3_bind_int(q, 9, c->approved);
    sqlite3_bind_int(q, 10, c->identified_by);
    sqlite3_bind_int(q, 11, c->confidence);
    sqlite3_bind_int(q, 12, c->queries_estimated);
    sqlite3_bind_int64(q, 13, c->first);
    sqlite3_bind_int64(q, 14, c->last);
    for (int i = 0; i < 6; i++)
        sqlite3_bind_int64(q, 15 + i, (sqlite3_int64)counts[i]);
    return step(q);
}

static int write_conversation(struct store *s, const struct record *r)
{
    int status = write_counts(s->statements[ADD_CONVERSATION], r);

    if (status != SD_OK || r->hour >= s->rolled)
        return status;
    s->late = true;
    return write_counts(s->statements[ADD_LATE], r);
}

static bool is_sealed(uint8_t transport)
{
    return transport >= TRANSPORT_DOT && transport <= TRANSPORT_DNSCRYPT;
}

static int write_client(struct store *s, const struct record *r)
{
    sqlite3_stmt *q = s->statements[ADD_CLIENT];
    const struct conversation *c = &r->conversation;
    bool sealed = is_sealed(c->key.transport);

    bind_key_address(q, 1, &c->key.client);
    bind_text(q, 2, r->zone);
    sqlite3_bind_int64(q, 3, c->first);
    sqlite3_bind_int64(q, 4, c->last);
    sqlite3_bind_int64(q, 5, sealed ? 0 : (sqlite3_int64)c->queries);
    sqlite3_bind_int64(q, 6, sealed ? (sqlite3_int64)c->queries : 0);
    sqlite3_bind_int64(q, 7, (sqlite3_int64)c->flows_failed);
    return step(q);
}

/* The inventories are of DNS: ordinary TLS and QUIC stay in the conversations. */
static int write_inventories(struct store *s, const struct record *r)
{
    uint8_t transport = r->conversation.key.transport;
    int status;

    if (addr_is_zero(&r->conversation.key.client) || transport == TRANSPORT_UNKNOWN ||
        transport > TRANSPORT_DNSCRYPT)
        return SD_OK;
    status = write_client(s, r);
    return status == SD_OK ? sums_resolver(&s->sums, r) : status;
}

static int write_stats(struct store *s, const struct record *r)
{
    sqlite3_stmt *q = s->statements[ADD_STATS];
    json_t *all = json_object();
    char *text;
    int status;

    for (size_t i = 0; i < STATS_COUNT; i++) {
        uint64_t value;

        memcpy(&value, (const char *)&r->stats + stats_words[i].offset, sizeof value);
        json_object_set_new(all, stats_words[i].name, json_integer((json_int_t)value));
    }
    text = json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(all);
    if (!text)
        return SD_EMEM;
    sqlite3_bind_int64(q, 1, r->time);
    sqlite3_bind_text(q, 2, text, -1, SQLITE_TRANSIENT);
    status = step(q);
    free(text);
    return status;
}

static int write_memory(struct store *s, const struct memory *m)
{
    sqlite3_stmt *q = s->statements[m->forget ? FORGET : ADD_MEMORY];
    char text[EVIDENCE_SIZE + 3];

    sqlite3_bind_text(q, 1, m->topic, -1, SQLITE_STATIC);
    sqlite3_bind_text(q, 2, m->key, -1, SQLITE_STATIC);
    if (m->forget)
        return step(q);
    snprintf(text, sizeof text, "{%s}", m->text.text);
    sqlite3_bind_int64(q, 3, m->time);
    sqlite3_bind_text(q, 4, text, -1, SQLITE_TRANSIENT);
    sqlite3_bind_blob(q, 5, m->body, m->size, SQLITE_STATIC);
    return step(q);
}

int store_begin(struct store *s)
{
    if (s->open_batch) /* what was rolled back is told by the commit */
        return sqlite3_get_autocommit(s->db) ? SD_EIO : SD_OK;
    if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return SD_EIO;
    s->open_batch = true;
    if (chain_begin(s->chain) != SD_OK) {
        store_give_up(s);
        s->open_batch = !sqlite3_get_autocommit(s->db);
        return SD_EIO;
    }
    s->rolled = rollup_until(s->db); /* somebody else may write here too */
    return SD_OK;
}

int store_write(struct store *s, const struct record *r, const char *json)
{
    int status = store_begin(s);

    if (status != SD_OK)
        return status;
    switch (r->kind) {
    case RECORD_EVENT:
        status = rollup_event(s->statements[PREVIOUS_EVENT], &s->sums, r);
        return status == SD_OK ? write_event(s, r, json) : status;
    case RECORD_CONVERSATION:
        status = write_conversation(s, r);
        return status == SD_OK ? write_inventories(s, r) : status;
    case RECORD_STATS:
        return write_stats(s, r);
    case RECORD_MEMORY:
        return write_memory(s, &r->memory);
    case RECORD_QUERY:
        return query_write(s->statements[ADD_QUERY], r);
    default:
        return SD_EINVAL;
    }
}

static int end_batch(struct store *s)
{
    int status = sums_flush(&s->sums);

    if (status == SD_OK && s->late)
        status = rollup_late(s->db);
    if (status == SD_OK)
        status = chain_seal(s->chain);
    if (status == SD_OK && sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        status = SD_EIO;
    if (status == SD_OK)
        chain_settle(s->chain);
    return status;
}

int store_commit(struct store *s)
{
    int status = SD_EIO;

    if (!s->open_batch)
        return SD_OK;
    /* A full disk may have rolled the batch back already; if not, the next commit tries again. */
    if (!sqlite3_get_autocommit(s->db))
        status = end_batch(s);
    s->open_batch = sqlite3_get_autocommit(s->db) == 0;
    if (!s->open_batch)
        sums_forget(&s->sums);
    if (status == SD_OK)
        s->late = false;
    return status;
}

struct store_trespass store_trespass(const struct store *s)
{
    return s->chain->trespass;
}

void store_checkpoint(const struct store *s, struct store_checkpoint *out,
                      char text[STORE_CHECKPOINT])
{
    char signed_part[CHECKPOINT_SIGNED], signature[2 * SIGNING_SIGNATURE + 1];

    *out = s->chain->settled.checkpoint;
    text[0] = '\0';
    if (!s->options.key || !out->number)
        return;
    checkpoint_text(out, signing_public(s->options.key), signed_part);
    digest_hex(out->signature, SIGNING_SIGNATURE, signature);
    snprintf(text, STORE_CHECKPOINT, "%s:%s", signed_part, signature);
}
