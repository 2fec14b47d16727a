#include "observe/classifying.h"

static bool open_state(struct observer *o, struct cold *c)
{
    if (c->classifying)
        return true;
    c->facts = pool_get(&o->facts);
    if (c->facts && o->classifying < o->classifying_limit)
        c->classifying = o->ops->flow_open(o->classifier);
    if (!c->classifying) {
        o->stats->flows_undecided++;
        c->answer = CLASSIFY_DONE;
        return false;
    }
    o->classifying++;
    return true;
}

void classifying_close(struct observer *o, struct cold *c)
{
    if (!c->classifying)
        return;
    c->guess = (uint8_t)o->ops->flow_guess(o->classifier, c->classifying);
    o->ops->flow_close(o->classifier, c->classifying);
    c->classifying = NULL;
    o->classifying--;
}

/* The packet as it would be if it carried just this piece from this side. */
static struct packet packet_of(const struct flow *f, const struct packet *p, enum side sender,
                               const struct stream_piece *piece)
{
    enum side receiver = sender == SIDE_CLIENT ? SIDE_SERVER : SIDE_CLIENT;
    struct packet slice = *p;

    slice.proto = f->proto;
    slice.src = *flow_addr(f, sender);
    slice.dst = *flow_addr(f, receiver);
    slice.sport = flow_port(f, sender);
    slice.dport = flow_port(f, receiver);
    slice.tcp_flags = TCP_ACK | TCP_PSH;
    slice.seq = piece->seq;
    slice.payload = piece->bytes;
    slice.payload_length = piece->length;
    slice.payload_missing = piece->missing;
    return slice;
}

void classifying_feed(struct observer *o, struct flow *f, const struct packet *p, enum side sender,
                      const struct stream_piece *piece)
{
    struct cold *c = f->cold;
    struct packet slice;

    if (c->answer != CLASSIFY_MORE || piece->length == 0 || !open_state(o, c))
        return;
    slice = packet_of(f, p, sender, piece);
    c->answer =
        (uint8_t)o->ops->flow_feed(o->classifier, c->classifying, &slice, sender == SIDE_CLIENT);
    o->ops->flow_facts(o->classifier, c->classifying, c->facts);
    c->classified_packets++;
    if (c->answer == CLASSIFY_MORE && c->classified_packets < CLASSIFY_PACKETS)
        return;
    o->stats->classified += c->answer != CLASSIFY_MORE;
    if (c->answer == CLASSIFY_MORE)
        c->answer = CLASSIFY_DONE;
    classifying_close(o, c);
}
