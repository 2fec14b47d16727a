/* Batches posted to a receiver over HTTP or HTTPS, which answers for each. What unites ClickHouse
 * and webhooks. */
#ifndef SEALDNS_OUTPUT_HTTP_H
#define SEALDNS_OUTPUT_HTTP_H

#include <curl/curl.h>

#include "output/output.h"

#define SECRET_SIZE 256

struct http {
    CURL *curl;
    char url[1024];
    char secret[SECRET_SIZE]; /* first line of the file, "" none */
};

/* The first line of a file; path "": none. SD_ECONF. */
int http_secret(const char *path, char secret[SECRET_SIZE], char error[OUTPUT_ERROR]);
/* SD_ECONF: error says what to do. SD_EMEM. */
int http_open(struct http *h, const struct policy_output *config, char error[OUTPUT_ERROR]);
void http_close(struct http *h);

/* SD_OK: the receiver has it. SD_EMALF: it refuses this very body (400, 413, 415, 422). SD_EIO: it
 * can't now. b->error got one line. headers may be NULL. */
int http_post(struct http *h, const char *body, size_t size, struct curl_slist *headers,
              struct output_batch *b);

/* Posts a batch; one that is refused is halved until the one line that is meant is alone: that is
 * SD_EMALF, and it is the last that was taken. post: writes and posts count lines behind b->taken.
 */
int http_deliver(struct output_batch *b, void *context,
                 int (*post)(void *context, struct output_batch *b, size_t count));

#endif
