#include "store/chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* A checkpoint moves along with the batches until it has lived so long, or has so many rows behind
 * it; then it stays and the next one begins. */
#define SLOT_TIME (600 * NSEC_S)
#define SLOT_ROWS 1000

int checkpoint_text(const struct store_checkpoint *p, const unsigned char *key,
                    char out[CHECKPOINT_SIGNED])
{
    char hash[DIGEST_HEX], public[2 * SIGNING_KEY + 1];

    digest_hex(p->hash, DIGEST, hash);
    digest_hex(key, SIGNING_KEY, public);
    return snprintf(out, CHECKPOINT_SIGNED,
                    CHECKPOINT_WORD "%" PRId64 ":%" PRId64 ":%" PRId64 ":%s:%s", p->number, p->row,
                    p->time, hash, public);
}

static bool take_octets(sqlite3_stmt *q, int at, unsigned char *out, size_t length)
{
    if (sqlite3_column_type(q, at) != SQLITE_BLOB || (size_t)sqlite3_column_bytes(q, at) != length)
        return false;
    memcpy(out, sqlite3_column_blob(q, at), length);
    return true;
}

/* --- where the chain ends -------------------------------------------------------------------- */

static int64_t newest_event(struct chain *c)
{
    int64_t row = sqlite3_step(c->newest) == SQLITE_ROW ? sqlite3_column_int64(c->newest, 0) : -1;

    sqlite3_reset(c->newest);
    return row;
}

