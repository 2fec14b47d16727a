/* DNS in clear text over UDP (RFC 1035 4.2.1): asked three times, packets get lost. */
#include <errno.h>
#include <sys/socket.h>

#include "base/error.h"
#include "probe/session.h"

enum { TRIES = 3, STRAYS = 64 };

static int open_udp(struct session *s)
{
    return session_connect(s, SOCK_DGRAM);
}

static int read_answer(struct session *s, const struct question *q, struct answer *a)
{
    for (int i = 0; i < STRAYS; i++) {
        int got = wire_read(&s->wire, s->message, sizeof s->message);

        if (got < 0)
            return got;
        s->out->reached = true;
        if (answer_read(q, s->message, (size_t)got, a) == SD_OK)
            return SD_OK;
    }
    return SD_EMALF;
}

static int ask_udp(struct session *s, const struct question *q, struct answer *a)
{
    uint8_t message[QUESTION_BYTES];
    int length = question_write(q, message), status = SD_EAGAIN;
    nsec_t deadline = s->wire.deadline, part;

    if (length < 0)
        return length;
    s->asked = wire_now(&s->wire);
    part = (deadline - s->asked) / TRIES;
    for (int i = 0; status == SD_EAGAIN && i < TRIES; i++) {
        s->wire.deadline = i + 1 < TRIES ? s->asked + (i + 1) * part : deadline;
        errno = 0;
        status = wire_write(&s->wire, message, (size_t)length);
        if (status == SD_OK)
            status = read_answer(s, q, a);
    }
    s->wire.deadline = deadline;
    if (status == SD_EMALF)
        return session_fail(s, FAULT_BAD_ANSWER, "what it sends is no answer to the question");
    if (status != SD_OK)
        return session_fault(s, s->out->reached ? FAULT_BAD_ANSWER : FAULT_NO_ANSWER, status,
                             "waiting for the answer");
    session_answered(s, a);
    return SD_OK;
}

const struct probe_transport probe_transport_do53_udp = {
    .transport = TRANSPORT_DO53_UDP, .open = open_udp, .ask = ask_udp};
