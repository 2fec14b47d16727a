/* ClickHouse over HTTP: rows of packaging/clickhouse/schema.sql as JSONEachRow. A batch that comes
 * twice is told by (id, revision), which the table sorts and replaces by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "output/http.h"

struct clickhouse {
    struct http http;
    struct curl_slist *headers;
};

static bool is_table(const char *name)
{
    return name[0] &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") ==
               strlen(name);
}

static int add_query(struct http *h, const char *table, char error[OUTPUT_ERROR])
{
    char query[192], *whole = NULL;
    CURLU *url = curl_url();
    bool good;

    snprintf(query, sizeof query, "query=INSERT INTO %.128s FORMAT JSONEachRow", table);
    good = url && curl_url_set(url, CURLUPART_URL, h->url, 0) == CURLUE_OK &&
           curl_url_set(url, CURLUPART_QUERY, query, CURLU_APPENDQUERY | CURLU_URLENCODE) ==
               CURLUE_OK &&
           curl_url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK &&
           strlen(whole) < sizeof h->url;
    if (good)
        strcpy(h->url, whole);
    else
        snprintf(error, OUTPUT_ERROR, "%.150s is no URL that takes a query", h->url);
    curl_free(whole);
    curl_url_cleanup(url);
    return good ? SD_OK : SD_ECONF;
}

/* Out of the URL and of the command line of nobody: headers. */
static void add_header(struct clickhouse *c, const char *name, const char *value)
{
    char header[384];

    if (!value[0])
        return;
    snprintf(header, sizeof header, "%s: %s", name, value);
    c->headers = curl_slist_append(c->headers, header);
}

static void close_feed(void *state)
{
    struct clickhouse *c = state;

    http_close(&c->http);
    curl_slist_free_all(c->headers);
    free(c);
}

static void *open_feed(const struct policy_output *config, char error[OUTPUT_ERROR])
{
    struct clickhouse *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    if (!is_table(config->topic)) {
        snprintf(error, OUTPUT_ERROR, "`table` is letters, digits, _ and a dot, as sealdns.events");
    } else if (http_open(&c->http, config, error) == SD_OK &&
               add_query(&c->http, config->topic, error) == SD_OK) {
        add_header(c, "X-ClickHouse-User", config->user);
        add_header(c, "X-ClickHouse-Key", c->http.secret);
        return c;
    }
    close_feed(c);
    return NULL;
}

static int post(void *context, struct output_batch *b, size_t count)
{
    struct clickhouse *c = context;
    char *body = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&body, &size);
    int status = SD_EMEM;

    if (!to)
        return SD_EMEM;
    for (size_t i = 0; i < count; i++)
        fprintf(to, "%s\n", b->lines[b->taken + i].text);
    if (fclose(to) == 0)
        status = http_post(&c->http, body, size, c->headers, b);
    free(body);
    return status;
}

static int deliver(void *state, struct output_batch *b)
{
    return http_deliver(b, state, post);
}

const struct output_feed feed_clickhouse = {.type = "clickhouse",
                                            .format = "row",
                                            .open = open_feed,
                                            .close = close_feed,
                                            .deliver = deliver,
                                            .acknowledges = true};
