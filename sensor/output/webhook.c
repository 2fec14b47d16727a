/* Events posted to somebody's HTTP endpoint: an array of documents (of text formats, an array of
 * strings), signed with HMAC-SHA256 over the body in the header X-Sealdns-Signature, so that a
 * receiver knows who sent it. Each event once and again when it became graver, unless the policy
 * wants all revisions. */
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "output/http.h"

struct webhook {
    struct http http;
    bool json; /* the lines are documents */
};

static void close_feed(void *state)
{
    struct webhook *w = state;

    http_close(&w->http);
    free(w);
}

static void *open_feed(const struct policy_output *config, char error[OUTPUT_ERROR])
{
    struct webhook *w = calloc(1, sizeof *w);

    if (!w)
        return NULL;
    w->json = strcmp(config->format, "text") != 0 && strcmp(config->format, "cef") != 0;
    if (http_open(&w->http, config, error) == SD_OK)
        return w;
    close_feed(w);
    return NULL;
}

static struct curl_slist *headers_of(const struct webhook *w, const char *body, size_t size,
                                     const char *key)
{
    struct curl_slist *list = curl_slist_append(NULL, "Content-Type: application/json");
    char text[128] = "X-Sealdns-Signature: sha256=";
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct hmac_sha256_ctx hmac;

    hmac_sha256_set_key(&hmac, strlen(w->http.secret), (const uint8_t *)w->http.secret);
    hmac_sha256_update(&hmac, size, (const uint8_t *)body);
    hmac_sha256_digest(&hmac, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(text + strlen(text), 3, "%02x", digest[i]);
    list = curl_slist_append(list, text);
    snprintf(text, sizeof text, "Idempotency-Key: %s", key);
    return curl_slist_append(list, text);
}

static void write_line(FILE *to, const struct webhook *w, const struct spool_line *line)
{
    json_t *string;
    char *quoted;

    if (w->json) {
        fputs(line->text, to);
        return;
    }
    string = json_string(line->text);
    quoted = json_dumps(string, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
    fputs(quoted ? quoted : "\"\"", to);
    free(quoted);
    json_decref(string);
}

static int post(void *context, struct output_batch *b, size_t count)
{
    struct webhook *w = context;
    struct curl_slist *headers;
    char *body = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&body, &size);
    int status = SD_EMEM;

    if (!to)
        return SD_EMEM;
    for (size_t i = 0; i < count; i++) {
        fputc(i ? ',' : '[', to);
        write_line(to, w, &b->lines[b->taken + i]);
    }
    fputc(']', to);
    if (fclose(to) == 0) {
        headers = headers_of(w, body, size, b->lines[b->taken].mark.key);
        status = http_post(&w->http, body, size, headers, b);
        curl_slist_free_all(headers);
    }
    free(body);
    return status;
}

static int deliver(void *state, struct output_batch *b)
{
    return http_deliver(b, state, post);
}

const struct output_feed feed_webhook = {.type = "webhook",
                                         .open = open_feed,
                                         .close = close_feed,
                                         .deliver = deliver,
                                         .acknowledges = true};
