/* What is noted of each new name and of the answers. */
#include "detect/tunnel.h"

#define FIVE_MINUTES (300 * NSEC_S)
#define HOUR         (3600 * NSEC_S)
#define STREAM_GAP   (2 * NSEC_S)    /* a longer pause ends a stream */
#define AT_ONCE      (150 * NSEC_MS) /* the next name after an answer */
#define GAP_UNIT     (100 * NSEC_MS)
#define LONG_LABEL   48
#define QUESTION     16 /* header, type and class */

static void span_turn(struct suspect_span *span, uint32_t number)
{
    if (number == span->number)
        return;
    span->names_before = number == span->number + 1 ? span->names : 0;
    span->octets_before = number == span->number + 1 ? span->octets : 0;
    span->names = span->octets = 0;
    span->number = number;
}

static void span_add(struct suspect_span *span, uint32_t number, uint32_t octets)
{
    span_turn(span, number);
    span->names++;
    span->octets += octets;
}

uint32_t span_names(const struct suspect_span *span)
{
    return span->names + span->names_before;
}

uint32_t span_octets(const struct suspect_span *span)
{
    return span->octets + span->octets_before;
}

/* Shares follow what happens now; an hour ago counts half. */
static void halve(struct suspect *s)
{
    uint32_t *const counts[] = {&s->names,    &s->octets,  &s->coded_octets, &s->odd,
                                &s->exotic,   &s->carrier, &s->service,      &s->long_labels,
                                &s->prompt,   &s->repeats, &s->name_octets,  &s->answers,
                                &s->verdicts, &s->failures};

    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++)
        *counts[i] /= 2;
    s->extra /= 2;
    s->extra_squared /= 2;
    s->run_best_s /= 2;
    s->second_best /= 2;
}

static void note_time(struct suspect *s, nsec_t now)
{
    nsec_t gap = now - s->last;

    if (s->last) {
        s->gaps[s->gap_count % SUSPECT_GAPS] =
            (uint16_t)(gap > UINT16_MAX * GAP_UNIT ? UINT16_MAX : gap / GAP_UNIT);
        s->gap_count =
            (uint8_t)(s->gap_count + 1 < 2 * SUSPECT_GAPS ? s->gap_count + 1 : SUSPECT_GAPS);
    }
    if (!s->last || gap > STREAM_GAP)
        s->run_first = now;
    if ((now - s->run_first) / NSEC_S > s->run_best_s)
        s->run_best_s = (uint32_t)((now - s->run_first) / NSEC_S);
    if (s->second != (uint32_t)(now / NSEC_S))
        s->second_names = 0;
    s->second = (uint32_t)(now / NSEC_S);
    if (++s->second_names > s->second_best)
        s->second_best = s->second_names;
    s->prompt += s->answered && now - s->answered < AT_ONCE;
    s->last = now;
}

static enum suspect_type type_of(uint16_t qtype)
{
    switch (qtype) {
    case DNS_TYPE_A:
        return TYPE_A;
    case DNS_TYPE_AAAA:
        return TYPE_AAAA;
    case DNS_TYPE_TXT:
        return TYPE_TXT;
    case DNS_TYPE_CNAME:
        return TYPE_CNAME;
    case 15:
        return TYPE_MX;
    case 33:
        return TYPE_SRV;
    case DNS_TYPE_NULL:
        return TYPE_NULL;
    case 25:
        return TYPE_KEY;
    default:
        return qtype >= 65280 && qtype != UINT16_MAX ? TYPE_PRIVATE : TYPE_OTHER; /* RFC 6895 3.1 */
    }
}

static void note_type(struct suspect *s, uint16_t qtype)
{
    enum suspect_type type = type_of(qtype);

    s->types |= (uint16_t)(1U << type);
    s->exotic += type == TYPE_NULL || type == TYPE_KEY || type == TYPE_PRIVATE;
    s->carrier += type == TYPE_TXT || type == TYPE_CNAME || type == TYPE_MX || type == TYPE_SRV;
}

void tunnel_note_name(struct suspect *s, const struct observation *o, const struct shape *shape)
{
    const struct dns_message *m = &o->dns.message;
    uint32_t hour = (uint32_t)(o->time / HOUR);
    uint32_t octets = shape->service ? shape->information / 2U : shape->information;

    if (s->hour.number != hour && s->names)
        halve(s);
    span_add(&s->minutes, (uint32_t)(o->time / FIVE_MINUTES), octets);
    span_add(&s->hour, hour, octets);
    s->names++;
    s->octets += octets;
    s->coded_octets += shape->coded ? octets : 0;
    s->odd += shape->odd;
    s->service += shape->service;
    s->long_labels += shape->longest >= LONG_LABEL;
    s->name_octets += m->qname_length;
    if (shape->longest > s->longest_label)
        s->longest_label = shape->longest;
    if (m->qname_length > s->longest_name)
        s->longest_name = m->qname_length;
    if (shape->coded)
        s->evenness = (uint8_t)(shape->evenness / 10);
    s->clients |= 1U << (o->note.who * 2654435761U >> 27);
    note_type(s, m->qtype);
    note_time(s, o->time);
}

static bool is_verdict(const struct dns_message *m)
{
    static const uint8_t loopback[13] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};

    if (m->rcode == 3)
        return true;
    for (unsigned i = 0; i < sizeof loopback && m->address_count; i++)
        if (m->address[0].b[i] != loopback[i])
            return false;
    return m->address_count > 0; /* RFC 5782 2.1 */
}

void tunnel_note_answer(struct suspect *s, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    unsigned question = QUESTION + m->qname_length;
    float extra = m->length > question ? (float)(m->length - question) : 0;

    s->answered = o->time;
    s->answers++;
    if (is_verdict(m))
        s->verdicts++;
    if (m->rcode != 0) {
        s->failures++;
        return;
    }
    s->extra += extra;
    s->extra_squared += extra * extra;
}
