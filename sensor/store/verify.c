#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/chain.h"
#include "store/read.h"
#include "store/verify.h"

enum { SUSPECTS = 64, LINE_SIZE = 65536 };

/* A changed row: perhaps it is another one's. */
struct suspect {
    int64_t row;
    unsigned char salt[SALT], digest[DIGEST];
    bool salted;
};

struct walk {
    struct store_reader *reader;
    const struct verification *v;
    struct verified *sum;
    struct digester *digester;
    int64_t before; /* the last row, or that after which the chain begins */
    unsigned char hash[DIGEST];
    struct suspect suspects[SUSPECTS];
    size_t suspect_count;
};

const char *chain_fault_name(enum chain_fault fault)
{
    static const char *const names[] = {
#define X(word, name) name,
        CHAIN_FAULTS(X)
#undef X
    };

    return names[fault];
}

static void tell(struct walk *w, struct chain_finding f)
{
    if (!f.id)
        f.id = "";
    if (f.last < f.row)
        f.last = f.row;
    w->sum->findings++;
    w->v->finding(w->v->context, &f);
}

static sqlite3_stmt *prepare(struct walk *w, const char *text)
{
    sqlite3_stmt *q = NULL;

    return sqlite3_prepare_v2(w->reader->db, text, -1, &q, NULL) == SQLITE_OK ? q : NULL;
}

static int end(sqlite3_stmt *q, int code)
{
    sqlite3_finalize(q);
    return code == SQLITE_DONE || code == SQLITE_ROW ? SD_OK : SD_EIO;
}

static bool octets_at(sqlite3_stmt *q, int at, unsigned char *out, size_t length)
{
    if (sqlite3_column_type(q, at) != SQLITE_BLOB || (size_t)sqlite3_column_bytes(q, at) != length)
        return false;
    memcpy(out, sqlite3_column_blob(q, at), length);
    return true;
}

/* --- rows ------------------------------------------------------------------------------------ */

/* Columns of the walk: the link, what was erased of it last, then the event, then the note. */
enum {
    ROW,
    LINK_SALT,
    LINK_DIGEST,
    LINK_HASH,
    ERASED_BY,
    REST,
    EVENT_ROW,
    EVENT,
    NOTE_ROW = EVENT + CHAIN_EVENT_COLUMNS,
    NOTE
};

static const char walk_text[] =
    "SELECT c.row, c.salt, c.digest, c.hash, x.note, x.digest, e.row, e.id, e.revision, e.state,"
    " e.kind, e.rule, e.severity, e.verdict, e.time, e.first, e.last, e.count, e.client, e.server,"
    " e.zone, e.resolver, e.host, e.json, n.row, n.time, n.why, n.first, n.last, n.rows,"
    " n.base_row, n.base_hash, n.list FROM chain c"
    " LEFT JOIN chain_erased x ON x.row = c.row AND x.note ="
    " (SELECT max(note) FROM chain_erased WHERE row = c.row)"
    " LEFT JOIN events e ON e.row = c.row LEFT JOIN chain_notes n ON n.row = c.row ORDER BY c.row";

static bool is_null(sqlite3_stmt *q, int at)
{
    return sqlite3_column_type(q, at) == SQLITE_NULL;
}

static bool digest_is(struct walk *w, sqlite3_stmt *q, const int columns[2],
                      const unsigned char *salt, const unsigned char *digest)
{
    unsigned char found[DIGEST];

    digest_begin(w->digester, salt);
    digest_columns(w->digester, q, columns[0], columns[1]);
    return digest_end(w->digester, found) == SD_OK && memcmp(found, digest, DIGEST) == 0;
}

static void suspect(struct walk *w, const struct suspect *s, sqlite3_stmt *q)
{
    if (w->suspect_count < SUSPECTS)
        w->suspects[w->suspect_count++] = *s;
    else
        tell(w, (struct chain_finding){.fault = CHAIN_CHANGED,
                                       .row = s->row,
                                       .id = text_at(q, EVENT),
                                       .revision = (uint32_t)sqlite3_column_int64(q, EVENT + 1)});
}

