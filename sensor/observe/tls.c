#include "observe/tls.h"

#include "observe/behaviour.h"
#include "observe/classifying.h"
#include "observe/flows.h"
#include "observe/identify.h"
#include "observe/shape.h"
#include "observe/tls_data.h"

enum { LOOKS_MOST = 64 }; /* packets of a flow that is not known to be DNS */
/* TLS 1.2: Finished, encrypted. Longer behind a CCS are the hellos after a HelloRetryRequest. */
enum { FINISHED_MOST = 100 };
enum { REJECTION_LENGTH = 19 }; /* TLS 1.3: an alert, encrypted */
enum { OVERHEAD_13 = 17 };      /* of most suites of TLS 1.3 */
enum {
    LEVEL_FATAL = 2,
    ALERT_CLOSE = 0,
    ALERT_CERTIFICATE_FIRST = 42,
    ALERT_UNKNOWN_CA = 48,
    ALERT_CERTIFICATE_LAST = 46,
    ALERT_VERSION = 70,
    ALERT_SECURITY = 71,
    ALERT_CANCELED = 90
};

#define TICKET_PATIENCE NSEC_S /* between the two tickets of a server */

struct reading {
    struct observer *o;
    struct flow *f;
    struct tls_flow *t;
    enum side sender;
};

static void timed(struct observer *o, struct flow *f)
{
    struct tls_flow *t = &f->cold->tls;
    nsec_t took = o->now - f->first;

    if (t->flags & TLS_TIMED || !(t->flags & TLS_FINISHED) || !(f->flags & FROM_START) ||
        !(t->flags & (TLS_13 | TLS_SERVER_FINISHED)))
        return;
    t->flags |= TLS_TIMED;
    f->cold->handshake_us = took < 4000 * NSEC_S ? (uint32_t)(took / NSEC_US) : UINT32_MAX;
}

/* Watched for how the flow behaves. */
static void watch_record(const struct reading *r, enum side sender, uint16_t length)
{
    unsigned overhead = shape_overhead(r->f);

    if (r->f->cold->watching != WATCH_OVER)
        behaviour_record(r->o, r->f, sender,
                         overhead && length > overhead ? length - overhead + OVERHEAD_13 : length);
}

static void client_protected(struct reading *r, uint16_t length)
{
    struct tls_flow *t = r->t;

    if (t->flags & TLS_13 && t->flags & TLS_HELLO && !(t->flags & TLS_FINISHED)) {
        if (length == REJECTION_LENGTH) {
            t->flags |= TLS_REJECTED;
            return;
        }
        t->flags |= TLS_FINISHED;
        t->waiting_since = 0;
        return;
    }
    watch_record(r, SIDE_CLIENT, length);
    tls_client_data(r->o, r->f, length);
}

static void client_record(struct reading *r, const struct tls_record *record)
{
    struct tls_flow *t = r->t;

    if (record->type == TLS_CCS) {
        t->flags |= TLS_CLIENT_CCS;
    } else if (record->type == TLS_DATA) {
        client_protected(r, record->length);
    } else if (record->type == TLS_HANDSHAKE) {
        if (!(t->flags & TLS_HELLO))
            t->waiting_since = r->o->now;
        if (t->flags & TLS_CLIENT_CCS && t->flags & TLS_SERVER_HELLO && !(t->flags & TLS_13) &&
            record->length <= FINISHED_MOST) {
            t->flags |= TLS_FINISHED;
            t->waiting_since = 0;
        }
        t->flags |= TLS_HELLO;
    }
}

/* The server's encrypted handshake, tickets, or what may be answers. */
static void server_protected(struct reading *r, uint16_t length)
{
    struct tls_flow *t = r->t;

    if (t->flags & TLS_HELLO && !(t->flags & (TLS_FINISHED | TLS_SERVER_FINISHED))) {
        t->flags |= TLS_13;
        return;
    }
    watch_record(r, SIDE_SERVER, length);
    tls_server_data(r->o, r->f, length);
}

static void server_record(struct reading *r, const struct tls_record *record)
{
    struct tls_flow *t = r->t;

    if (record->type == TLS_CCS) {
        t->flags |= TLS_SERVER_CCS;
    } else if (record->type == TLS_DATA) {
        server_protected(r, record->length);
    } else if (record->type == TLS_HANDSHAKE) {
        t->flags |= TLS_SERVER_HELLO;
        if (t->flags & TLS_SERVER_CCS && record->length <= FINISHED_MOST)
            t->flags |= TLS_SERVER_FINISHED;
    }
    if (t->flags & TLS_HELLO && !(t->flags & TLS_FINISHED))
        t->waiting_since = r->o->now;
}

