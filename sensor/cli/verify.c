#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/command.h"
#include "store/verify.h"

#define LISTED 10000 /* findings that a document has; the rest is counted */

extern const struct command command_verify;

struct checking {
    const char *db, *elsewhere;
    bool json, unsigned_too;
    unsigned char keys[VERIFY_KEYS][SIGNING_KEY];
    size_t key_count;
    json_t *findings, *notes;
    uint64_t told;
};

/* --- what was found, as a sentence ------------------------------------------------------------ */

static void subject_of(const struct chain_finding *f, char *out, size_t size)
{
    char id[64];

    text_printable(f->id, strlen(f->id), id, sizeof id);
    if (f->row != f->last)
        snprintf(out, size, "rows %" PRId64 " to %" PRId64, f->row, f->last);
    else if (id[0])
        snprintf(out, size, "row %" PRId64 " (event %s, revision %" PRIu32 ")", f->row, id,
                 f->revision);
    else
        snprintf(out, size, "row %" PRId64, f->row);
}

static void say(const struct chain_finding *f, char *out, size_t size)
{
    const long long other = (long long)f->other;
    char subject[160];

    subject_of(f, subject, sizeof subject);
    switch (f->fault) {
    case CHAIN_CHANGED:
        snprintf(out, size, "%s: not what was written", subject);
        break;
    case CHAIN_MOVED:
        snprintf(out, size, "%s: was written as row %lld", subject, other);
        break;
    case CHAIN_REMOVED:
        snprintf(out, size, "%s: gone, and no note says why", subject);
        break;
    case CHAIN_INSERTED:
        snprintf(out, size, "%s: not written by the sensor", subject);
        break;
    case CHAIN_BROKEN:
        snprintf(out, size, "%s: its hash does not follow from row %lld", subject, other);
        break;
    case CHAIN_REWRITTEN:
        snprintf(out, size, "%s: not what checkpoint %lld was signed over", subject, other);
        break;
    case CHAIN_TRUNCATED:
        snprintf(out, size, "%s: there when checkpoint %lld was signed, now gone", subject, other);
        break;
    case CHAIN_FORGED:
        snprintf(out, size, "checkpoint %lld, of %s: not signed by the key", other, subject);
        break;
    case CHAIN_LOST:
        snprintf(out, size, "checkpoint %lld, of some of %s: gone", other, subject);
        break;
    case CHAIN_UNSIGNED:
        snprintf(out, size, "%s: no checkpoint of the key covers it", subject);
        break;
    case CHAIN_FOREIGN:
        snprintf(out, size,
                 "%s: added or taken away by somebody without the key, noted as row %lld", subject,
                 other);
        break;
    case CHAIN_NOTE_CHANGED:
        snprintf(out, size, "note %" PRId64 ": it, or its list, is not what was written", f->row);
        break;
    }
}

static json_t *text_or_null(const char *text)
{
    char clean[128];

    text_printable(text, strlen(text), clean, sizeof clean);
    return clean[0] ? json_string(clean) : json_null();
}

static void take_finding(void *context, const struct chain_finding *f)
{
    struct checking *c = context;
    char text[320];

    say(f, text, sizeof text);
    c->told++;
    if (!c->json)
        printf("%s\n", text);
    else if (c->told <= LISTED)
        json_array_append_new(
            c->findings,
            json_pack("{s:s,s:I,s:I,s:o,s:o,s:s}", "what", chain_fault_name(f->fault), "row",
                      (json_int_t)f->row, "last", (json_int_t)f->last, "id", text_or_null(f->id),
                      "revision", f->id[0] ? json_integer(f->revision) : json_null(), "says",
                      text));
}

/* --- notes ------------------------------------------------------------------------------------ */