static void check_event(struct walk *w, sqlite3_stmt *q)
{
    static const int columns[] = {EVENT, CHAIN_EVENT_COLUMNS};
    struct suspect s = {.row = sqlite3_column_int64(q, ROW)};
    bool erased = !is_null(q, ERASED_BY);

    w->sum->erased += erased;
    if (erased && is_null(q, REST)) {
        tell(w, (struct chain_finding){.fault = CHAIN_INSERTED,
                                       .row = s.row,
                                       .id = text_at(q, EVENT),
                                       .revision = (uint32_t)sqlite3_column_int64(q, EVENT + 1)});
        return;
    }
    s.salted = octets_at(q, LINK_SALT, s.salt, SALT);
    if (!octets_at(q, erased ? REST : LINK_DIGEST, s.digest, DIGEST) ||
        !digest_is(w, q, columns, s.salted ? s.salt : NULL, s.digest))
        suspect(w, &s, q);
}

static void check_note(struct walk *w, sqlite3_stmt *q)
{
    static const int columns[] = {NOTE, CHAIN_NOTE_COLUMNS};
    struct chain_told n = {.row = sqlite3_column_int64(q, ROW),
                           .time = sqlite3_column_int64(q, NOTE),
                           .why = text_at(q, NOTE + 1),
                           .first = sqlite3_column_int64(q, NOTE + 2),
                           .last = sqlite3_column_int64(q, NOTE + 3),
                           .rows = sqlite3_column_int64(q, NOTE + 4)};
    unsigned char digest[DIGEST];

    w->sum->notes++;
    if (!is_null(q, LINK_SALT) || !octets_at(q, LINK_DIGEST, digest, DIGEST) ||
        !digest_is(w, q, columns, NULL, digest))
        tell(w, (struct chain_finding){.fault = CHAIN_NOTE_CHANGED, .row = n.row});
    if (strcmp(n.why, WHY_FOREIGN) == 0)
        tell(w, (struct chain_finding){
                    .fault = CHAIN_FOREIGN, .row = n.first, .last = n.last, .other = n.row});
    w->v->note(w->v->context, &n);
}

static void check_link(struct walk *w, sqlite3_stmt *q)
{
    unsigned char digest[DIGEST], hash[DIGEST], wanted[DIGEST];
    int64_t row = sqlite3_column_int64(q, ROW);

    if (!octets_at(q, LINK_DIGEST, digest, DIGEST) || !octets_at(q, LINK_HASH, hash, DIGEST) ||
        digest_link(w->digester, w->hash, row, digest, wanted) != SD_OK ||
        memcmp(hash, wanted, DIGEST) != 0) {
        if (row > w->before + 1)
            tell(w, (struct chain_finding){
                        .fault = CHAIN_REMOVED, .row = w->before + 1, .last = row - 1});
        tell(w, (struct chain_finding){.fault = CHAIN_BROKEN,
                                       .row = row,
                                       .other = w->before,
                                       .id = text_at(q, EVENT),
                                       .revision = (uint32_t)sqlite3_column_int64(q, EVENT + 1)});
        octets_at(q, LINK_HASH, hash, DIGEST);
    }
    memcpy(w->hash, hash, DIGEST);
    w->before = row;
}

/* With its contents its salt went. */
static void check_gone(struct walk *w, sqlite3_stmt *q)
{
    w->sum->erased++;
    if (!is_null(q, LINK_SALT) || !is_null(q, REST))
        tell(w, (struct chain_finding){.fault = is_null(q, REST) ? CHAIN_CHANGED : CHAIN_REMOVED,
                                       .row = sqlite3_column_int64(q, ROW)});
}

static void check_row(struct walk *w, sqlite3_stmt *q)
{
    bool event = !is_null(q, EVENT_ROW), note = !is_null(q, NOTE_ROW);
    int64_t row = sqlite3_column_int64(q, ROW);

    check_link(w, q);
    w->sum->rows++;
    w->sum->first = w->sum->first ? w->sum->first : row;
    w->sum->last = row;
    if (note)
        check_note(w, q);
    else if (event)
        check_event(w, q);
    else if (is_null(q, ERASED_BY))
        tell(w, (struct chain_finding){.fault = CHAIN_REMOVED, .row = row});
    else
        check_gone(w, q);
    if (note && event)
        tell(w, (struct chain_finding){.fault = CHAIN_INSERTED,
                                       .row = row,
                                       .id = text_at(q, EVENT),
                                       .revision = (uint32_t)sqlite3_column_int64(q, EVENT + 1)});
}

