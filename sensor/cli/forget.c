#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/signing.h"
#include "cli/command.h"
#include "engine/audit.h"
#include "engine/control.h"
#include "engine/erase.h"
#include "engine/gateway.h"

#define ANSWER_MS 120000 /* a large store takes its time */

extern const struct command command_forget;

struct wish {
    const char *config, *db, *socket, *subject;
    struct addr client;
    bool dry_run;
};

/* The running sensor does it; NULL: there is none. */
static json_t *ask_sensor(const struct wish *w)
{
    json_t *request = json_pack("{s:s,s:s,s:b}", "command", "forget", "address", w->subject,
                                "dry_run", w->dry_run),
           *reply = control_ask(w->socket, request, ANSWER_MS);

    json_decref(request);
    return reply;
}

/* Who did it goes into the system's log, without the address. */
static void leave_word(const struct pseudonyms *names, const struct addr *client)
{
    const struct asker self = audit_self();
    char text[ADDR_TEXT] = "";
    struct evidence e;
    struct addr made;

    if (names) {
        made = pseudonym_of(names, client);
        addr_text(&made, text);
    }
    evidence_clear(&e);
    evidence_string(&e, "what", "client forgotten");
    if (text[0])
        evidence_string(&e, "detail", text);
    audit_who(&e, &self, "command");
    openlog("sealdns", LOG_PID, LOG_DAEMON);
    syslog(LOG_NOTICE, "{%s}", e.text);
    closelog();
}

/* With the key the removal is a note that is signed; without, whoever has it will find it foreign.
 */
static struct signing_key *key_of(const char *store)
{
    char path[4096], error[SIGNING_ERROR];
    struct signing_key *key = NULL;
    int status;

    signing_beside(store, path, sizeof path);
    status = signing_open(path, false, &key, error);
    if (status != SD_OK && status != SD_ENOENT)
        log_warning("%s: what is removed is not signed", error);
    return key;
}

static json_t *on_the_store(const struct wish *w, const struct policy *p)
{
    const char *path = w->db ? w->db : p->store_path;
    struct store_options options = {
        .path = path, .host = p->name, .key = key_of(path), .now = clock_now()};
    struct erasure e = {.policy = p, .dry_run = w->dry_run};
    struct pseudonyms *names = NULL;
    char error[STORE_ERROR] = "";
    json_t *reply = NULL;

    if (access(path, R_OK | W_OK) != 0)
        snprintf(error, sizeof error, "%.200s: no store that can be written (--db FILE)", path);
    else if (p->privacy.key[0] && pseudonyms_read(p->privacy.key, &names, error) != SD_OK)
        log_warning("%s: what is under pseudonyms is not found", error);
    e.names = names;
    if (access(path, R_OK | W_OK) == 0 && store_open(&options, &e.store, error) == SD_OK)
        reply = erase_client(&e, &w->client);
    if (reply && json_is_true(json_object_get(reply, "ok")) && !w->dry_run)
        leave_word(names, &w->client);
    if (!reply)
        log_error("%s", error);
    store_close(e.store);
    signing_close(options.key);
    pseudonyms_close(names);
    return reply;
}

static int tell(const struct wish *w, json_t *reply)
{
    bool ok = json_is_true(json_object_get(reply, "ok"));
    json_int_t sum = json_integer_value(json_object_get(reply, "captures"));
    const char *what, *error = json_string_value(json_object_get(reply, "error"));
    json_t *rows;

    json_object_foreach(json_object_get(reply, "removed"), what, rows)
    {
        sum += json_integer_value(rows);
        if (json_integer_value(rows))
            printf("%8lld  %s\n", (long long)json_integer_value(rows), what);
    }
    if (json_integer_value(json_object_get(reply, "captures")))
        printf("%8lld  captures\n",
               (long long)json_integer_value(json_object_get(reply, "captures")));
    if (ok && sum == 0)
        printf("nothing is written of %s\n", w->subject);
    else if (ok)
        printf(w->dry_run ? "would be removed\n" : "removed\n");
    else
        log_error("%s", error ? error : "no answer");
    if (json_is_true(json_object_get(reply, "log_stays")))
        log_warning(
            "somebody else is in the store: octets of what was removed stay in its file until "
            "this is run again");
    json_decref(reply);
    return ok && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int forget(const struct wish *w)
{
    json_t *reply = w->db ? NULL : ask_sensor(w);
    struct policy *p;
    int status;

    if (reply)
        return tell(w, reply);
    status = load_policy(w->config, NULL, 0, clock_now(), &p);
    if (status != EXIT_DONE)
        return status;
    reply = on_the_store(w, p);
    policy_destroy(p);
    return reply ? tell(w, reply) : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"db", required_argument, NULL, 'd'},
        {"socket", required_argument, NULL, 's'}, {"dry-run", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},         {0}};
    struct wish w = {.socket = DEFAULT_SOCKET};
    int option;

    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'c')
            w.config = optarg;
        else if (option == 'd')
            w.db = optarg;
        else if (option == 's')
            w.socket = optarg;
        else if (option == 'n')
            w.dry_run = true;
        else
            return usage_option(&command_forget, option, argv);
    }
    if (optind + 1 != argc)
        return usage_error(&command_forget, "one address is wanted");
    w.subject = argv[optind];
    if (addr_parse(w.subject, &w.client) != SD_OK)
        return usage_error(&command_forget, "\"%s\" is no address", w.subject);
    return forget(&w);
}

const struct command command_forget = {
    "forget", "take out what is written of a client",
    "Usage: sealdns forget ADDRESS [--dry-run] [-c FILE] [--db FILE] [--socket PATH]\n"
    "\n"
    "Erases the contents of the client's events (number, kind and times stay), its conversations,\n"
    "sums, lines of the query log, what was learned of it, and captures of its alerts; also under\n"
    "its pseudonyms, while their keys live. ADDRESS may be a pseudonym. The running sensor does "
    "it,\n"
    "else this command on the policy's store. What outputs were told already is not in our hands.\n"
    "\n"
    "      --dry-run      only say what would go\n"
    "  -c, --config FILE  policy; default " DEFAULT_CONFIG " or the built-in one\n"
    "      --db FILE      this store, whether a sensor runs or not\n"
    "      --socket PATH  control socket; default " DEFAULT_SOCKET "\n",
    run};
