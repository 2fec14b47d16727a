#include "engine/plan_document.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

/* An element is bounded by its names: well below half of that. Two paths, each octet of which may
 * take six to write, are longer. */
enum { LINE = 8192, HEAD = 65536, GATEWAY_SHOWN = 256 };

static void put_line(struct json_writer *w, const char *before, FILE *to)
{
    assert(!w->full);
    fputs(before, to);
    fwrite(w->text, 1, w->used, to);
}

static void set_time(struct json_writer *w, const char *key, nsec_t t)
{
    char text[TIME_TEXT];

    if (t)
        json_string_member(w, key, time_text(t, text));
    else
        json_raw_member(w, key, "null");
}

static void set_text(struct json_writer *w, const char *key, const char *value)
{
    if (value && value[0])
        json_string_member(w, key, value);
    else
        json_raw_member(w, key, "null");
}

static void set_tally(struct json_writer *w, const char *key, const struct plan_tally *t)
{
    json_open(w, key, '{');
    json_integer_member(w, "clients", (int64_t)t->clients);
    json_integer_member(w, "conversations", (int64_t)t->conversations);
    json_integer_member(w, "answered", (int64_t)t->answered);
    json_integer_member(w, "flows", (int64_t)t->flows);
    json_integer_member(w, "queries", (int64_t)t->queries);
    json_close(w, '}');
}

static void set_outcomes(struct json_writer *w, const uint64_t *outcomes)
{
    json_open(w, "outcomes", '{');
    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        json_integer_member(w, outcome_name(i), (int64_t)outcomes[i]);
    json_close(w, '}');
}

static const char *resolver_id(const struct plan_document *d, int16_t resolver)
{
    return resolver >= 0 ? d->policy->resolvers[resolver].id : NULL;
}

const char *plan_host(const struct plan_document *d, const struct plan_client *c)
{
    return c->machine != PLAN_NO_MACHINE && d->hosts ? d->hosts[c->machine] : NULL;
}

static void write_head(const struct plan_document *d, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    char line[HEAD], text[ADDR_TEXT];
    struct json_writer w = json_writer_over(line, sizeof line);

    json_open(&w, "policy", '{');
    set_text(&w, "file", d->file);
    json_string_member(&w, "digest", d->policy->digest);
    json_string_member(&w, "mode", mode_name(d->policy->mode));
    json_open(&w, "gateway", '[');
    for (size_t i = 0; i < d->policy->gateway_count && i < GATEWAY_SHOWN; i++)
        json_string_member(&w, NULL, addr_text(d->policy->gateway + i, text));
    json_close(&w, ']');
    json_close(&w, '}');
    json_open(&w, "period", '{');
    json_string_member(&w, "store", d->store);
    set_time(&w, "since", d->since);
    set_time(&w, "until", d->until);
    set_time(&w, "first_hour", r->first);
    set_time(&w, "last_hour", r->last);
    json_close(&w, '}');
    json_open(&w, "read", '{');
    json_integer_member(&w, "hours_of_conversations", (int64_t)r->rows);
    json_integer_member(&w, "conversations", (int64_t)r->judged);
    json_integer_member(&w, "clients", (int64_t)r->client_count);
    json_integer_member(&w, "other", (int64_t)r->other_rows);
    json_integer_member(&w, "damaged", (int64_t)r->damaged_rows);
    json_close(&w, '}');
    json_open(&w, "omitted", '{');
    json_integer_member(&w, "hours_of_conversations", (int64_t)r->omitted.rows);
    json_integer_member(&w, "flows", (int64_t)r->omitted.flows);
    json_integer_member(&w, "queries", (int64_t)r->omitted.queries);
    json_close(&w, '}');
    put_line(&w, ",\n", to);
}