static int check_rows(struct walk *w)
{
    sqlite3_stmt *q = prepare(w, walk_text);
    int code = SQLITE_ERROR;

    while (q && (code = sqlite3_step(q)) == SQLITE_ROW)
        check_row(w, q);
    return end(q, code);
}

/* Where the chain begins, as the last note that cut it says. */
static int find_base(struct walk *w)
{
    sqlite3_stmt *q = prepare(w, "SELECT base_row, base_hash FROM chain_notes WHERE base_row > 0"
                                 " ORDER BY row DESC LIMIT 1");
    int code = q ? sqlite3_step(q) : SQLITE_ERROR;

    if (code == SQLITE_ROW && octets_at(q, 1, w->hash, DIGEST))
        w->before = sqlite3_column_int64(q, 0);
    return end(q, code);
}

/* --- rows that are not what was written ------------------------------------------------------- */

/* The place in which the row that stands at *s was written; 0: nowhere. */
static int64_t place_of(struct walk *w, sqlite3_stmt *q, const struct suspect *s)
{
    static const int columns[] = {0, CHAIN_EVENT_COLUMNS};

    for (size_t i = 0; i < w->suspect_count; i++) {
        const struct suspect *o = &w->suspects[i];

        if (o != s && digest_is(w, q, columns, o->salted ? o->salt : NULL, o->digest))
            return o->row;
    }
    return 0;
}

static int check_suspects(struct walk *w)
{
    sqlite3_stmt *q = prepare(w, "SELECT " CHAIN_EVENT " FROM events WHERE row = ?1");
    int code = q ? SQLITE_DONE : SQLITE_ERROR;

    for (size_t i = 0; i < w->suspect_count && q; i++) {
        struct chain_finding f = {.fault = CHAIN_CHANGED, .row = w->suspects[i].row};

        sqlite3_bind_int64(q, 1, f.row);
        if ((code = sqlite3_step(q)) != SQLITE_ROW)
            break;
        f.other = place_of(w, q, &w->suspects[i]);
        if (f.other)
            f.fault = CHAIN_MOVED;
        f.id = text_at(q, 0);
        f.revision = (uint32_t)sqlite3_column_int64(q, 1);
        tell(w, f);
        sqlite3_reset(q);
    }
    return end(q, code);
}

static int check_strangers(struct walk *w)
{
    sqlite3_stmt *q = prepare(w, "SELECT row, id, revision FROM events e WHERE NOT EXISTS"
                                 " (SELECT 1 FROM chain c WHERE c.row = e.row) ORDER BY row");
    int code = SQLITE_ERROR;

    while (q && (code = sqlite3_step(q)) == SQLITE_ROW)
        tell(w, (struct chain_finding){.fault = CHAIN_INSERTED,
                                       .row = sqlite3_column_int64(q, 0),
                                       .id = text_at(q, 1),
                                       .revision = (uint32_t)sqlite3_column_int64(q, 2)});
    return end(q, code);
}

/* --- lists of what was erased ----------------------------------------------------------------- */

static int check_list(struct walk *w, int64_t note, const unsigned char list[DIGEST])
{
    unsigned char found[DIGEST];
    sqlite3_stmt *q =
        prepare(w, "SELECT row, digest FROM chain_erased WHERE note = ?1 ORDER BY row");
    int code = SQLITE_ERROR;

    digest_begin(w->digester, NULL);
    if (q)
        sqlite3_bind_int64(q, 1, note);
    while (q && (code = sqlite3_step(q)) == SQLITE_ROW)
        digest_columns(w->digester, q, 0, 2);
    if (digest_end(w->digester, found) != SD_OK || memcmp(found, list, DIGEST) != 0)
        tell(w, (struct chain_finding){.fault = CHAIN_NOTE_CHANGED, .row = note});
    return end(q, code);
}

