#include "probe/http2.h"

#include <assert.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { PATH_TEXT = 160 + QUESTION_BYTES * 4 / 3 + 8 };

struct http2 {
    nghttp2_session *session;
    int32_t stream;
    uint8_t request[QUESTION_BYTES];
    size_t request_length, request_sent;
    struct http2_reply reply;
};

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *context)
{
    static const char type[] = "application/dns-message";
    nghttp2_vec key = nghttp2_rcbuf_get_buf(name), text = nghttp2_rcbuf_get_buf(value);
    const uint8_t *v = text.base;
    struct http2 *h = context;

    (void)session;
    (void)flags;
    if (frame->hd.stream_id != h->stream)
        return 0;
    if (key.len == 7 && memcmp(key.base, ":status", 7) == 0 && text.len == 3)
        h->reply.status = (uint16_t)((v[0] - '0') * 100 + (v[1] - '0') * 10 + v[2] - '0');
    if (key.len == 12 && memcmp(key.base, "content-type", 12) == 0)
        h->reply.is_message = text.len >= sizeof type - 1 && memcmp(v, type, sizeof type - 1) == 0;
    return 0;
}

static int on_chunk(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                    size_t length, void *context)
{
    struct http2 *h = context;

    (void)session;
    (void)flags;
    if (stream != h->stream)
        return 0;
    if (length > sizeof h->reply.body - h->reply.length) {
        h->reply.too_much = true;
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    memcpy(h->reply.body + h->reply.length, bytes, length);
    h->reply.length += length;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *context)
{
    struct http2 *h = context;

    (void)session;
    (void)code;
    if (stream == h->stream)
        h->reply.ended = true;
    return 0;
}

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *to, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *context)
{
    struct http2 *h = context;
    size_t left = h->request_length - h->request_sent, n = left < size ? left : size;

    (void)session;
    (void)stream;
    (void)source;
    memcpy(to, h->request + h->request_sent, n);
    h->request_sent += n;
    if (h->request_sent == h->request_length)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static int make_session(struct http2 *h)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 8192}};
    nghttp2_session_callbacks *calls;
    int status;

    if (nghttp2_session_callbacks_new(&calls) != 0)
        return SD_EMEM;
    nghttp2_session_callbacks_set_on_header_callback2(calls, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
    status = nghttp2_session_client_new(&h->session, calls, h);
    nghttp2_session_callbacks_del(calls);
    if (status != 0)
        return SD_EMEM;
    status = nghttp2_submit_settings(h->session, NGHTTP2_FLAG_NONE, settings,
                                     sizeof settings / sizeof *settings);
    return status == 0 ? SD_OK : SD_EMEM;
}

struct http2 *http2_create(void)
{
    struct http2 *h = calloc(1, sizeof *h);

    if (h && make_session(h) == SD_OK)
        return h;
    http2_destroy(h);
    return NULL;
}

void http2_destroy(struct http2 *h)
{
    if (!h)
        return;
    nghttp2_session_del(h->session);
    free(h);
}

/* base64url without padding (RFC 8484 4.1.1, RFC 4648 5). */
static size_t base64url(const uint8_t *from, size_t length, char *to)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t used = 0;

    for (size_t i = 0; i < length; i += 3) {
        uint32_t three = (uint32_t)from[i] << 16;
        size_t left = length - i;

        three |= left > 1 ? (uint32_t)from[i + 1] << 8 : 0;
        three |= left > 2 ? from[i + 2] : 0;
        for (size_t k = 0; k < (left > 2 ? 4 : left + 1); k++)
            to[used++] = letters[three >> (18 - 6 * k) & 63];
    }
    to[used] = '\0';
    return used;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)name,
                        .value = (uint8_t *)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value)};
}

/* ":path" of a request, with the question in it when it goes by GET. */
static void path_text(bool get, const char *path, const uint8_t *message, size_t length,
                      char out[PATH_TEXT])
{
    size_t used = (size_t)snprintf(out, PATH_TEXT, "%.127s%s", path, get ? "?dns=" : "");

    if (get)
        base64url(message, length, out + used);
}

int http2_ask(struct http2 *h, bool get, const char *authority, const char *path,
              const uint8_t *message, size_t length)
{
    char whole[PATH_TEXT], count[16];
    nghttp2_data_provider body = {.read_callback = read_request};

    assert(length <= QUESTION_BYTES);
    path_text(get, path, message, length, whole);
    snprintf(count, sizeof count, "%zu", length);
    nghttp2_nv fields[] = {field(":method", get ? "GET" : "POST"),
                           field(":scheme", "https"),
                           field(":authority", authority),
                           field(":path", whole),
                           field("accept", "application/dns-message"),
                           field("content-type", "application/dns-message"),
                           field("content-length", count)};
    memset(&h->reply, 0, offsetof(struct http2_reply, body));
    memcpy(h->request, message, length);
    h->request_length = length;
    h->request_sent = 0;
    h->stream =
        nghttp2_submit_request(h->session, NULL, fields, get ? 5 : 7, get ? NULL : &body, h);
    return h->stream > 0 ? SD_OK : SD_EMEM;
}

int http2_output(struct http2 *h, const uint8_t **bytes)
{
    ssize_t n = nghttp2_session_mem_send(h->session, bytes);

    return n < 0 ? SD_EMALF : (int)n;
}

int http2_input(struct http2 *h, const uint8_t *bytes, size_t length)
{
    ssize_t n = nghttp2_session_mem_recv(h->session, bytes, length);

    if (n < 0 || (size_t)n != length)
        return SD_EMALF;
    if (!h->reply.ended && !nghttp2_session_want_read(h->session))
        return SD_EMALF; /* it said goodbye (GOAWAY) before it answered */
    return SD_OK;
}

const struct http2_reply *http2_reply(const struct http2 *h)
{
    return &h->reply;
}
