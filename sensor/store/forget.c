#include "store/forget.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/chain.h"
#include "store/expire.h"
#include "store/handle.h"

enum { NEEDLES = 16, NEEDLE = 80 };

/* What a text is searched for: addresses, and the names that stand for them in the reverse tree. */
struct needles {
    size_t count;
    char list[NEEDLES][NEEDLE];
};

#define ERASED                                                                                     \
    "json_patch(json_object('timestamp', json_extract(json, '$.timestamp'), 'event_type',"         \
    " json_extract(json, '$.event_type'), 'host', host, 'sealdns', json_object('kind', kind,"      \
    " 'id', id, 'revision', revision, 'state', state, 'rule', rule, 'verdict', verdict, 'count',"  \
    " count, 'zone', zone, 'first', json_extract(json, '$.sealdns.first'), 'last',"                \
    " json_extract(json, '$.sealdns.last'), 'forgotten', json('true'))),"                          \
    " iif(json_type(json, '$.alert') IS NULL, '{}',"                                               \
    " json_object('alert', json_extract(json, '$.alert'))))"

static const struct {
    const char *what, *change;
} steps[FORGET_TABLES] = {
    {"events", "UPDATE events SET json = " ERASED ", client = NULL, server = NULL, resolver = NULL"
               " WHERE names_it(client)"},
    {"events of others that name it",
     "UPDATE events SET server = iif(names_it(server), NULL, server), json = without_it(json)"
     " WHERE names_it(server) OR names_it(json)"},
    {"conversations", "DELETE FROM conversations WHERE names_it(client) OR names_it(server)"},
    {"clients", "DELETE FROM clients WHERE names_it(client)"},
    {"days of clients", "DELETE FROM client_days WHERE names_it(client)"},
    {"months of clients", "DELETE FROM client_months WHERE names_it(client)"},
    {"servers", "DELETE FROM resolvers WHERE names_it(server)"},
    {"what was learned", "DELETE FROM memory WHERE names_it(key) OR names_it(text)"},
    {"lines of the query log", "DELETE FROM queries WHERE names_it(client) OR names_it(server) OR"
                               " names_it(name) OR names_it(answers)"},
};

void store_use_retention(struct store *s, const struct store_retention *wish)
{
    s->expiry.wish = *wish;
}

uint64_t store_expired(const struct store *s)
{
    return s->expiry.expired;
}

static void add_reverse(struct needles *n, const struct addr *a)
{
    char *out = n->list[n->count];
    size_t used = 0;

    if (n->count == NEEDLES)
        return;
    n->count++;
    if (addr_is_v4(a)) {
        snprintf(out, NEEDLE, "%u.%u.%u.%u.in-addr.arpa", a->b[15], a->b[14], a->b[13], a->b[12]);
        return;
    }
    for (int i = 15; i >= 0; i--)
        used += (size_t)snprintf(out + used, NEEDLE - used, "%x.%x.", a->b[i] & 15u, a->b[i] >> 4);
    snprintf(out + used, NEEDLE - used, "ip6.arpa");
}

static void add_address(struct needles *n, const struct addr *a)
{
    if (n->count == NEEDLES)
        return;
    addr_text(a, n->list[n->count++]);
    add_reverse(n, a);
}

static bool is_inside_a_word(char c)
{
    return isalnum((unsigned char)c) || c == ':' || c == '-';
}

/* "10.0.0.5" is neither in "110.0.0.5" nor in "10.0.0.55", nor in "10.0.0.5.1". */
static bool stands_alone(const char *text, const char *at, size_t length)
{
    const char *after = at + length;

    if (at > text && (is_inside_a_word(at[-1]) || at[-1] == '.'))
        return false;
    return !is_inside_a_word(*after) && (*after != '.' || !isalnum((unsigned char)after[1]));
}

/* The first of them in a text from `at` on; NULL: none. */
static const char *find(const struct needles *n, const char *text, const char *at, size_t *length)
{
    const char *first = NULL;

    for (size_t i = 0; i < n->count; i++) {
        size_t size = strlen(n->list[i]);
        const char *found = at;

        while ((found = strstr(found, n->list[i])) != NULL && !stands_alone(text, found, size))
            found++;
        if (found && (!first || found < first)) {
            first = found;
            *length = size;
        }
    }
    return first;
}

static void names_it(sqlite3_context *context, int count, sqlite3_value **values)
{
    const char *text = (const char *)sqlite3_value_text(values[0]);
    size_t length;

    (void)count;
    sqlite3_result_int(context,
                       text && find(sqlite3_user_data(context), text, text, &length) != NULL);
}