static void take_note(void *context, const struct chain_told *n)
{
    static const struct {
        const char *why, *says;
    } remarks[] = {
        {"migrated",
         "chained only then, from a store without a chain: nothing is proven of before"},
        {"unsigned", "signed only then: nothing is proven of before"},
        {"key", "signed by another key until then"},
        {"forgotten", "contents erased on request"},
    };
    struct checking *c = context;
    char time[TIME_TEXT];

    time_text(n->time, time);
    if (c->json && json_array_size(c->notes) < LISTED)
        json_array_append_new(
            c->notes, json_pack("{s:I,s:s,s:o,s:I,s:I,s:I}", "row", (json_int_t)n->row, "time",
                                time, "why", text_or_null(n->why), "first", (json_int_t)n->first,
                                "last", (json_int_t)n->last, "rows", (json_int_t)n->rows));
    for (size_t i = 0; !c->json && i < sizeof remarks / sizeof *remarks; i++)
        if (strcmp(n->why, remarks[i].why) == 0)
            printf("%s, %" PRId64 " of rows %" PRId64 " to %" PRId64 ": %s\n", time, n->rows,
                   n->first, n->last, remarks[i].says);
}

/* --- the sum ---------------------------------------------------------------------------------- */

static void key_text(const struct verified *sum, char out[2 * SIGNING_KEY + 1])
{
    for (int i = 0; i < SIGNING_KEY; i++)
        snprintf(out + 2 * i, 3, "%02x", sum->key[i]);
}

static void tell_text(const struct checking *c, const struct verified *sum)
{
    char key[2 * SIGNING_KEY + 1], time[TIME_TEXT];

    printf("%" PRIu64 " rows, %" PRId64 " to %" PRId64 "; %" PRIu64
           " with erased contents, %" PRIu64 " notes\n",
           sum->rows, sum->first, sum->last, sum->erased, sum->notes);
    if (sum->is_signed) {
        key_text(sum, key);
        time_text(sum->checkpoint.time, time);
        printf("%" PRIu64 " checkpoints, the last of row %" PRId64 ", %s\nsigned by %s%s\n",
               sum->checkpoints, sum->checkpoint.row, time, key,
               c->key_count ? "" : ", which was not compared (--key FILE)");
    } else {
        printf("unsigned: whoever can write the store can have made all of it anew\n");
    }
    if (c->elsewhere)
        printf("%" PRIu64 " checkpoints of %s compared\n", sum->elsewhere, c->elsewhere);
    printf(sum->findings ? "broken: %" PRIu64 " findings\n" : "whole\n", sum->findings);
}

static int tell_json(struct checking *c, const struct verified *sum)
{
    char key[2 * SIGNING_KEY + 1], time[TIME_TEXT];
    json_t *all = json_pack("{s:s,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I}", "store", c->db, "whole",
                            sum->findings == 0, "signed", sum->is_signed, "key_compared",
                            c->key_count > 0, "rows", (json_int_t)sum->rows, "first",
                            (json_int_t)sum->first, "last", (json_int_t)sum->last, "erased",
                            (json_int_t)sum->erased, "checkpoints", (json_int_t)sum->checkpoints,
                            "checkpoints_elsewhere", (json_int_t)sum->elsewhere);
    int status;

    key_text(sum, key);
    time_text(sum->checkpoint.time, time);
    json_object_set_new(all, "key", sum->is_signed ? json_string(key) : json_null());
    json_object_set_new(all, "last_checkpoint",
                        sum->checkpoint.number
                            ? json_pack("{s:I,s:I,s:s}", "number",
                                        (json_int_t)sum->checkpoint.number, "row",
                                        (json_int_t)sum->checkpoint.row, "time", time)
                            : json_null());
    json_object_set(all, "notes", c->notes);
    json_object_set(all, "findings", c->findings);
    json_object_set_new(all, "findings_in_all", json_integer((json_int_t)sum->findings));
    status = json_dumpf(all, stdout, JSON_INDENT(1) | JSON_ENSURE_ASCII);
    putchar('\n');
    json_decref(all);
    return status;
}

/* --- the command ------------------------------------------------------------------------------ */

/* The key beside the store, where it can be read: an auditor's copy has none. */
static void find_key(struct checking *c)
{
    char path[4096], error[SIGNING_ERROR];

    if (c->key_count || c->unsigned_too)
        return;
    signing_beside(c->db, path, sizeof path);
    if (signing_read_public(path, c->keys[0], error) == SD_OK)
        c->key_count = 1;
}