static int read_head(struct chain *c, struct chain_place *out)
{
    int code = sqlite3_step(c->head);

    memset(out, 0, sizeof *out);
    if (code == SQLITE_ROW) {
        out->row = sqlite3_column_int64(c->head, 0);
        take_octets(c->head, 1, out->hash, DIGEST);
    }
    sqlite3_reset(c->head);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

enum signer { NOBODY, OURSELVES, ANOTHER };

/* The last checkpoint, and whose signature it truly bears. */
static int read_checkpoint(struct chain *c, struct store_checkpoint *out, enum signer *signer)
{
    static const char text[] = "SELECT number, row, time, hash, signature, key FROM"
                               " chain_checkpoints ORDER BY number DESC LIMIT 1";
    unsigned char key[SIGNING_KEY];
    char signed_part[CHECKPOINT_SIGNED];
    sqlite3_stmt *q;
    int code;

    memset(out, 0, sizeof *out);
    *signer = NOBODY;
    if (sqlite3_prepare_v2(c->db, text, -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    code = sqlite3_step(q);
    if (code == SQLITE_ROW) {
        out->number = sqlite3_column_int64(q, 0);
        out->row = sqlite3_column_int64(q, 1);
        out->time = sqlite3_column_int64(q, 2);
        if (take_octets(q, 3, out->hash, DIGEST) &&
            take_octets(q, 4, out->signature, SIGNING_SIGNATURE) &&
            take_octets(q, 5, key, SIGNING_KEY) &&
            signing_is_by(key, signed_part, (size_t)checkpoint_text(out, key, signed_part),
                          out->signature))
            *signer = memcmp(key, signing_public(c->key), SIGNING_KEY) == 0 ? OURSELVES : ANOTHER;
    }
    sqlite3_finalize(q);
    return code == SQLITE_ROW || code == SQLITE_DONE ? SD_OK : SD_EIO;
}

/* What this process wrote last is still there, or was cut by who may. */
static bool is_there(struct chain *c, const struct chain_place *p)
{
    sqlite3_stmt *q;
    bool there = p->row == 0;

    if (sqlite3_prepare_v2(c->db,
                           "SELECT 1 FROM chain WHERE row = ?1 AND hash = ?2 UNION ALL"
                           " SELECT 1 FROM chain_notes WHERE base_row >= ?1",
                           -1, &q, NULL) != SQLITE_OK)
        return false;
    sqlite3_bind_int64(q, 1, p->row);
    sqlite3_bind_blob(q, 2, p->hash, DIGEST, SQLITE_STATIC);
    there |= sqlite3_step(q) == SQLITE_ROW;
    sqlite3_finalize(q);
    return there;
}

static int note_rows(struct chain *c, const char *why, int64_t first, int64_t last)
{
    struct chain_note n = {.why = why, .time = c->now.time, .first = first, .last = last};

    n.rows = last >= first ? last - first + 1 : 0;
    return chain_note(c, &n);
}

/* The chain does not end where this process, or the last one that had the key, left it. */
static int judge_others(struct chain *c, const struct chain_place *left, int64_t newest)
{
    struct store_checkpoint last;
    int64_t sure, end = c->now.row > newest ? c->now.row : newest;
    enum signer signer;
    bool whole;
    int status = read_checkpoint(c, &last, &signer);

    if (status != SD_OK)
        return status;
    whole = last.row == c->now.row && memcmp(last.hash, c->now.hash, DIGEST) == 0 &&
            newest <= c->now.row && is_there(c, left);
    c->now.time = last.time > c->opened ? last.time : c->opened;
    if ((whole && signer == OURSELVES) || end == 0)
        return SD_OK;
    if (whole && signer == ANOTHER && !left->row)
        return note_rows(c, WHY_KEY, 1, end);
    if (!last.number && !left->row)
        return note_rows(c, WHY_UNSIGNED, 1, end);
    sure = left->row ? left->row : last.row;
    if (sure > end) /* these are gone */
        return note_rows(c, WHY_FOREIGN, end + 1, sure);
    return note_rows(c, WHY_FOREIGN, sure < end ? sure + 1 : sure, end);
}

int chain_begin(struct chain *c)
{
    struct chain_place head;
    int64_t newest = newest_event(c);
    int status = read_head(c, &head);

    if (status != SD_OK || newest < 0)
        return SD_EIO;
    c->began = head.row;
    c->next = (head.row > newest ? head.row : newest) + 1;
    if (c->known && head.row == c->settled.row && newest <= head.row &&
        memcmp(head.hash, c->settled.hash, DIGEST) == 0) {
        c->now = c->settled;
        return SD_OK;
    }
    c->now = head;
    return c->key ? judge_others(c, &c->settled, newest) : SD_OK;
}

/* --- links ----------------------------------------------------------------------------------- */

int chain_add(struct chain *c, const unsigned char *salt, nsec_t time)
{
    unsigned char digest[DIGEST], hash[DIGEST];
    int status = digest_end(c->digester, digest);

    if (status == SD_OK)
        status = digest_link(c->digester, c->now.hash, c->next, digest, hash);
    if (status != SD_OK)
        return status;
    sqlite3_bind_int64(c->add, 1, c->next);
    if (salt)
        sqlite3_bind_blob(c->add, 2, salt, SALT, SQLITE_STATIC);
    else
        sqlite3_bind_null(c->add, 2);
    sqlite3_bind_blob(c->add, 3, digest, DIGEST, SQLITE_STATIC);
    sqlite3_bind_blob(c->add, 4, hash, DIGEST, SQLITE_STATIC);
    status = sqlite3_step(c->add) == SQLITE_DONE ? SD_OK : SD_EIO;
    sqlite3_reset(c->add);
    if (status != SD_OK)
        return status;
    memcpy(c->now.hash, hash, DIGEST);
    c->now.row = c->next++;
    if (time > c->now.time)
        c->now.time = time;
    return SD_OK;
}

static int64_t next_number(struct chain *c)
{
    sqlite3_stmt *q;
    int64_t number = -1;

    if (sqlite3_prepare_v2(c->db, "SELECT coalesce(max(number), 0) + 1 FROM chain_checkpoints", -1,
                           &q, NULL) != SQLITE_OK)
        return -1;
    if (sqlite3_step(q) == SQLITE_ROW)
        number = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    return number;
}

/* One of an earlier run, or of somebody else, stays where it is. */
static int take_slot(struct chain *c)
{
    struct chain_place *p = &c->now;
    bool full =
        p->row - p->slot_row >= SLOT_ROWS || p->time - p->slot_time >= SLOT_TIME || !p->slot_row;

    if (p->slot_row && !full)
        return SD_OK;
    p->checkpoint.number = next_number(c);
    p->slot_row = p->row;
    p->slot_time = p->time;
    return p->checkpoint.number > 0 ? SD_OK : SD_EIO;
}

static int write_checkpoint(struct chain *c)
{
    const struct store_checkpoint *p = &c->now.checkpoint;
    sqlite3_stmt *q;
    int status;

    if (sqlite3_prepare_v2(c->db, "INSERT OR REPLACE INTO chain_checkpoints VALUES (?,?,?,?,?,?)",
                           -1, &q, NULL) != SQLITE_OK)
        return SD_EIO;
    sqlite3_bind_int64(q, 1, p->number);
    sqlite3_bind_int64(q, 2, p->row);
    sqlite3_bind_int64(q, 3, p->time);
    sqlite3_bind_blob(q, 4, p->hash, DIGEST, SQLITE_STATIC);
    sqlite3_bind_blob(q, 5, signing_public(c->key), SIGNING_KEY, SQLITE_STATIC);
    sqlite3_bind_blob(q, 6, p->signature, SIGNING_SIGNATURE, SQLITE_STATIC);
    status = sqlite3_step(q) == SQLITE_DONE ? SD_OK : SD_EIO;
    sqlite3_finalize(q);
    return status;
}

int chain_seal(struct chain *c)
{
    struct store_checkpoint *p = &c->now.checkpoint;
    char text[CHECKPOINT_SIGNED];
    int status;

    if (!c->key || c->now.row == c->began)
        return SD_OK; /* nothing was added */
    status = take_slot(c);
    p->row = c->now.row;
    p->time = c->now.time;
    memcpy(p->hash, c->now.hash, DIGEST);
    if (status == SD_OK)
        status = signing_sign(
            c->key, text, (size_t)checkpoint_text(p, signing_public(c->key), text), p->signature);
    return status == SD_OK ? write_checkpoint(c) : status;
}

void chain_settle(struct chain *c)
{
    c->settled = c->now;
    c->known = true;
}

/* --- rows from before ------------------------------------------------------------------------ */

static int chain_row(struct chain *c, sqlite3_stmt *q)
{
    unsigned char salt[SALT];

    if (digest_salt(c->digester, salt) != SD_OK)
        return SD_EIO;
    c->next = sqlite3_column_int64(q, CHAIN_EVENT_COLUMNS);
    digest_begin(c->digester, salt);
    digest_columns(c->digester, q, 0, CHAIN_EVENT_COLUMNS);
    return chain_add(c, salt, sqlite3_column_int64(q, 7));
}

static int chain_rows(struct chain *c, int64_t *first, int64_t *rows)
{
    sqlite3_stmt *q;
    int code, status = SD_OK;

    if (sqlite3_prepare_v2(c->db, "SELECT " CHAIN_EVENT ", row FROM events ORDER BY row", -1, &q,
                           NULL) != SQLITE_OK)
        return SD_EIO;
    while (status == SD_OK && (code = sqlite3_step(q)) == SQLITE_ROW) {
        if (++*rows == 1)
            *first = sqlite3_column_int64(q, CHAIN_EVENT_COLUMNS);
        status = chain_row(c, q);
    }
    sqlite3_finalize(q);
    return status != SD_OK ? status : code == SQLITE_DONE ? SD_OK : SD_EIO;
}

static int chain_migrated(struct chain *c)
{
    struct chain_note note = {.why = WHY_MIGRATED};
    int status = chain_rows(c, &note.first, &note.rows);

    note.last = c->now.row;
    note.time = c->opened ? c->opened : c->now.time;
    if (status == SD_OK && note.rows)
        status = chain_note(c, &note);
    return status == SD_OK ? chain_seal(c) : status;
}

/* There are events, and none has a link: the step of the schema has just been made. */
static int migrate(struct chain *c)
{
    int status = read_head(c, &c->now);

    if (status != SD_OK || c->now.row > 0 || newest_event(c) <= 0)
        return status;
    if (sqlite3_exec(c->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        return SD_EIO;
    status = read_head(c, &c->now); /* somebody else may have been faster */
    if (status == SD_OK && c->now.row == 0)
        status = chain_migrated(c);
    if (status == SD_OK && sqlite3_exec(c->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
        return SD_OK;
    if (sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
        return SD_EIO;
    return status == SD_OK ? SD_EIO : status;
}

int chain_open(sqlite3 *db, struct signing_key *key, nsec_t now, struct chain **out)
{
    struct chain *c = calloc(1, sizeof *c);
    const struct {
        sqlite3_stmt **to;
        const char *text;
    } wanted[] = {{&c->head, "SELECT row, hash FROM chain ORDER BY row DESC LIMIT 1"},
                  {&c->newest, "SELECT coalesce(max(row), 0) FROM events"},
                  {&c->add, "INSERT INTO chain VALUES (?,?,?,?)"}};
    int status = SD_OK;

    if (!c)
        return SD_EMEM;
    c->db = db;
    c->key = key;
    c->opened = now;
    if (!(c->digester = digester_create()))
        status = SD_EMEM;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && status == SD_OK; i++)
        if (sqlite3_prepare_v3(db, wanted[i].text, -1, SQLITE_PREPARE_PERSISTENT, wanted[i].to,
                               NULL) != SQLITE_OK)
            status = SD_EIO;
    if (status == SD_OK)
        status = migrate(c);
    if (status == SD_OK)
        *out = c;
    else
        chain_close(c);
    return status;
}

void chain_close(struct chain *c)
{
    if (!c)
        return;
    sqlite3_finalize(c->head);
    sqlite3_finalize(c->newest);
    sqlite3_finalize(c->add);
    digester_destroy(c->digester);
    free(c);
}