static void write_doubts(const struct plan_document *d, FILE *to)
{
    char text[PLAN_DOUBT], line[LINE];
    const char *doubt;
    struct json_writer w = json_writer_over(line, sizeof line);

    json_open(&w, "unknown", '[');
    for (unsigned i = 0; (doubt = plan_doubt(d, i, text)) != NULL; i++)
        json_string_member(&w, NULL, doubt);
    json_close(&w, ']');
    put_line(&w, ",\n", to);
}

static void write_groups(const struct plan_document *d, int16_t zone, bool names, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    const struct plan_group *groups = names ? r->names : r->servers;
    size_t count = names ? r->name_count : r->server_count;
    const char *before = "\n   ";
    char line[LINE], text[ADDR_TEXT];

    fprintf(to, ",\n  \"%s\":[", names ? "names" : "resolvers");
    for (size_t i = 0; i < count; i++) {
        struct json_writer w = json_writer_over(line, sizeof line);
        const struct plan_group *g = groups + i;

        if (g->zone != zone)
            continue;
        json_open(&w, NULL, '{');
        if (names) {
            json_string_member(&w, "name", plan_name(d->plan, g->subject));
        } else {
            const struct plan_server *s = plan_server(d->plan, g->subject);

            json_string_member(&w, "server", addr_text(&s->address, text));
            set_text(&w, "resolver", resolver_id(d, s->resolver));
        }
        json_string_member(&w, "fate", fate_name(g->fate));
        json_string_member(&w, "as", g->cleartext ? "cleartext" : "unapproved");
        set_tally(&w, "of", &g->tally);
        json_close(&w, '}');
        put_line(&w, before, to);
        before = ",\n   ";
    }
    fputs("]", to);
}

static void write_zones(const struct plan_document *d, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    const char *before = "\n ";

    fputs(",\n\"zones\":[", to);
    for (size_t i = 0; i < d->policy->zone_count; i++) {
        const struct policy_zone *z = d->policy->zones + i;
        char line[LINE];
        struct json_writer w = json_writer_over(line, sizeof line);

        if (!r->zones[i].clients)
            continue;
        json_string_member(&w, "zone", z->id);
        json_string_member(&w, "cleartext", action_name(z->cleartext));
        json_string_member(&w, "unapproved", action_name(z->unapproved));
        json_raw_member(&w, "bootstrap", z->bootstrap ? "true" : "false");
        json_integer_member(&w, "clients", (int64_t)r->zones[i].clients);
        set_outcomes(&w, r->zones[i].outcomes);
        for (unsigned f = 0; f < FATE_COUNT; f++)
            set_tally(&w, fate_name(f), r->zones[i].fates + f);
        set_tally(&w, "cut-cleartext", &r->zones[i].cleartext);
        set_tally(&w, "cut-unapproved", &r->zones[i].unapproved);
        set_tally(&w, "cut-already", &r->zones[i].already);
        set_tally(&w, "cut-approved", &r->zones[i].approved);
        fprintf(to, "%s{", before);
        put_line(&w, "", to);
        write_groups(d, (int16_t)i, false, to);
        write_groups(d, (int16_t)i, true, to);
        fputs("}", to);
        before = ",\n ";
    }
    fputs("]", to);
}

static void write_clients(const struct plan_document *d, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    const char *before = "\n ";
    char line[LINE], text[ADDR_TEXT];

    fputs(",\n\"clients\":[", to);
    for (size_t i = 0; i < r->client_count; i++) {
        const struct plan_client *c = r->clients[i];
        struct json_writer w = json_writer_over(line, sizeof line);

        if (c->outcome == OUTCOME_UNAFFECTED && !c->cut.conversations)
            continue;
        json_open(&w, NULL, '{');
        json_string_member(&w, "client", addr_text(&c->address, text));
        set_text(&w, "host", plan_host(d, c));
        json_string_member(&w, "zone", d->policy->zones[c->zone].id);
        json_string_member(&w, "outcome", outcome_name(c->outcome));
        json_open(&w, "answered", '{');
        for (unsigned f = 0; f < FATE_COUNT; f++)
            json_integer_member(&w, fate_name(f), c->answered[f]);
        json_integer_member(&w, "approved", c->approved);
        json_close(&w, '}');
        json_raw_member(&w, "other_address", c->elsewhere ? "true" : "false");
        json_raw_member(&w, "zone_uncertain", c->zone_uncertain ? "true" : "false");
        json_integer_member(&w, "cut_flows", (int64_t)c->cut.flows);
        json_integer_member(&w, "cut_queries", (int64_t)c->cut.queries);
        json_close(&w, '}');
        put_line(&w, before, to);
        before = ",\n ";
    }
    fputs("]", to);
}

