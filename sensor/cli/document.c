#include "cli/document.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "cli/events.h"
#include "output/output.h"

#define FLAGS (JSON_COMPACT | JSON_PRESERVE_ORDER)

static json_t *time_or_null(nsec_t t)
{
    char text[TIME_TEXT];

    return t ? json_string(time_text(t, text)) : json_null();
}

/* Parts are written one by one: a document of 65,536 conversations must not stand in memory. */
static int write_element(json_t *element, const char *before, FILE *to)
{
    int failed;

    if (!element)
        return SD_EMEM;
    fputs(before, to);
    failed = json_dumpf(element, to, FLAGS) != 0;
    json_decref(element);
    return failed ? SD_EIO : SD_OK;
}

static json_t *capture_part(const struct document *d)
{
    const struct stats *s = &d->result->stats;

    return json_pack("{s:I,s:I,s:I,s:o,s:o,s:I,s:I,s:I}", "files", (json_int_t)d->files, "packets",
                     (json_int_t)s->packets, "bytes", (json_int_t)s->bytes, "first",
                     time_or_null(d->result->first), "last", time_or_null(d->result->last),
                     "malformed", (json_int_t)s->malformed, "unsupported",
                     (json_int_t)s->unsupported, "truncated", (json_int_t)s->truncated);
}

static json_t *dns_part(const struct stats *s)
{
    return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "queries", (json_int_t)s->dns_queries,
                     "responses", (json_int_t)s->dns_responses, "malformed",
                     (json_int_t)s->dns_malformed, "unanswered", (json_int_t)s->dns_unanswered,
                     "unmatched", (json_int_t)s->dns_unmatched, "retried",
                     (json_int_t)s->dns_retried, "mdns_llmnr", (json_int_t)s->local_names);
}

static json_t *counters_part(const struct stats *s)
{
    json_t *all = json_object();

    for (size_t i = 0; i < STATS_COUNT; i++) {
        uint64_t value;

        memcpy(&value, (const char *)s + stats_words[i].offset, sizeof value);
        if (value)
            json_object_set_new(all, stats_words[i].name, json_integer((json_int_t)value));
    }
    return all;
}

static void set_identified(struct json_writer *w, uint8_t bits)
{
    json_open(w, "identified_by", '[');
    for (unsigned i = 0; i < EVIDENCE_SOURCE_COUNT; i++)
        if (bits & BY(i))
            json_string_member(w, NULL, evidence_source_name(i));
    json_close(w, ']');
}

static void set_alpn(struct json_writer *w, const char *alpn)
{
    char copy[sizeof((struct conversation *)0)->alpn], *rest = copy;

    memcpy(copy, alpn, sizeof copy);
    json_open(w, "alpn", '[');
    for (char *word; (word = strsep(&rest, ",")) != NULL;)
        if (*word)
            json_string_member(w, NULL, word);
    json_close(w, ']');
}

static void set_version(struct json_writer *w, uint16_t version)
{
    static const char *const words[] = {"SSL3.0", "1.0", "1.1", "1.2", "1.3"};

    if (version >= 0x0300 && version <= 0x0304)
        json_string_member(w, "tls_version", words[version - 0x0300]);
    else
        json_raw_member(w, "tls_version", "null");
}

static void set_counts(struct json_writer *w, const struct conversation *c)
{
    json_integer_member(w, "flows", (int64_t)c->flows);
    json_integer_member(w, "flows_failed", (int64_t)c->flows_failed);
    json_integer_member(w, "queries", (int64_t)c->queries);
    json_raw_member(w, "queries_estimated", c->queries_estimated ? "true" : "false");
    json_integer_member(w, "responses", (int64_t)c->responses);
    json_integer_member(w, "bytes_out", (int64_t)c->bytes_out);
    json_integer_member(w, "bytes_in", (int64_t)c->bytes_in);
}

static void set_conversation(struct json_writer *w, const struct conversation *c,
                             const struct policy *p)
{
    char text[TIME_TEXT], address[ADDR_TEXT];

    json_open(w, NULL, '{');
    json_string_member(w, "client", addr_text(&c->key.client, address));
    json_string_member(w, "server", addr_text(&c->key.server, address));
    json_integer_member(w, "server_port", c->key.server_port);
    json_string_member(w, "transport", transport_name(c->key.transport));
    set_identified(w, c->identified_by);
    json_integer_member(w, "confidence", c->confidence);
    if (c->name[0])
        json_string_member(w, "name", c->name);
    else
        json_raw_member(w, "name", "null");
    set_alpn(w, c->alpn);
    set_version(w, c->tls_version);
    set_counts(w, c);
    json_string_member(w, "first", time_text(c->first, text));
    json_string_member(w, "last", time_text(c->last, text));
    json_raw_member(w, "approved", c->approved ? "true" : "false");
    json_string_member(w, "zone", p->zones[c->zone].id);
    json_close(w, '}');
}

static int write_conversations(const struct document *d, const struct conversation *const *list,
                               size_t count, FILE *to)
{
    char line[4096]; /* an element is bounded by its names: well below half of that */

    fputs(",\n\"conversations\":[", to);
    for (size_t i = 0; i < count; i++) {
        struct json_writer w = json_writer_over(line, sizeof line);

        set_conversation(&w, list[i], d->policy);
        assert(!w.full);
        fputs(i ? ",\n " : "\n ", to);
        fwrite(line, 1, w.used, to);
    }
    fputs("]", to);
    return ferror(to) ? SD_EIO : SD_OK;
}

