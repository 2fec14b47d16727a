/* DNS over HTTPS (RFC 8484) with HTTP/2. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "probe/http2.h"
#include "probe/session.h"

enum { CHUNK = 16384 };

/* http/1.1 is offered only to hear which of the two it is: DoH wants HTTP/2 (RFC 8484 5.2). */
static int open_doh(struct session *s)
{
    static const unsigned char alpn[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    int status = session_connect(s, SOCK_STREAM);

    if (status == SD_OK)
        status = tls_open(s, alpn, sizeof alpn);
    if (status != SD_OK)
        return status;
    if (strcmp(s->out->alpn, "h2") != 0)
        return session_fail(s, FAULT_BAD_ANSWER, "it speaks HTTP/1 only, DoH wants HTTP/2");
    s->http2 = http2_create();
    return s->http2 ? SD_OK : SD_EMEM;
}

static int send_all(struct session *s)
{
    const uint8_t *bytes;
    int n;

    while ((n = http2_output(s->http2, &bytes)) > 0) {
        int status = session_write(s, bytes, (size_t)n);

        if (status != SD_OK)
            return status;
    }
    return n < 0 ? session_fail(s, FAULT_BAD_ANSWER, "the HTTP/2 session broke") : SD_OK;
}

static int exchange(struct session *s)
{
    const struct http2_reply *reply = http2_reply(s->http2);
    uint8_t chunk[CHUNK];
    int status = send_all(s);

    while (status == SD_OK && !reply->ended) {
        int got = session_read(s, chunk, sizeof chunk);
        bool broken = got > 0 && http2_input(s->http2, chunk, (size_t)got) != SD_OK;

        if (got < 0)
            return got;
        if (reply->too_much)
            return session_fail(s, FAULT_TOO_MUCH, "an answer of more than %d octets",
                                ANSWER_BYTES);
        if (broken && !reply->ended)
            return session_fail(s, FAULT_BAD_ANSWER, "what it sends is no HTTP/2");
        status = send_all(s);
    }
    return status;
}

static const char *authority(const struct session *s, char text[160])
{
    const struct probe_target *t = s->target;
    char address[ADDR_TEXT];

    if (t->name_count)
        snprintf(text, 160, "%s", t->name[0]);
    else
        snprintf(text, 160, addr_is_v4(&t->server) ? "%s" : "[%s]", addr_text(&t->server, address));
    if (t->port != 443)
        snprintf(text + strlen(text), 160 - strlen(text), ":%u", t->port);
    return text;
}

/* SD_EMALF: no answer of DNS, but the session lives. The message's ID is 0 (RFC 8484 4.1). */
static int ask_by(struct session *s, bool get, const struct question *q, struct answer *a)
{
    struct question zero = *q;
    const struct http2_reply *reply = http2_reply(s->http2);
    uint8_t message[QUESTION_BYTES];
    char text[160];
    int length, status;

    zero.id = 0;
    length = question_write(&zero, message);
    if (length < 0 || http2_ask(s->http2, get, authority(s, text), s->target->path, message,
                                (size_t)length) != SD_OK)
        return session_fail(s, FAULT_BAD_ANSWER, "it takes no further request");
    s->asked = wire_now(&s->wire);
    status = exchange(s);
    if (status != SD_OK)
        return status;
    if (!s->out->http_status || reply->status == 200)
        s->out->http_status = reply->status;
    if (reply->status != 200 || !reply->is_message ||
        answer_read(&zero, reply->body, reply->length, a) != SD_OK)
        return SD_EMALF;
    session_answered(s, a);
    return SD_OK;
}

/* The first question goes both ways: a server must know both (RFC 8484 4.1). */
static int ask_first(struct session *s, const struct question *q, struct answer *a)
{
    struct answer second;
    int post = ask_by(s, false, q, a), get;

    if (post != SD_OK && post != SD_EMALF)
        return post;
    s->out->post_works = post == SD_OK;
    get = ask_by(s, true, q, post == SD_OK ? &second : a);
    s->out->get_works = get == SD_OK;
    s->get = post != SD_OK;
    if (post == SD_OK || get == SD_OK) {
        s->out->faults |= post == SD_OK ? 0 : FAULT(FAULT_NO_POST);
        s->out->faults |= get == SD_OK ? 0 : FAULT(FAULT_NO_GET);
        return SD_OK;
    }
    if (get != SD_EMALF)
        return get;
    if (s->out->http_status == 200)
        return session_fail(s, FAULT_BAD_ANSWER, "what it sends at %s is no DNS message",
                            s->target->path);
    return session_fail(s, FAULT_BAD_ANSWER, "HTTP status %u at %s", s->out->http_status,
                        s->target->path);
}

static int ask_doh(struct session *s, const struct question *q, struct answer *a)
{
    int status;

    if (!s->out->post_works && !s->out->get_works)
        return ask_first(s, q, a);
    status = ask_by(s, s->get, q, a);
    return status == SD_EMALF
               ? session_fail(s, FAULT_BAD_ANSWER, "HTTP status %u", http2_reply(s->http2)->status)
               : status;
}

const struct probe_transport probe_transport_doh2 = {
    .transport = TRANSPORT_DOH2, .open = open_doh, .ask = ask_doh};
