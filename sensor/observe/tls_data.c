#include "observe/tls_data.h"

#include <stdlib.h>

#include "observe/padding.h"
#include "observe/shape.h"
#include "observe/tell.h"

enum { HTTP_LEAST = 60, HTTP_MOST = 330 };      /* a record of a DoH request or answer */
enum { PREFACE_MOST = 110 };                    /* longer, and a request came with it */
enum { TICKET_LEAST = 100, TICKET_MOST = 600 }; /* NewSessionTicket, encrypted */
enum { TICKET_BLOCK = 16 };                     /* AES-CBC, RFC 5077 4 */

static void ask(struct cold *c, unsigned queries, nsec_t now)
{
    shape_asked(c, queries, now);
    c->tls.asked += queries;
    c->queries += queries;
}

/* Never more answers than queries: the rest is something else. now 0: nobody knows since when. */
static void answer(struct cold *c, uint32_t answers, nsec_t now)
{
    struct tls_flow *t = &c->tls;

    t->flags |= TLS_ANSWERED;
    t->waiting_since = 0;
    t->burst = 0;
    if (answers > t->asked - t->answered)
        answers = t->asked - t->answered;
    if (now)
        shape_answered(c, answers, now);
    t->answered += answers;
    c->responses += answers;
}

/* HTTP/2: the first record is the preface. A POST is two records in a row, headers and body; so of
 * records in a row every other one counts. */
static void client_http(struct cold *c, uint16_t length, nsec_t now)
{
    struct tls_flow *t = &c->tls;
    bool preface = !(t->flags & TLS_PREFACE_PASSED);

    t->flags |= TLS_PREFACE_PASSED;
    if (length < HTTP_LEAST || (preface ? length <= PREFACE_MOST : length > HTTP_MOST))
        return;
    if (t->burst++ % 2 == 0)
        ask(c, 1, now);
}

void tls_client_data(struct observer *o, struct flow *f, uint16_t length)
{
    struct tls_flow *t = &f->cold->tls;
    unsigned messages = shape_record(f, SIDE_CLIENT, length);

    if (messages == 0)
        return;
    t->flags |= TLS_ASKED;
    if (t->waiting_since == 0) {
        t->waiting_since = o->now;
        t->heard = false;
    }
    if (f->transport == TRANSPORT_DOT)
        ask(f->cold, messages, o->now);
    else if (f->transport == TRANSPORT_DOH2)
        client_http(f->cold, length, o->now);
}

static bool padded(const struct flow *f, uint16_t length)
{
    return (length - shape_overhead(f) - MESSAGE_PREFIX) % PAD_RESPONSE == 0;
}

/* One ticket in a hundred of OpenSSL's is a block longer or shorter than its twin: the random
 * number in it takes one octet more or less. */
static bool is_twin(const struct flow *f, uint16_t length)
{
    int apart = abs((int)length - (int)f->cold->tls.ticket);

    return apart == 0 || (apart == TICKET_BLOCK && !padded(f, length));
}

/* Servers of TLS 1.3 send two tickets, or one, before anything else. A first record that may be a
 * ticket is held until the next shows what it was. */
static bool is_ticket(struct observer *o, struct flow *f, uint16_t length)
{
    struct tls_flow *t = &f->cold->tls;
    bool second = t->ticket != 0 && is_twin(f, length);

    if (!(t->flags & TLS_13) || t->flags & TLS_TICKETS_PASSED)
        return false;
    if (t->ticket == 0 && length >= TICKET_LEAST && length <= TICKET_MOST && !padded(f, length)) {
        t->ticket = length;
        t->ticket_at = t->flags & TLS_ASKED ? o->now : 0;
        return true;
    }
    t->flags |= TLS_TICKETS_PASSED;
    t->ticket_at = 0;
    return second;
}

/* Whatever it is, the server is there. */
static void server_speaks(struct observer *o, struct flow *f)
{
    f->cold->tls.waiting_since = 0;
    if (!(f->flags & TOLD_WAITING))
        return;
    f->flags &= (uint16_t)~TOLD_WAITING;
    tell_waiting(o, f, FLOW_RESUMED, o->now, NULL);
}

void tls_server_data(struct observer *o, struct flow *f, uint16_t length)
{
    struct cold *c = f->cold;
    unsigned messages;

    if (f->stage == STAGE_WORKING && length >= RECORD_LEAST)
        server_speaks(o, f);
    if (length >= RECORD_LEAST && (is_ticket(o, f, length) || !(c->tls.flags & TLS_ASKED)))
        return;
    messages = shape_record(f, SIDE_SERVER, length);
    if (messages == 0)
        return;
    if (f->transport != TRANSPORT_DOH2)
        answer(c, messages, o->now);
    else if (length >= HTTP_LEAST && c->tls.asked > 0)
        answer(c, 1, o->now);
}

void tls_no_ticket(struct flow *f)
{
    struct tls_flow *t = &f->cold->tls;

    if (t->ticket_at == 0)
        return;
    t->ticket_at = 0;
    t->flags |= TLS_TICKETS_PASSED;
    shape_record(f, SIDE_SERVER, t->ticket);
    if (f->transport != TRANSPORT_DOH2 || t->asked > 0)
        answer(f->cold, 1, 0);
}
