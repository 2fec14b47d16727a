/* What leaves the store leaves its links: a note, itself a link, says which rows, when and why. At
 * the front, where nothing stands any more, links go too, and the note says where the chain begins
 * from then on. */
#include <string.h>

#include "base/error.h"
#include "store/chain.h"

/* Links whose rows nobody took out by right. */
#define STANDING                                                                                   \
    " FROM chain c WHERE NOT EXISTS (SELECT 1 FROM chain_notes n WHERE n.row = c.row)"             \
    " AND NOT EXISTS (SELECT 1 FROM temp.gone g WHERE g.row = c.row AND NOT g.rest)"               \
    " AND NOT EXISTS (SELECT 1 FROM chain_erased x WHERE x.row = c.row AND x.digest IS NULL)"

static const char first_standing[] = "SELECT c.row" STANDING " ORDER BY c.row LIMIT 1";

int chain_watch(sqlite3 *db)
{
    static const char text[] =
        "CREATE TEMP TABLE gone (row INTEGER PRIMARY KEY, rest INTEGER NOT NULL);"
        "CREATE TEMP TRIGGER events_taken AFTER DELETE ON main.events"
        " BEGIN INSERT OR REPLACE INTO gone VALUES (old.row, 0); END;"
        "CREATE TEMP TRIGGER events_erased AFTER UPDATE ON main.events"
        " BEGIN INSERT OR REPLACE INTO gone VALUES (old.row, 1); END;";

    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? SD_OK : SD_EIO;
}

/* One row, whose columns stay until *q is finalized. SD_ENOENT: there is none. */
static int ask(sqlite3 *db, const char *text, int64_t bound, sqlite3_stmt **q)
{
    int code;

    if (sqlite3_prepare_v2(db, text, -1, q, NULL) != SQLITE_OK)
        return SD_EIO;
    sqlite3_bind_int64(*q, 1, bound);
    code = sqlite3_step(*q);
    return code == SQLITE_ROW ? SD_OK : code == SQLITE_DONE ? SD_ENOENT : SD_EIO;
}

static int run(sqlite3 *db, const char *text, int64_t bound)
{
    sqlite3_stmt *q = NULL;
    int status = ask(db, text, bound, &q);

    sqlite3_finalize(q);
    return status == SD_ENOENT ? SD_OK : SD_EIO;
}

/* --- notes ----------------------------------------------------------------------------------- */

static int insert_note(struct chain *c, const struct chain_note *n)
{
    sqlite3_stmt *q;
    int status;

    if (sqlite3_prepare_v2(
            c->db, "INSERT INTO chain_notes (row, " CHAIN_NOTE ") VALUES (?,?,?,?,?,?,?,?,?)", -1,
            &q, NULL) != SQLITE_OK)
        return SD_EIO;
    sqlite3_bind_int64(q, 1, c->next);
    sqlite3_bind_int64(q, 2, n->time);
    sqlite3_bind_text(q, 3, n->why, -1, SQLITE_STATIC);
    sqlite3_bind_int64(q, 4, n->first);
    sqlite3_bind_int64(q, 5, n->last);
    sqlite3_bind_int64(q, 6, n->rows);
    if (n->base_row) {
        sqlite3_bind_int64(q, 7, n->base_row);
        sqlite3_bind_blob(q, 8, n->base_hash, DIGEST, SQLITE_STATIC);
    }
    if (n->list)
        sqlite3_bind_blob(q, 9, n->list, DIGEST, SQLITE_STATIC);
    status = sqlite3_step(q) == SQLITE_DONE ? SD_OK : SD_EIO;
    sqlite3_finalize(q);
    return status;
}