static void take_record(void *context, const struct tls_record *record)
{
    struct reading *r = context;
    struct tls_flow *t = r->t;

    if (record->type == TLS_ALERT) {
        if (!t->alert_seen || t->alert_level != LEVEL_FATAL) {
            t->alert_seen = true;
            t->alert = record->alert;
            t->alert_level = record->alert_level;
            t->alert_from_client = r->sender == SIDE_CLIENT;
        }
    } else if (r->sender == SIDE_CLIENT) {
        client_record(r, record);
    } else {
        server_record(r, record);
    }
    timed(r->o, r->f);
}

void tls_piece(struct observer *o, struct flow *f, const struct packet *p, enum side sender,
               const struct stream_piece *piece)
{
    struct tls_flow *t = &f->cold->tls;
    struct reading r = {o, f, t, sender};

    if (t->meter[sender].state == METER_FRESH && !(f->flags & FROM_START) && piece->length > 0 &&
        !tls_begins(piece->bytes, piece->length))
        meter_begin_lost(&t->meter[sender]);
    meter_feed(&t->meter[sender], piece, (struct meter_reader){take_record, &r});
    if (t->meter[sender].state == METER_RUNNING || t->meter[sender].state == METER_FRESH)
        classifying_feed(o, f, p, sender, piece);
}

static enum cause cause_of_alert(uint8_t alert)
{
    if ((alert >= ALERT_CERTIFICATE_FIRST && alert <= ALERT_CERTIFICATE_LAST) ||
        alert == ALERT_UNKNOWN_CA)
        return CAUSE_CERTIFICATE;
    return alert == ALERT_VERSION || alert == ALERT_SECURITY ? CAUSE_VERSION : CAUSE_TLS_ALERT;
}

static bool alert_fails(const struct tls_flow *t)
{
    if (!t->alert_seen || t->flags & TLS_FINISHED || t->alert == ALERT_CLOSE ||
        t->alert == ALERT_CANCELED)
        return false;
    return t->alert_level == LEVEL_FATAL || t->alert_from_client;
}

/* Who brought a fault about, as far as the flow tells: a rejected certificate has two who may. */
static uint8_t origin_of(enum cause cause, bool from_client)
{
    if (cause == CAUSE_CERTIFICATE)
        return ORIGIN_UNKNOWN;
    return from_client ? ORIGIN_CLIENT : ORIGIN_SERVER;
}

/* The handshake was refused by somebody. */
static bool settle_fault(struct observer *o, struct flow *f, const struct packet *p)
{
    struct tls_flow *t = &f->cold->tls;
    struct fault fault = {.ttl = p->ttl};

    if (f->stage != STAGE_OPEN && f->stage != STAGE_TRYING)
        return false;
    if (t->flags & TLS_REJECTED) {
        fault.cause = CAUSE_CERTIFICATE;
        fault.from_client = true;
        fault.alert = 255;
    } else if (alert_fails(t)) {
        fault.cause = (uint8_t)cause_of_alert(t->alert);
        fault.from_client = t->alert_from_client;
        fault.alert = t->alert;
    } else if (t->meter[SIDE_SERVER].state == METER_NOT_TLS &&
               (t->flags & TLS_HELLO || f->transport == TRANSPORT_DOT)) {
        fault.cause = CAUSE_NOT_TLS;
    } else {
        return false;
    }
    fault.origin = origin_of(fault.cause, fault.from_client);
    flows_fail_end(o, f, &fault);
    return true;
}

/* Names the flow once enough of it was seen. */
static void settle_name(struct observer *o, struct flow *f)
{
    struct cold *c = f->cold;
    struct tls_flow *t = &c->tls;
    bool tls = t->flags & (TLS_HELLO | TLS_SERVER_HELLO | TLS_ASKED);
    bool over = c->answer != CLASSIFY_MORE;

    if (!(f->flags & NAMED)) {
        if (t->meter[SIDE_CLIENT].state == METER_NOT_TLS ||
            (t->meter[SIDE_SERVER].state == METER_NOT_TLS && !tls && f->transport != TRANSPORT_DOT))
            identify(o, f, SEEN_OTHER);
        else if (tls && (over || (c->facts && c->facts->hello_seen)))
            identify(o, f, SEEN_TLS);
        else
            return;
    }
    if (over || f->transport < TRANSPORT_TLS || f->transport == TRANSPORT_OTHER)
        tell_identified(o, f);
}

/* Reading goes on for DNS; of anything else it ends when all is known, or never will be. */
static bool read_enough(const struct flow *f)
{
    const struct cold *c = f->cold;

    if (f->transport == TRANSPORT_DOT || f->transport == TRANSPORT_DOH2 || behaviour_watches(c))
        return false;
    if (f->transport == TRANSPORT_OTHER || c->looks >= LOOKS_MOST)
        return true;
    return f->transport == TRANSPORT_TLS && f->stage == STAGE_WORKING && c->answer != CLASSIFY_MORE;
}

