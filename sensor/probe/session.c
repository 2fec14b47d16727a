#include "probe/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/text.h"

enum { STRAYS = 8 }; /* messages that answer another question, before we give up */

void session_start(struct session *s, const struct probe_target *t, const struct probe_terms *terms,
                   struct probe_observation *out)
{
    memset(s, 0, offsetof(struct session, message));
    s->target = t;
    s->wire = (struct wire){.descriptor = -1,
                            .deadline = terms->clock(terms->context) + terms->timeout,
                            .clock = terms->clock,
                            .context = terms->context};
    s->out = out;
}

int session_fail(struct session *s, enum resolver_fault fault, const char *format, ...)
{
    char text[256];
    va_list arguments;

    s->out->faults |= FAULT(fault);
    if (s->out->error[0])
        return SD_ENET;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    text_printable(text, sizeof text, s->out->error, sizeof s->out->error);
    return SD_ENET;
}

int session_fault(struct session *s, enum resolver_fault fault, int status, const char *what)
{
    if (status == SD_EAGAIN)
        return session_fail(s, fault, "%s: nothing more came in time", what);
    return session_fail(s, fault, "%s: %s", what, errno ? strerror(errno) : "the server hung up");
}

static uint32_t since(const struct session *s, nsec_t start)
{
    nsec_t passed = wire_now(&s->wire) - start;

    return passed < 0 ? 0
                      : (uint32_t)(passed / NSEC_US > UINT32_MAX ? UINT32_MAX : passed / NSEC_US);
}

int session_connect(struct session *s, int type)
{
    nsec_t start = wire_now(&s->wire);
    int status = wire_open(&s->wire, &s->target->server, s->target->port, type);

    if (status != SD_OK)
        return session_fault(s, FAULT_NO_CONNECTION, status, "connecting");
    if (type == SOCK_STREAM) {
        s->out->reached = true;
        s->out->connect_us = since(s, start);
    }
    return SD_OK;
}

int session_read(struct session *s, void *to, size_t size)
{
    int got;

    errno = 0;
    got = s->tls ? tls_read(s, to, size) : wire_read(&s->wire, to, size);
    if (got == 0) {
        errno = 0;
        got = SD_ENET;
    }
    if (got < 0)
        return session_fault(s, FAULT_NO_ANSWER, got, "waiting for the answer");
    s->received += (size_t)got;
    if (s->received > SESSION_OCTETS)
        return session_fail(s, FAULT_TOO_MUCH, "it sends without end: %zu octets and no answer",
                            s->received);
    return got;
}

int session_write(struct session *s, const void *from, size_t length)
{
    int status;

    errno = 0;
    status = s->tls ? tls_write(s, from, length) : wire_write(&s->wire, from, length);
    return status == SD_OK ? SD_OK : session_fault(s, FAULT_NO_ANSWER, status, "asking");
}

void session_answered(struct session *s, const struct answer *a)
{
    struct probe_observation *out = s->out;

    if (out->answer_length)
        return; /* the first answer is the one that counts */
    out->answer_us = since(s, s->asked);
    out->answer_length = a->length;
    out->padding = a->padding;
    out->rcode = a->rcode;
}

static int read_whole(struct session *s, uint8_t *to, size_t length)
{
    for (size_t have = 0; have < length;) {
        int got = session_read(s, to + have, length - have);

        if (got < 0)
            return got;
        have += (size_t)got;
    }
    return SD_OK;
}

int session_ask_stream(struct session *s, const struct question *q, struct answer *a)
{
    uint8_t question[2 + QUESTION_BYTES], head[2];
    int length = question_write(q, question + 2), status;

    if (length < 0)
        return length;
    question[0] = (uint8_t)(length >> 8);
    question[1] = (uint8_t)length;
    s->asked = wire_now(&s->wire);
    status = session_write(s, question, 2 + (size_t)length);
    for (int i = 0; status == SD_OK && i < STRAYS; i++) {
        status = read_whole(s, head, 2);
        length = head[0] << 8 | head[1];
        if (status == SD_OK)
            status = read_whole(s, s->message, (size_t)length);
        if (status == SD_OK && answer_read(q, s->message, (size_t)length, a) == SD_OK) {
            session_answered(s, a);
            return SD_OK;
        }
    }
    return status == SD_OK ? session_fail(s, FAULT_BAD_ANSWER,
                                          "what it sends is no answer to the "
                                          "question")
                           : status;
}
