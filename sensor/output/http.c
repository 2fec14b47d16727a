#include "output/http.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "output/connection.h"

#define SAID 256 /* octets of an answer that are looked at */

struct answer {
    char text[SAID];
    size_t used;
};

int http_secret(const char *path, char secret[SECRET_SIZE], char error[OUTPUT_ERROR])
{
    FILE *from;
    bool got;

    if (!path[0])
        return SD_OK;
    from = fopen(path, "re");
    got = from && fgets(secret, SECRET_SIZE, from);
    if (from)
        fclose(from);
    secret[strcspn(secret, "\r\n")] = '\0';
    if (got && secret[0])
        return SD_OK;
    snprintf(error, OUTPUT_ERROR, "cannot read a secret from the first line of %.150s: %s", path,
             from ? "it is empty" : strerror(errno));
    return SD_ECONF;
}

/* What is more than we look at is taken and forgotten. */
static size_t take_answer(char *octets, size_t one, size_t count, void *context)
{
    struct answer *a = context;
    size_t room = sizeof a->text - 1 - a->used, size = one * count;

    memcpy(a->text + a->used, octets, size < room ? size : room);
    a->used += size < room ? size : room;
    a->text[a->used] = '\0';
    return size;
}

static int is_over(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct patience *p = context;

    (void)a, (void)b, (void)c, (void)d;
    return p->over(p->context);
}

static void set_options(CURL *curl, const struct policy_output *config)
{
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "sealdns/" SEALDNS_VERSION);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_over);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (config->ca[0])
        curl_easy_setopt(curl, CURLOPT_CAINFO, config->ca);
    if (config->certificate[0]) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, config->certificate);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, config->key);
    }
}

int http_open(struct http *h, const struct policy_output *config, char error[OUTPUT_ERROR])
{
    if (connection_check(config, error) != SD_OK ||
        http_secret(config->secret, h->secret, error) != SD_OK)
        return SD_ECONF;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(h->curl = curl_easy_init()))
        return SD_EMEM;
    text_copy(h->url, sizeof h->url, config->url);
    set_options(h->curl, config);
    return SD_OK;
}

void http_close(struct http *h)
{
    curl_easy_cleanup(h->curl);
    explicit_bzero(h->secret, sizeof h->secret);
}

static int judge(long code, const struct answer *a, char error[OUTPUT_ERROR])
{
    if (code >= 200 && code < 300)
        return SD_OK;
    snprintf(error, OUTPUT_ERROR, "the receiver answered %ld: %.*s", code,
             (int)strcspn(a->text, "\r\n") < 150 ? (int)strcspn(a->text, "\r\n") : 150, a->text);
    return code == 400 || code == 413 || code == 415 || code == 422 ? SD_EMALF : SD_EIO;
}

int http_post(struct http *h, const char *body, size_t size, struct curl_slist *headers,
              struct output_batch *b)
{
    char reason[CURL_ERROR_SIZE] = "";
    struct answer a = {.used = 0};
    long code = 0;
    CURLcode status;

    curl_easy_setopt(h->curl, CURLOPT_URL, h->url);
    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &a);
    curl_easy_setopt(h->curl, CURLOPT_XFERINFODATA, &b->patience);
    status = curl_easy_perform(h->curl);
    curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, NULL);
    if (status != CURLE_OK) {
        snprintf(b->error, sizeof b->error, "%.200s",
                 reason[0] ? reason : curl_easy_strerror(status));
        return SD_EIO;
    }
    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &code);
    return judge(code, &a, b->error);
}

int http_deliver(struct output_batch *b, void *context,
                 int (*post)(void *context, struct output_batch *b, size_t count))
{
    size_t at_once = b->count;
    int status = SD_OK;

    while (b->taken < b->count) {
        at_once = at_once < b->count - b->taken ? at_once : b->count - b->taken;
        status = post(context, b, at_once);
        if (status == SD_EMALF && at_once > 1) {
            at_once = (at_once + 1) / 2;
            continue;
        }
        if (status == SD_OK || status == SD_EMALF)
            b->taken += at_once;
        if (status != SD_OK)
            return status;
    }
    return SD_OK;
}