static int check_lists(struct walk *w)
{
    sqlite3_stmt *q = prepare(w, "SELECT row, list FROM chain_notes WHERE list IS NOT NULL"
                                 " UNION SELECT note, NULL FROM chain_erased"
                                 " WHERE note NOT IN (SELECT row FROM chain_notes WHERE list IS NOT"
                                 " NULL) ORDER BY 1");
    unsigned char list[DIGEST];
    int code = SQLITE_ERROR, status = SD_OK;

    while (q && status == SD_OK && (code = sqlite3_step(q)) == SQLITE_ROW) {
        memset(list, 0, sizeof list);
        octets_at(q, 1, list, DIGEST);
        status = check_list(w, sqlite3_column_int64(q, 0), list);
    }
    return status == SD_OK ? end(q, code) : (end(q, code), status);
}

/* --- checkpoints ------------------------------------------------------------------------------ */

static bool key_is_known(const struct verification *v, const unsigned char *key)
{
    for (size_t i = 0; i < v->key_count; i++)
        if (memcmp(v->keys[i], key, SIGNING_KEY) == 0)
            return true;
    return v->key_count == 0;
}

/* The hash of the chain at a row. */
static bool hash_at(struct walk *w, int64_t row, unsigned char out[DIGEST])
{
    sqlite3_stmt *q = prepare(w, "SELECT hash FROM chain WHERE row = ?1 UNION ALL SELECT base_hash"
                                 " FROM chain_notes WHERE base_row = ?1 LIMIT 1");
    bool there = false;

    if (q)
        sqlite3_bind_int64(q, 1, row);
    if (q && sqlite3_step(q) == SQLITE_ROW)
        there = octets_at(q, 0, out, DIGEST);
    sqlite3_finalize(q);
    return there;
}

/* base: after this row the chain begins; since: the row of the last good checkpoint. */
static bool check_place(struct walk *w, const struct store_checkpoint *p, int64_t base,
                        int64_t since)
{
    unsigned char hash[DIGEST];

    if (p->row < base)
        return true; /* cut since */
    if (p->row > w->sum->last && p->row > base) {
        tell(w, (struct chain_finding){.fault = CHAIN_TRUNCATED,
                                       .row = (w->sum->last ? w->sum->last : base) + 1,
                                       .last = p->row,
                                       .other = p->number});
        return false;
    }
    if (hash_at(w, p->row, hash) && memcmp(hash, p->hash, DIGEST) == 0)
        return true;
    tell(w, (struct chain_finding){
                .fault = CHAIN_REWRITTEN, .row = since + 1, .last = p->row, .other = p->number});
    return false;
}

static bool is_good_signature(struct walk *w, const struct store_checkpoint *p,
                              const unsigned char *key)
{
    char text[CHECKPOINT_SIGNED];
    size_t length = (size_t)checkpoint_text(p, key, text);

    return key_is_known(w->v, key) && signing_is_by(key, text, length, p->signature);
}

static void take_checkpoint(struct walk *w, sqlite3_stmt *q, int64_t base, int64_t *since)
{
    struct store_checkpoint p = {.number = sqlite3_column_int64(q, 0),
                                 .row = sqlite3_column_int64(q, 1),
                                 .time = sqlite3_column_int64(q, 2)};
    unsigned char key[SIGNING_KEY];
    bool whole = octets_at(q, 3, p.hash, DIGEST) && octets_at(q, 4, key, SIGNING_KEY) &&
                 octets_at(q, 5, p.signature, SIGNING_SIGNATURE);

    w->sum->checkpoints++;
    if (!whole || !is_good_signature(w, &p, key)) {
        tell(w, (struct chain_finding){.fault = CHAIN_FORGED, .row = p.row, .other = p.number});
        return;
    }
    memcpy(w->sum->key, key, SIGNING_KEY);
    w->sum->is_signed = true;
    if (!check_place(w, &p, base, *since))
        return;
    if (p.row > *since)
        *since = p.row;
    w->sum->checkpoint = p;
}