static void set_conversation(struct json_writer *w, const struct plan_document *d,
                             const struct plan_conversation *c)
{
    const struct plan_client *client = plan_client(d->plan, c->client);
    const struct plan_server *server = plan_server(d->plan, c->server);
    char text[ADDR_TEXT];

    json_string_member(w, "client", addr_text(&client->address, text));
    json_string_member(w, "server", addr_text(&server->address, text));
    json_integer_member(w, "server_port", c->server_port);
    json_string_member(w, "transport", transport_name(c->transport));
    set_text(w, "name", plan_name(d->plan, c->name));
    set_text(w, "resolver", resolver_id(d, server->resolver));
    json_string_member(w, "zone", d->policy->zones[client->zone].id);
    json_string_member(w, "fate", fate_name(c->fate));
    json_string_member(w, "action", action_name(c->action));
    json_string_member(w, "as", c->cleartext ? "cleartext" : "unapproved");
    json_raw_member(w, "already_cut", c->already ? "true" : "false");
    json_integer_member(w, "flows", (int64_t)c->flows);
    json_integer_member(w, "flows_failed", (int64_t)c->flows_failed);
    json_integer_member(w, "queries", (int64_t)c->queries);
    json_integer_member(w, "responses", (int64_t)c->responses);
    set_time(w, "first_hour", c->first);
    set_time(w, "last_hour", c->last);
    set_time(w, "last_answered_hour", c->answered_last);
}

static void write_conversations(const struct plan_document *d, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    char line[LINE];

    fputs(",\n\"conversations\":[", to);
    for (size_t i = 0; i < r->conversation_count; i++) {
        struct json_writer w = json_writer_over(line, sizeof line);

        json_open(&w, NULL, '{');
        set_conversation(&w, d, r->conversations[i]);
        json_close(&w, '}');
        put_line(&w, i ? ",\n " : "\n ", to);
    }
    fputs("]", to);
}

static void write_exceptions(const struct plan_document *d, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    char line[LINE], text[ADDR_TEXT + 4];

    fputs(",\n\"exceptions\":[", to);
    for (size_t i = 0; i < d->policy->exception_count; i++) {
        const struct policy_exception *e = d->policy->exceptions + i;
        struct json_writer w = json_writer_over(line, sizeof line);

        json_open(&w, NULL, '{');
        json_string_member(&w, "client", policy_exception_text(e, text));
        set_text(&w, "resolver", resolver_id(d, e->resolver));
        set_time(&w, "until", e->until);
        json_raw_member(&w, "ended", e->until < d->until ? "true" : "false");
        json_string_member(&w, "owner", e->owner);
        json_string_member(&w, "reason", e->reason);
        set_tally(&w, "of", r->exceptions + i);
        json_close(&w, '}');
        put_line(&w, i ? ",\n " : "\n ", to);
    }
    fputs("]", to);
}

int plan_json(const struct plan_document *d, FILE *to)
{
    fprintf(to, "{\"sealdns\":\"%s\"", SEALDNS_VERSION);
    write_head(d, to);
    write_doubts(d, to);
    write_zones(d, to);
    write_clients(d, to);
    write_exceptions(d, to);
    write_conversations(d, to);
    fputs("}\n", to);
    return ferror(to) ? SD_EIO : SD_OK;
}