int chain_note(struct chain *c, const struct chain_note *note)
{
    sqlite3_stmt *q = NULL;
    int status = insert_note(c, note);

    if (status == SD_OK)
        status = ask(c->db, "SELECT " CHAIN_NOTE " FROM chain_notes WHERE row = ?1", c->next, &q);
    if (status == SD_OK) {
        digest_begin(c->digester, NULL);
        digest_columns(c->digester, q, 0, CHAIN_NOTE_COLUMNS);
    }
    sqlite3_finalize(q);
    if (strcmp(note->why, WHY_FOREIGN) == 0)
        c->trespass = (struct store_trespass){c->trespass.count + 1, note->first, note->last};
    return status == SD_OK ? chain_add(c, NULL, note->time) : SD_EIO;
}

/* --- rows that left a gap, or a rest --------------------------------------------------------- */

/* Of what is left of a row: with a salt of its own, as that of what was there has to go. */
static int digest_rest(struct chain *c, int64_t row, const unsigned char salt[SALT],
                       unsigned char out[DIGEST])
{
    sqlite3_stmt *q = NULL;
    int status = ask(c->db, "SELECT " CHAIN_EVENT " FROM events WHERE row = ?1", row, &q);

    digest_begin(c->digester, salt);
    if (status == SD_OK)
        digest_columns(c->digester, q, 0, CHAIN_EVENT_COLUMNS);
    sqlite3_finalize(q);
    return status == SD_OK ? digest_end(c->digester, out) : SD_EIO;
}

struct gap {
    sqlite3_stmt *list, *salt, *erased;
    struct digester *digester; /* of the list, while c->digester is busy with rests */
};

static int step(sqlite3_stmt *q)
{
    int code = sqlite3_step(q);

    sqlite3_reset(q);
    return code == SQLITE_DONE ? SD_OK : SD_EIO;
}

static int leave_gap(struct chain *c, struct gap *g, int64_t row, bool rest)
{
    unsigned char salt[SALT], digest[DIGEST];
    int status = rest ? digest_salt(c->digester, salt) : SD_OK;

    if (status == SD_OK && rest)
        status = digest_rest(c, row, salt, digest);
    if (status != SD_OK)
        return status;
    digest_number(g->digester, row);
    digest_blob(g->digester, rest ? digest : NULL, DIGEST);
    sqlite3_bind_int64(g->erased, 1, row);
    sqlite3_bind_int64(g->erased, 2, c->next);
    sqlite3_bind_int64(g->salt, 1, row);
    if (rest) {
        sqlite3_bind_blob(g->erased, 3, digest, DIGEST, SQLITE_STATIC);
        sqlite3_bind_blob(g->salt, 2, salt, SALT, SQLITE_STATIC);
    } else {
        sqlite3_bind_null(g->erased, 3);
        sqlite3_bind_null(g->salt, 2);
    }
    status = step(g->erased);
    return status == SD_OK ? step(g->salt) : status;
}

static int leave_gaps(struct chain *c, struct gap *g, int64_t after)
{
    int code, status = SD_OK;

    sqlite3_bind_int64(g->list, 1, after);
    while (status == SD_OK && (code = sqlite3_step(g->list)) == SQLITE_ROW)
        status =
            leave_gap(c, g, sqlite3_column_int64(g->list, 0), sqlite3_column_int(g->list, 1) != 0);
    return status == SD_OK && code == SQLITE_DONE ? SD_OK : SD_EIO;
}

/* Rows after `after` keep their links; list: a digest of which, and what is left of them. */
static int keep_links(struct chain *c, int64_t after, unsigned char list[DIGEST])
{
    struct gap g = {.digester = digester_create()};
    int status = g.digester ? SD_OK : SD_EMEM;

    if (status == SD_OK &&
        (sqlite3_prepare_v2(c->db, "SELECT row, rest FROM temp.gone WHERE row > ?1 ORDER BY row",
                            -1, &g.list, NULL) != SQLITE_OK ||
         sqlite3_prepare_v2(c->db, "INSERT INTO chain_erased VALUES (?,?,?)", -1, &g.erased,
                            NULL) != SQLITE_OK ||
         sqlite3_prepare_v2(c->db, "UPDATE chain SET salt = ?2 WHERE row = ?1", -1, &g.salt,
                            NULL) != SQLITE_OK))
        status = SD_EIO;
    if (status == SD_OK) {
        digest_begin(g.digester, NULL);
        status = leave_gaps(c, &g, after);
    }
    if (status == SD_OK)
        status = digest_end(g.digester, list);
    sqlite3_finalize(g.list);
    sqlite3_finalize(g.erased);
    sqlite3_finalize(g.salt);
    digester_destroy(g.digester);
    return status;
}