static int check_checkpoints(struct walk *w, int64_t base)
{
    sqlite3_stmt *q = prepare(w, "SELECT number, row, time, hash, key, signature FROM"
                                 " chain_checkpoints ORDER BY number");
    int64_t since = base, number = 0;
    int code = SQLITE_ERROR;

    while (q && (code = sqlite3_step(q)) == SQLITE_ROW) {
        int64_t found = sqlite3_column_int64(q, 0);

        if (number && found != number + 1)
            tell(w, (struct chain_finding){.fault = CHAIN_LOST,
                                           .row = since + 1,
                                           .last = sqlite3_column_int64(q, 1),
                                           .other = number + 1});
        number = found;
        take_checkpoint(w, q, base, &since);
    }
    if (w->sum->last > since && (number || w->v->key_count))
        tell(w, (struct chain_finding){
                    .fault = CHAIN_UNSIGNED, .row = since + 1, .last = w->sum->last});
    return end(q, code);
}

/* --- checkpoints that were kept elsewhere ----------------------------------------------------- */

/* CHECKPOINT_WORD NUMBER:ROW:TIME:HASH:KEY:SIGNATURE, anywhere in a line. */
static bool parse_line(const char *line, struct store_checkpoint *p, unsigned char *key)
{
    char hash[DIGEST_HEX], public[2 * SIGNING_KEY + 1], signature[2 * SIGNING_SIGNATURE + 1];
    const char *at = strstr(line, CHECKPOINT_WORD);
    long long number, row, time;

    if (!at || sscanf(at + strlen(CHECKPOINT_WORD),
                      "%18lld:%19lld:%19lld:%64[0-9a-f]:%64[0-9a-f]:%128[0-9a-f]", &number, &row,
                      &time, hash, public, signature) != 6)
        return false;
    *p = (struct store_checkpoint){.number = number, .row = row, .time = time};
    return digest_from_hex(hash, p->hash, DIGEST) && digest_from_hex(public, key, SIGNING_KEY) &&
           digest_from_hex(signature, p->signature, SIGNING_SIGNATURE);
}

static int check_elsewhere(struct walk *w, int64_t base)
{
    char *line = malloc(LINE_SIZE);
    struct store_checkpoint p;
    unsigned char key[SIGNING_KEY];
    int64_t since = base;

    while (line && fgets(line, LINE_SIZE, w->v->elsewhere)) {
        if (!parse_line(line, &p, key))
            continue;
        w->sum->elsewhere++;
        if (!is_good_signature(w, &p, key))
            tell(w, (struct chain_finding){.fault = CHAIN_FORGED, .row = p.row, .other = p.number});
        else if (check_place(w, &p, base, since) && p.row > since)
            since = p.row;
    }
    free(line);
    return !line ? SD_EMEM : ferror(w->v->elsewhere) ? SD_EIO : SD_OK;
}

/* --- all of it -------------------------------------------------------------------------------- */

static int check_all(struct walk *w)
{
    int64_t base;
    int status = find_base(w);

    base = w->before;
    if (status == SD_OK)
        status = check_rows(w);
    if (status == SD_OK)
        status = check_suspects(w);
    if (status == SD_OK)
        status = check_strangers(w);
    if (status == SD_OK)
        status = check_lists(w);
    if (status == SD_OK)
        status = check_checkpoints(w, base);
    return status == SD_OK && w->v->elsewhere ? check_elsewhere(w, base) : status;
}

static bool has_chain(struct store_reader *r)
{
    sqlite3_stmt *q = NULL;
    bool there = sqlite3_prepare_v2(r->db, "SELECT 1 FROM chain", -1, &q, NULL) == SQLITE_OK;

    sqlite3_finalize(q);
    return there;
}

int store_verify(struct store_reader *r, const struct verification *v, struct verified *out)
{
    struct walk *w = calloc(1, sizeof *w);
    int status = SD_EMEM;

    memset(out, 0, sizeof *out);
    if (w && (w->digester = digester_create()) != NULL) {
        w->reader = r;
        w->v = v;
        w->sum = out;
        status = SD_EIO;
        if (sqlite3_exec(r->db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK) {
            status = has_chain(r) ? check_all(w) : SD_ESTATE;
            if (sqlite3_exec(r->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
                status = SD_EIO;
        }
        digester_destroy(w->digester);
    }
    free(w);
    return status;
}
