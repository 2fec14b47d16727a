#include "cli/learned.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/time.h"

enum { ROWS = 20 };

struct asked {
    const char *addresses, *resolver;
    const char *title; /* printed before the first row */
    unsigned rows;
};

static json_int_t number(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static const char *word(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

static bool is_own(const char *text, const char *own)
{
    return own[0] && strcmp(text, own) == 0;
}

/* False: there were enough of them. */
static bool begin_row(struct asked *a)
{
    if (a->rows == 0)
        printf("%s", a->title);
    return a->rows++ < ROWS;
}

static double ms(const json_t *o, const char *what, const char *point)
{
    char key[40];

    snprintf(key, sizeof key, "%s%s%s_us", what, point[0] ? "_" : "", point);
    return (double)number(o, key) / 1000;
}

static void print_histogram(const json_t *o, const char *what, const char *counted)
{
    char key[40];

    snprintf(key, sizeof key, "%ss", what);
    if (number(o, key) == 0)
        return;
    printf(
        "    %s: half under %.1f ms, nine of ten under %.1f ms, 99 of 100 under %.1f ms (%" PRId64
        " %s)\n",
        what, ms(o, what, "p50"), ms(o, what, "p90"), ms(o, what, "p99"), (int64_t)number(o, key),
        counted);
}

static int print_latency(void *context, const struct memory_row *row)
{
    struct asked *a = context;
    json_t *o = json_loads(row->text, 0, NULL);
    const char *who = word(o, "resolver"), *transport = word(o, "transport");
    json_int_t connections = number(o, "connections");

    if ((is_own(who, a->resolver) || who_has(a->addresses, who)) && begin_row(a)) {
        printf("  %s %s", who, transport);
        if (connections)
            printf(": %" PRId64 " connections, %" PRId64 " %% resumed, %.1f queries each",
                   (int64_t)connections, (int64_t)(number(o, "resumed") * 100 / connections),
                   (double)number(o, "queries") / (double)connections);
        printf("\n");
        print_histogram(o, "handshake", "measured");
        print_histogram(o, "answer",
                        strncmp(transport, "do53", 4) == 0 ? "measured" : "estimated from records");
    }
    json_decref(o);
    return 0;
}

static void print_side(const json_t *o, const char *side, const char *words)
{
    char key[40];

    snprintf(key, sizeof key, "%s_padding", side);
    printf(", %s %s", words, word(o, key));
    snprintf(key, sizeof key, "%s_padded", side);
    if (!json_object_get(o, key))
        return; /* DoQ, DoH: undetermined */
    printf(" (%" PRId64 " of ", (int64_t)number(o, key));
    snprintf(key, sizeof key, "%s_messages", side);
    printf("%" PRId64 " on the lattice)", (int64_t)number(o, key));
}

static int print_pair(void *context, const struct memory_row *row)
{
    struct asked *a = context;
    json_t *o = json_loads(row->text, 0, NULL);
    bool is_client = who_has(a->addresses, word(o, "client"));

    if ((is_client || who_has(a->addresses, word(o, "server"))) && begin_row(a)) {
        printf("  %s %s %s: %" PRId64 " connections, %" PRId64 " resumed", word(o, "transport"),
               is_client ? "to" : "from", word(o, is_client ? "server" : "client"),
               (int64_t)number(o, "connections"), (int64_t)number(o, "resumed"));
        if (json_object_get(o, "query_padding")) {
            print_side(o, "query", "queries");
            print_side(o, "answer", "answers");
        }
        if (word(o, "tls_version")[0])
            printf(", TLS %s", word(o, "tls_version"));
        if (word(o, "suite")[0])
            printf(", suite %s", word(o, "suite"));
        if (word(o, "suite_weakness")[0])
            printf(" (%s)", word(o, "suite_weakness"));
        printf("\n");
    }
    json_decref(o);
    return 0;
}

/* Of a name or an id: every server of the resolver; of an address: that one. */
static int print_probe(void *context, const struct memory_row *row)
{
    struct asked *a = context;
    json_t *o = json_loads(row->text, 0, NULL);
    bool own = a->addresses[0] ? who_has(a->addresses, word(o, "server"))
                               : is_own(word(o, "resolver"), a->resolver);
    char time[TIME_TEXT];

    if (own && begin_row(a)) {
        printf("  %.19sZ %s %s port %d: %s%s%s\n", time_text(row->time, time), word(o, "server"),
               word(o, "transport"), (int)number(o, "port"),
               word(o, "faults")[0] ? word(o, "faults") : "right", word(o, "error")[0] ? ": " : "",
               word(o, "error"));
        if (word(o, "tls_version")[0])
            printf("    TLS %s, certificate for %s, by \"%s\", until %.10s, %s\n",
                   word(o, "tls_version"), word(o, "certificate_for"), word(o, "issuer"),
                   word(o, "not_after"), word(o, "pin"));
        if (json_is_true(json_object_get(o, "reached")))
            printf("    connect %.1f ms, TLS %.1f ms, answer %.1f ms\n", ms(o, "connect", ""),
                   ms(o, "handshake", ""), ms(o, "answer", ""));
    }
    json_decref(o);
    return 0;
}

static int print_role(void *context, const struct memory_row *row)
{
    struct asked *a = context;
    json_t *o = json_loads(row->text, 0, NULL);
    char since[TIME_TEXT];

    if (word(o, "role")[0] && begin_row(a))
        printf("%s since %.16s, by what it asks and answers\n", word(o, "role"),
               time_text(row->time, since));
    json_decref(o);
    return 0;
}

static int print_baseline(void *context, const struct memory_row *row)
{
    struct asked *a = context;
    json_t *o = json_loads(row->text, 0, NULL);
    char at[TIME_TEXT];

    if (json_object_get(o, "usual_queries_per_hour") && begin_row(a))
        printf("  about %" PRId64
               " queries in the hour before %.16s, a spread of e^%.2f; known for "
               "%" PRId64 " hours\n",
               (int64_t)number(o, "usual_queries_per_hour"), time_text(row->time, at),
               json_number_value(json_object_get(o, "spread")), (int64_t)number(o, "learned_h"));
    json_decref(o);
    return 0;
}

static int print_volume(struct store_reader *r, struct asked *a, char kind, const char *of)
{
    char key[96];

    snprintf(key, sizeof key, "%c %s 0", kind, of);
    return store_memory(r, "baseline", key, print_baseline, a);
}

/* What it is to DNS, and how much it asks: a machine's is known by one of its addresses. */
static int print_habits(struct store_reader *r, struct asked *a, const struct machine *m)
{
    char text[ADDR_TEXT];
    struct addr one;
    int status = SD_OK;

    a->rows = 0;
    a->title = "Role: ";
    for (size_t at = 0; status == SD_OK && who_next(m, &at, &one);)
        status = store_memory(r, "role", addr_text(&one, text), print_role, a);
    a->rows = 0;
    a->title = "Its usual volume (of this time of the week):\n";
    if (status == SD_OK && a->resolver[0])
        return print_volume(r, a, 'r', a->resolver);
    for (size_t at = 0; status == SD_OK && who_next(m, &at, &one);)
        status = print_volume(r, a, 'c', addr_text(&one, text));
    return status;
}

static int print_topic(struct store_reader *r, const char *topic, struct asked *a,
                       int (*print)(void *context, const struct memory_row *row))
{
    int status;

    a->rows = 0;
    status = store_memory(r, topic, NULL, print, a);
    if (a->rows > ROWS)
        printf("  ... and %u more\n", a->rows - ROWS);
    return status;
}

int learned_print(struct store_reader *r, const struct machine *m, const char *resolver)
{
    struct asked a = {.addresses = m->addresses, .resolver = resolver};
    int status = print_habits(r, &a, m);

    a.title = "Last probes:\n";
    if (status == SD_OK)
        status = print_topic(r, "probe", &a, print_probe);
    if (status != SD_OK)
        return status;
    a.title = "How it answers, as measured so far:\n";
    status = print_topic(r, "latency", &a, print_latency);
    if (status != SD_OK)
        return status;
    a.title =
        "Padding, versions and suites of its encrypted DNS (padding alone does not stop traffic "
        "analysis):\n";
    return print_topic(r, "privacy", &a, print_pair);
}
