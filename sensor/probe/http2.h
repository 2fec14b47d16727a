/* The client's side of HTTP/2 (RFC 9113) for one question at a time, without a socket: octets in,
 * octets out. What a server may make it keep: one body of ANSWER_BYTES, one content type; the rest
 * is bounded by the library's own windows and tables (64 KiB, 4 KiB). */
#ifndef SEALDNS_PROBE_HTTP2_H
#define SEALDNS_PROBE_HTTP2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/question.h"

struct http2;

struct http2_reply {
    bool ended; /* the stream is closed: there is nothing more to wait for */
    bool too_much;
    uint16_t status; /* 0: none came */
    bool is_message; /* content type application/dns-message (RFC 8484 6) */
    size_t length;
    uint8_t body[ANSWER_BYTES];
};

/* NULL: no memory. */
struct http2 *http2_create(void);
void http2_destroy(struct http2 *h);
/* A DoH request (RFC 8484 4.1): GET with the message in the path, else POST. SD_EMEM. */
int http2_ask(struct http2 *h, bool get, const char *authority, const char *path,
              const uint8_t *message, size_t length);
/* What is to be sent now, or 0 octets. Borrowed until the next call. SD_EMALF: the session broke.
 */
int http2_output(struct http2 *h, const uint8_t **bytes);
/* SD_EMALF: this is no HTTP/2, or the server ended the session. */
int http2_input(struct http2 *h, const uint8_t *bytes, size_t length);
const struct http2_reply *http2_reply(const struct http2 *h);

#endif