void tls_settle(struct observer *o, struct flow *f, const struct packet *p)
{
    struct tls_flow *t = &f->cold->tls;

    settle_name(o, f);
    if (settle_fault(o, f, p))
        return;
    if (t->flags & TLS_ANSWERED && f->stage != STAGE_WORKING && f->flags & NAMED)
        tell_established(o, f);
    f->cold->looks += f->cold->looks < LOOKS_MOST && p->payload_length > 0;
    if (!read_enough(f))
        return;
    identify_at_last(o, f);
    if (f->transport != TRANSPORT_UNKNOWN)
        tell_identified(o, f);
    f->flags |= COUNTING;
}

void tls_last_word(struct observer *o, struct flow *f)
{
    tls_no_ticket(f);
    if (f->cold->tls.flags & TLS_ANSWERED && f->flags & NAMED)
        tell_established(o, f);
}

enum cause tls_cause_of_end(const struct flow *f, enum side sender, bool reset)
{
    const struct tls_flow *t = &f->cold->tls;
    enum cause cut = reset && sender == SIDE_SERVER ? CAUSE_RESET : CAUSE_NO_ANSWER;

    if (!(t->flags & TLS_HELLO))
        return reset && !(f->flags & (CLIENT_SPOKE | SERVER_SPOKE)) ? CAUSE_RESET : CAUSE_NONE;
    if (!(f->flags & SERVER_SPOKE))
        return cut;
    if (!(t->flags & TLS_FINISHED))
        return sender == SIDE_CLIENT && t->flags & TLS_SERVER_HELLO ? CAUSE_CERTIFICATE : cut;
    if (!(t->flags & TLS_ASKED))
        return reset && sender == SIDE_SERVER ? CAUSE_RESET : CAUSE_NONE;
    return t->flags & TLS_ANSWERED ? CAUSE_NONE : cut;
}

static bool is_sealed_dns(const struct flow *f)
{
    return f->transport == TRANSPORT_DOT || f->transport == TRANSPORT_DOH2;
}

void tls_stalled(struct observer *o, struct flow *f, struct fault *fault)
{
    struct tls_flow *t = &f->cold->tls;
    nsec_t since = t->waiting_since;

    if (since == 0 || f->stage != STAGE_WORKING || !is_sealed_dns(f))
        return;
    if (fault->cause == CAUSE_NONE) {
        if (!(f->flags & TOLD_WAITING))
            return; /* hardly time enough for an answer */
        fault->cause = t->heard ? CAUSE_NO_ANSWER : CAUSE_TIMEOUT;
    }
    t->waiting_since = 0;
    tell_waiting(o, f, FLOW_STALLED, since, fault);
}

/* Encrypted DNS has worked here. Silence at the TCP level says more than a late answer. */
static nsec_t check_working(struct observer *o, struct flow *f)
{
    struct tls_flow *t = &f->cold->tls;
    nsec_t waits = o->now - t->waiting_since;
    nsec_t most = t->heard ? FLOW_STALL_TIME : FLOW_ANSWER_TIME;

    if (t->waiting_since == 0 || !is_sealed_dns(f))
        return 60 * NSEC_S;
    if (waits < FLOW_WAIT_TIME)
        return FLOW_WAIT_TIME - waits;
    if (!(f->flags & TOLD_WAITING)) {
        f->flags |= TOLD_WAITING;
        tell_waiting(o, f, FLOW_WAITING, t->waiting_since, NULL);
    }
    if (waits < most)
        return most - waits;
    tls_stalled(o, f, &(struct fault){.origin = ORIGIN_UNKNOWN});
    return 60 * NSEC_S;
}

nsec_t tls_check(struct observer *o, struct flow *f)
{
    struct tls_flow *t = &f->cold->tls;
    nsec_t left = t->waiting_since + FLOW_STALL_TIME - o->now;

    settle_name(o, f);
    if (t->ticket_at != 0 && o->now - t->ticket_at >= TICKET_PATIENCE)
        tls_last_word(o, f);
    if (t->ticket_at != 0)
        return TICKET_PATIENCE;
    if (f->stage == STAGE_WORKING)
        return check_working(o, f);
    if (t->waiting_since == 0 || f->stage != STAGE_OPEN)
        return 60 * NSEC_S;
    if (left > 0)
        return left;
    t->waiting_since = 0;
    if (f->flags & FROM_START)
        flows_fail(o, f, &(struct fault){.cause = CAUSE_NO_ANSWER, .origin = ORIGIN_UNKNOWN});
    return 60 * NSEC_S;
}
