/* DNS over dedicated QUIC connections (RFC 9250). */
#include <sys/socket.h>

#include "base/error.h"
#include "probe/quic.h"

static int open_doq(struct session *s)
{
    int status = session_connect(s, SOCK_DGRAM);

    return status == SD_OK ? quic_connect(s, "doq") : status;
}

/* The message's ID is 0 (RFC 9250 4.2.1). */
static int ask_doq(struct session *s, const struct question *q, struct answer *a)
{
    uint8_t octets[2 + QUESTION_BYTES];
    struct question zero = *q;
    int length;

    zero.id = 0;
    length = question_write(&zero, octets + 2);
    if (length < 0)
        return length;
    octets[0] = (uint8_t)(length >> 8);
    octets[1] = (uint8_t)length;
    s->asked = wire_now(&s->wire);
    length = quic_ask(s, octets, 2 + (size_t)length);
    if (length < 0)
        return length;
    if (answer_read(&zero, s->message, (size_t)length, a) != SD_OK)
        return session_fail(s, FAULT_BAD_ANSWER, "what it sends is no answer to the question");
    session_answered(s, a);
    return SD_OK;
}

const struct probe_transport probe_transport_doq = {
    .transport = TRANSPORT_DOQ, .one_version = true, .open = open_doq, .ask = ask_doq};