static int verify(struct checking *c, struct store_reader *r, struct verified *sum)
{
    struct verification v = {.keys = c->keys,
                             .key_count = c->key_count,
                             .finding = take_finding,
                             .note = take_note,
                             .context = c};
    int status = SD_OK;

    if (c->elsewhere && !(v.elsewhere = fopen(c->elsewhere, "re"))) {
        log_error("%s: %s", c->elsewhere, strerror(errno));
        return SD_ENOENT;
    }
    status = store_verify(r, &v, sum);
    if (status == SD_ESTATE)
        log_error("%s: of an older sealdns, without a chain: its next start makes one", c->db);
    else if (status != SD_OK)
        log_error("%s: %s: is it damaged, or locked?", c->db, sd_strerror(status));
    if (v.elsewhere)
        fclose(v.elsewhere);
    return status;
}

static int check(struct checking *c)
{
    char error[STORE_ERROR] = "";
    struct store_reader *r = NULL;
    struct verified sum;
    int status;

    if (store_reader_open(c->db, &r, error) != SD_OK) {
        log_error("%s", error);
        return EXIT_FAILED;
    }
    find_key(c);
    c->findings = json_array();
    c->notes = json_array();
    status = verify(c, r, &sum);
    if (status == SD_OK && c->json)
        status = tell_json(c, &sum);
    else if (status == SD_OK)
        tell_text(c, &sum);
    json_decref(c->findings);
    json_decref(c->notes);
    store_reader_close(r);
    return status == SD_OK && fflush(stdout) == 0 && sum.findings == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int add_key(struct checking *c, const char *path)
{
    char error[SIGNING_ERROR];

    if (c->key_count == VERIFY_KEYS)
        return usage_error(&command_verify, "%d keys at most", VERIFY_KEYS);
    if (signing_read_public(path, c->keys[c->key_count], error) != SD_OK) {
        log_error("%s", error);
        return EXIT_FAILED;
    }
    c->key_count++;
    return EXIT_DONE;
}

static int take_option(struct checking *c, int option, char **argv)
{
    switch (option) {
    case 'd':
        c->db = optarg;
        return EXIT_DONE;
    case 'k':
        return add_key(c, optarg);
    case 'a':
        c->elsewhere = optarg;
        return EXIT_DONE;
    case 'u':
        c->unsigned_too = true;
        return EXIT_DONE;
    case 'f':
        if (strcmp(optarg, "text") != 0 && strcmp(optarg, "json") != 0)
            return usage_error(&command_verify, "no format \"%s\": text or json", optarg);
        c->json = strcmp(optarg, "json") == 0;
        return EXIT_DONE;
    default:
        return usage_option(&command_verify, option, argv);
    }
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"db", required_argument, NULL, 'd'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"against", required_argument, NULL, 'a'},
                                            {"unsigned", no_argument, NULL, 'u'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct checking c = {.db = DEFAULT_STORE};
    int option, status;

    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        status = take_option(&c, option, argv);
        if (status != EXIT_DONE || option == 'h')
            return status;
    }
    if (optind != argc)
        return usage_error(&command_verify, "\"%s\" is too much", argv[optind]);
    if (c.unsigned_too && c.key_count)
        return usage_error(&command_verify, "--unsigned asks for no key");
    return check(&c);
}

const struct command command_verify = {
    "verify", "checks the evidence chain of the store",
    "Usage: sealdns verify [--db FILE] [--key FILE]... [--against FILE] [--format text|json]\n"
    "\n"
    "Holds every row of the stored events against its digest, its place in the chain of hashes and "
    "the\n"
    "signed checkpoints, and names each that was changed, removed, inserted or moved. A sensor may "
    "run\n"
    "meanwhile; a copy made by `sqlite3 FILE \".backup COPY\"` or `VACUUM INTO` verifies like the "
    "store.\n"
    "\n"
    "Exit status 0: whole; 1: broken, or it could not be checked.\n"
    "\n"
    "      --db FILE         the store; default " DEFAULT_STORE "\n"
    "      --key FILE        the installation's key, public or private half (PEM); several: any of "
    "them\n"
    "                        may have signed. Default installation.key beside the store; without "
    "it\n"
    "                        the key is told and not compared\n"
    "      --against FILE    a log or feed with checkpoints that were kept elsewhere: what was "
    "taken\n"
    "                        off the end together with its checkpoints is found only so\n"
    "      --unsigned        a store that nobody signed (of `analyze`) is whole if its chain is\n"
    "      --format FORMAT   text (default) or json\n",
    run};