/* --- the front ------------------------------------------------------------------------------- */

/* The last link of those at the front on which nothing stands; 0: there is none. */
static int find_base(struct chain *c, int64_t *row, unsigned char hash[DIGEST])
{
    sqlite3_stmt *q = NULL;
    int status = ask(c->db, first_standing, 0, &q);
    int64_t standing = status == SD_OK ? sqlite3_column_int64(q, 0) : INT64_MAX;

    sqlite3_finalize(q);
    *row = 0;
    if (status != SD_OK && status != SD_ENOENT)
        return status;
    status = ask(c->db, "SELECT row, hash FROM chain WHERE row < ?1 ORDER BY row DESC LIMIT 1",
                 standing, &q);
    if (status == SD_OK && sqlite3_column_bytes(q, 1) == DIGEST) {
        *row = sqlite3_column_int64(q, 0);
        memcpy(hash, sqlite3_column_blob(q, 1), DIGEST);
    }
    sqlite3_finalize(q);
    return status == SD_ENOENT ? SD_OK : status;
}

static int cut(struct chain *c, int64_t base)
{
    static const char *const texts[] = {"DELETE FROM chain WHERE row <= ?1",
                                        "DELETE FROM chain_notes WHERE row <= ?1",
                                        "DELETE FROM chain_erased WHERE note <= ?1",
                                        "DELETE FROM chain_checkpoints WHERE row < ?1 AND"
                                        " number < (SELECT max(number) FROM chain_checkpoints)"};
    int status = SD_OK;

    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == SD_OK; i++)
        status = run(c->db, texts[i], base);
    return status;
}

static int close_segment(struct chain *c, struct chain_note *note)
{
    unsigned char hash[DIGEST], list[DIGEST];
    int status = find_base(c, &note->base_row, hash);

    note->base_hash = hash;
    note->list = list;
    if (status == SD_OK)
        status = keep_links(c, note->base_row, list);
    if (status == SD_OK && note->base_row)
        status = cut(c, note->base_row);
    if (status == SD_OK)
        status = chain_note(c, note);
    return status == SD_OK ? run(c->db, "DELETE FROM temp.gone", 0) : status;
}

static int close_gone(struct chain *c, const char *why, nsec_t now)
{
    struct chain_note note = {.why = why, .time = now};
    sqlite3_stmt *q = NULL;
    int status = ask(c->db, "SELECT count(*), min(row), max(row) FROM temp.gone", 0, &q);

    if (status == SD_OK) {
        note.rows = sqlite3_column_int64(q, 0);
        note.first = sqlite3_column_int64(q, 1);
        note.last = sqlite3_column_int64(q, 2);
    }
    sqlite3_finalize(q);
    return status == SD_OK && note.rows ? close_segment(c, &note) : status;
}

/* Where the front stands on rows that were taken past us nothing would ever be cut again: they are
 * gone now, and the note says by whom. */
static int note_thefts(struct chain *c, nsec_t now)
{
    static const char text[] =
        "INSERT INTO temp.gone SELECT c.row, 0" STANDING
        " AND c.row < coalesce((SELECT min(row) FROM events), 9223372036854775807)";
    int status = run(c->db, text, 0);

    return status == SD_OK ? close_gone(c, WHY_FOREIGN, now) : status;
}

int chain_close_segment(struct chain *c, const char *why, nsec_t now)
{
    int64_t before = c->now.row;
    int status = close_gone(c, why, now);

    return status == SD_OK && c->now.row != before ? note_thefts(c, now) : status;
}