static void without_it(sqlite3_context *context, int count, sqlite3_value **values)
{
    const char *text = (const char *)sqlite3_value_text(values[0]), *at = text, *found;
    size_t length = 0, size = 0;
    char *out = NULL;
    FILE *to = text ? open_memstream(&out, &size) : NULL;

    (void)count;
    if (!to) {
        sqlite3_result_error_nomem(context);
        return;
    }
    while ((found = find(sqlite3_user_data(context), text, at, &length)) != NULL) {
        fwrite(at, 1, (size_t)(found - at), to);
        fputc('-', to);
        at = found + length;
    }
    fputs(at, to);
    if (fclose(to) == 0)
        sqlite3_result_text(context, out, -1, SQLITE_TRANSIENT);
    else
        sqlite3_result_error_nomem(context);
    free(out);
}

static bool define(sqlite3 *db, struct needles *n)
{
    return sqlite3_create_function(db, "names_it", 1, SQLITE_UTF8, n, names_it, NULL, NULL) ==
               SQLITE_OK &&
           sqlite3_create_function(db, "without_it", 1, SQLITE_UTF8, n, without_it, NULL, NULL) ==
               SQLITE_OK;
}

static void undefine(sqlite3 *db)
{
    if (sqlite3_create_function(db, "names_it", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL) !=
            SQLITE_OK ||
        sqlite3_create_function(db, "without_it", 1, SQLITE_UTF8, NULL, NULL, NULL, NULL) !=
            SQLITE_OK)
        return; /* they stay until the connection ends, and nobody calls them */
}

static int name_captures(sqlite3 *db, const struct forgetting *f)
{
    static const char text[] = "SELECT DISTINCT json_extract(json, '$.capture_file') FROM events"
                               " WHERE names_it(client) AND json_valid(json)";
    sqlite3_stmt *q;
    int code;

    if (sqlite3_prepare_v2(db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    while ((code = sqlite3_step(q)) == SQLITE_ROW)
        if (f->capture && sqlite3_column_text(q, 0))
            f->capture(f->context, (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    return code == SQLITE_DONE ? SD_OK : SD_EIO;
}

static int change(sqlite3 *db, struct forgotten *out)
{
    for (size_t i = 0; i < FORGET_TABLES; i++) {
        if (sqlite3_exec(db, steps[i].change, NULL, NULL, NULL) != SQLITE_OK)
            return SD_EIO;
        out->tables[i] = (struct forgotten_rows){steps[i].what, (uint64_t)sqlite3_changes(db)};
    }
    return SD_OK;
}

/* What was in the log goes into the file, and the log is emptied. */
static bool empty_log(sqlite3 *db)
{
    sqlite3_stmt *q;
    bool good;

    if (sqlite3_prepare_v2(db, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &q, NULL) != SQLITE_OK)
        return false;
    good = sqlite3_step(q) == SQLITE_ROW && sqlite3_column_int(q, 0) == 0;
    sqlite3_finalize(q);
    return good;
}

static int forget(struct chain *c, const struct forgetting *f, struct forgotten *out)
{
    sqlite3 *db = c->db;
    int status = SD_EIO;

    if (sqlite3_exec(db, "PRAGMA secure_delete = ON; BEGIN IMMEDIATE", NULL, NULL, NULL) ==
        SQLITE_OK)
        status = chain_begin(c);
    if (status == SD_OK)
        status = name_captures(db, f);
    if (status == SD_OK)
        status = change(db, out);
    if (status == SD_OK)
        status = chain_close_segment(c, WHY_FORGOTTEN, f->now);
    if (status == SD_OK)
        status = chain_seal(c);
    if (status == SD_OK && !f->dry_run && sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        status = SD_EIO;
    if (status == SD_OK && !f->dry_run)
        chain_settle(c);
    if (!sqlite3_get_autocommit(db) && sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
        status = SD_EIO;
    if (status != SD_OK || f->dry_run)
        return status;
    out->log_stays = sqlite3_exec(db, "VACUUM", NULL, NULL, NULL) != SQLITE_OK || !empty_log(db);
    return SD_OK;
}

int store_forget(struct store *s, const struct forgetting *f, struct forgotten *out)
{
    struct needles *n = calloc(1, sizeof *n);
    sqlite3 *db = s->db;
    int status = n ? store_commit(s) : SD_EMEM;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; n && i < f->count; i++)
        add_address(n, &f->addresses[i]);
    if (status == SD_OK)
        status = define(db, n) ? forget(s->chain, f, out) : SD_EIO;
    undefine(db);
    free(n);
    return status;
}
