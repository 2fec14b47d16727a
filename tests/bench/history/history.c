/* A store of recorded conversations, the same for the same seed: every client has a few in every
 * hour.
 *
 *     bench_history FILE [CLIENTS] [HOURS] [CONVERSATIONS] [SEED]
 *
 * The schema is made by the program's own store; the rows go past its writer, which keeps
 * inventories too and would take minutes. They come in the order of the hours and, within an hour,
 * in any order, as a sensor writes them. The last hour is that of now, so that `--since 30d` holds
 * them. */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../random.h"
#include "base/error.h"
#include "store/store.h"

#define HOUR (3600 * NSEC_S)

struct service {
    const char *server;
    int port;
    const char *transport, *resolver, *name;
};

/* What clients of a network talk to; the first four are everybody's. */
static const struct service services[] = {
    {"10.0.0.53", 53, "do53-udp", "corp", "dns.corp.example"},
    {"9.9.9.9", 853, "dot", "quad9", "dns.quad9.net"},
    {"8.8.8.8", 53, "do53-udp", "google", "dns.google"},
    {"1.1.1.1", 853, "dot", "cloudflare", "one.one.one.one"},
    {"8.8.4.4", 443, "doh2", "google", "dns.google"},
    {"2001:4860:4860::8888", 53, "do53-udp", "google", "dns.google"},
    {"10.0.0.53", 53, "do53-tcp", "corp", "dns.corp.example"},
    {"198.51.100.80", 443, "tls", NULL, "www.example.org"},
};
#define SERVICES (sizeof services / sizeof *services)

struct run {
    sqlite3 *db;
    sqlite3_stmt *add;
    struct random random;
    unsigned clients, hours, conversations;
    int64_t start;
};

static void text(struct run *r, int at, const char *value)
{
    if (value)
        sqlite3_bind_text(r->add, at, value, -1, SQLITE_STATIC);
    else
        sqlite3_bind_null(r->add, at);
}

static int add_row(struct run *r, unsigned hour, unsigned client, unsigned which)
{
    const struct service *s =
        services + (which + (which >= 3 ? client % (SERVICES - 3) : 0)) % SERVICES;
    int64_t queries = 1 + (int64_t)random_below(&r->random, 400), at = r->start + hour * HOUR;
    char address[ADDR_TEXT];
    int status;

    snprintf(address, sizeof address, "10.20.%u.%u", client / 250, 1 + client % 250);
    sqlite3_bind_int64(r->add, 1, at);
    text(r, 2, address);
    text(r, 3, s->server);
    sqlite3_bind_int(r->add, 4, s->port);
    text(r, 5, s->transport);
    text(r, 6, "office");
    text(r, 7, s->resolver);
    text(r, 8, s->name);
    sqlite3_bind_int(r->add, 9, which < 2);
    sqlite3_bind_int(r->add, 10, 1);
    sqlite3_bind_int(r->add, 11, 90);
    sqlite3_bind_int(r->add, 12, s->port != 53);
    sqlite3_bind_int64(r->add, 13, at + (int64_t)random_below(&r->random, 1800) * NSEC_S);
    sqlite3_bind_int64(r->add, 14, at + (int64_t)(1800 + random_below(&r->random, 1800)) * NSEC_S);
    sqlite3_bind_int64(r->add, 15, s->port == 53 ? queries : 1 + queries / 50);
    sqlite3_bind_int64(r->add, 16, 0);
    sqlite3_bind_int64(r->add, 17, queries);
    sqlite3_bind_int64(r->add, 18, queries);
    sqlite3_bind_int64(r->add, 19, queries * 70);
    sqlite3_bind_int64(r->add, 20, queries * 180);
    status = sqlite3_step(r->add);
    sqlite3_reset(r->add);
    return status == SQLITE_DONE ? 0 : 1;
}

static int add_hour(struct run *r, unsigned hour, uint32_t *order)
{
    unsigned count = r->clients * r->conversations;

    for (unsigned i = count; i > 1; i--) {
        unsigned k = (unsigned)random_below(&r->random, i);
        uint32_t other = order[k];

        order[k] = order[i - 1];
        order[i - 1] = other;
    }
    for (unsigned i = 0; i < count; i++)
        if (add_row(r, hour, order[i] / r->conversations, order[i] % r->conversations))
            return 1;
    return 0;
}

static int fill(struct run *r)
{
    static const char insert[] =
        "INSERT INTO conversations VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
        " ON CONFLICT DO NOTHING";
    uint32_t *order = calloc((size_t)r->clients * r->conversations, sizeof *order);
    int failed = !order || sqlite3_prepare_v2(r->db, insert, -1, &r->add, NULL) != SQLITE_OK;

    for (uint32_t i = 0; !failed && i < r->clients * r->conversations; i++)
        order[i] = i;
    failed = failed ||
             sqlite3_exec(r->db, "PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN",
                          NULL, NULL, NULL) != SQLITE_OK;
    for (unsigned hour = 0; !failed && hour < r->hours; hour++)
        failed = add_hour(r, hour, order);
    failed = failed || sqlite3_exec(r->db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL,
                                    NULL) != SQLITE_OK;
    sqlite3_finalize(r->add);
    free(order);
    return failed;
}

static unsigned argument(int argc, char **argv, int at, unsigned otherwise)
{
    return argc > at ? (unsigned)strtoul(argv[at], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    struct run r = {.clients = argument(argc, argv, 2, 1000),
                    .hours = argument(argc, argv, 3, 720),
                    .conversations = argument(argc, argv, 4, 4)};
    struct store_options options = {.path = argc > 1 ? argv[1] : ""};
    char error[STORE_ERROR] = "";
    struct store *s;
    int failed;

    if (argc < 2 || !r.clients || !r.hours || !r.conversations || r.conversations > SERVICES) {
        fprintf(stderr,
                "usage: bench_history FILE [CLIENTS] [HOURS] [CONVERSATIONS, at most %zu] [SEED]\n",
                SERVICES);
        return 2;
    }
    random_seed(&r.random, argument(argc, argv, 5, 1));
    r.start = (time(NULL) / 3600 - (r.hours - 1)) * HOUR;
    if (store_open(&options, &s, error) != SD_OK) {
        fprintf(stderr, "bench_history: %s\n", error);
        return 1;
    }
    store_close(s);
    failed = sqlite3_open(argv[1], &r.db) != SQLITE_OK || fill(&r);
    if (failed)
        fprintf(stderr, "bench_history: %s\n", sqlite3_errmsg(r.db));
    sqlite3_close(r.db);
    return failed;
}