static int write_events(const struct document *d, FILE *to)
{
    const struct record *r;

    fputs(",\n\"events\":[", to);
    for (size_t i = 0; (r = event_list_at(d->events, i)) != NULL; i++) {
        char *line = eve_render(r, d->policy);

        if (!line)
            return SD_EMEM;
        fprintf(to, "%s%s", i ? ",\n " : "\n ", line);
        free(line);
    }
    fputs("]}\n", to);
    return ferror(to) ? SD_EIO : SD_OK;
}

static int write_head(const struct document *d, const struct account_omitted *omitted, FILE *to)
{
    int status;

    fprintf(to, "{\"sealdns\":\"%s\"", SEALDNS_VERSION);
    status = write_element(capture_part(d), ",\n\"capture\":", to);
    if (status == SD_OK)
        status = write_element(dns_part(&d->result->stats), ",\n\"dns\":", to);
    if (status == SD_OK)
        status = write_element(counters_part(&d->result->stats), ",\n\"counters\":", to);
    if (status != SD_OK)
        return status;
    return write_element(
        json_pack("{s:I,s:I,s:I}", "conversations", (json_int_t)omitted->conversations, "queries",
                  (json_int_t)omitted->queries, "flows", (json_int_t)omitted->flows),
        ",\n\"omitted\":", to);
}

int document_json(const struct document *d, FILE *to)
{
    struct account_omitted omitted;
    const struct conversation **list;
    size_t count;
    int status = account_conversations(back_account(d->result->back), &list, &count, &omitted);

    if (status != SD_OK)
        return status;
    status = write_head(d, &omitted, to);
    if (status == SD_OK)
        status = write_conversations(d, list, count, to);
    free(list);
    return status == SD_OK ? write_events(d, to) : status;
}

static void text_head(const struct document *d, FILE *to)
{
    const struct stats *s = &d->result->stats;
    char first[TIME_TEXT], last[TIME_TEXT];

    fprintf(to, "%zu file%s, %" PRIu64 " packets, %" PRIu64 " bytes", d->files,
            d->files == 1 ? "" : "s", s->packets, s->bytes);
    if (d->result->first)
        fprintf(to, ", from %s to %s", time_text(d->result->first, first),
                time_text(d->result->last, last));
    fprintf(to,
            "\nDNS in clear text: %" PRIu64 " queries, %" PRIu64 " responses, %" PRIu64
            " malformed, %" PRIu64 " unanswered\n",
            s->dns_queries, s->dns_responses, s->dns_malformed, s->dns_unanswered);
    if (s->malformed || s->unsupported || s->truncated)
        fprintf(to,
                "Not read: %" PRIu64 " malformed frames, %" PRIu64 " unsupported, %" PRIu64
                " cut by the snap length\n",
                s->malformed, s->unsupported, s->truncated);
}

static void text_conversation(const struct conversation *c, const struct policy *p, FILE *to)
{
    char client[ADDR_TEXT], server[ADDR_TEXT];

    fprintf(
        to, "  %-15s -> %-15s %-5u %-8s %3u%% %6" PRIu64 " flows %8" PRIu64 "%s queries  %s%s\n",
        addr_text(&c->key.client, client), addr_text(&c->key.server, server), c->key.server_port,
        transport_name(c->key.transport), c->confidence, c->flows, c->queries,
        c->queries_estimated ? "~" : " ", p->zones[c->zone].id, c->approved ? ", approved" : "");
    if (c->name[0])
        fprintf(to, "    %s\n", c->name);
}

static void text_events(const struct document *d, FILE *to)
{
    const struct output_format *format = output_format_named("text");
    const struct record *r;

    fputs("Events:\n", to);
    for (size_t i = 0; (r = event_list_at(d->events, i)) != NULL; i++) {
        char *eve = eve_render(r, d->policy), *line = NULL;
        json_t *object = eve ? json_loads(eve, 0, NULL) : NULL;

        if (object)
            line = format->render(object);
        if (line)
            fprintf(to, "  %s\n", line);
        json_decref(object);
        free(line);
        free(eve);
    }
    if (!event_list_at(d->events, 0))
        fputs("  none\n", to);
}

int document_text(const struct document *d, FILE *to)
{
    struct account_omitted omitted;
    const struct conversation **list;
    size_t count;
    int status = account_conversations(back_account(d->result->back), &list, &count, &omitted);

    if (status != SD_OK)
        return status;
    text_head(d, to);
    fprintf(to, "Conversations: %zu\n", count);
    for (size_t i = 0; i < count; i++)
        text_conversation(list[i], d->policy, to);
    if (omitted.conversations)
        fprintf(to,
                "  and %" PRIu64 " of little activity, left out: %" PRIu64 " queries, %" PRIu64
                " flows\n",
                omitted.conversations, omitted.queries, omitted.flows);
    free(list);
    text_events(d, to);
    return ferror(to) ? SD_EIO : SD_OK;
}
