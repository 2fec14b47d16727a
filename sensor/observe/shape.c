#include "observe/shape.h"

#include "model/cipher_suite.h"
#include "observe/padding.h"

enum { FRAME_HEADER = 9 }; /* HTTP/2 (RFC 9113 4.1) */

unsigned shape_overhead(const struct flow *f)
{
    const struct tls_facts *facts = f->cold->facts;

    return suite_overhead(f->cold->tls.flags & TLS_13, facts ? facts->cipher : 0);
}

/* Some clients write the prefix of RFC 1035 4.2.2 in a record of its own: it belongs to the message
 * in the next one. */
static bool is_prefix(struct tls_flow *t, enum side sender, unsigned length, unsigned overhead)
{
    t->prefix[sender] = overhead && length == overhead + MESSAGE_PREFIX;
    return t->prefix[sender];
}

static void count(struct record_side *s, unsigned plain)
{
    uint16_t size = plain < UINT16_MAX ? (uint16_t)plain : UINT16_MAX;

    s->records++;
    s->octets += plain;
    if (s->smallest == 0 || size < s->smallest)
        s->smallest = size;
    if (size > s->largest)
        s->largest = size;
}

unsigned shape_record(struct flow *f, enum side sender, unsigned length)
{
    struct tls_flow *t = &f->cold->tls;
    struct record_side *s = sender == SIDE_CLIENT ? &t->shape.client : &t->shape.server;
    unsigned overhead = shape_overhead(f), messages;
    unsigned block = sender == SIDE_CLIENT ? PAD_QUERY : PAD_RESPONSE;
    unsigned around = f->transport == TRANSPORT_DOH2 ? FRAME_HEADER : MESSAGE_PREFIX;
    bool padded;

    if (t->prefix[sender])
        length += MESSAGE_PREFIX;
    if (is_prefix(t, sender, length, overhead))
        return 0;
    messages = record_messages(length, overhead, block, &padded);
    if (messages == 0)
        return 0;
    count(s, length - overhead);
    t->shape.exact = overhead != 0;
    if (around == FRAME_HEADER) {
        messages = 1;
        padded = overhead && (length - overhead - around) % block == 0;
    }
    s->messages += messages;
    s->padded += padded ? messages : 0;
    s->large += overhead && length - overhead >= messages * (RECORD_LARGE + around);
    return messages;
}

void shape_asked(struct cold *c, unsigned queries, nsec_t now)
{
    struct tls_flow *t = &c->tls;

    t->asked_at = queries == 1 && t->asked == t->answered ? now : 0;
}

void shape_answered(struct cold *c, unsigned answers, nsec_t now)
{
    struct tls_flow *t = &c->tls;
    nsec_t took = now - t->asked_at;
    uint8_t *bucket;

    if (t->asked_at == 0 || answers != 1)
        return;
    t->asked_at = 0;
    bucket = &t->shape.answer[latency_bucket(took < 4000 * NSEC_S ? (uint32_t)(took / NSEC_US)
                                                                  : UINT32_MAX)];
    *bucket += *bucket < UINT8_MAX;
}
