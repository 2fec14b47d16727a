#include "observe/flow.h"

#include <endian.h>
#include <string.h>

/* As memcmp() has it, whose call costs more than it does. */
static bool precedes(const struct addr *a, const struct addr *b)
{
    size_t word = a->w[0] == b->w[0];

    return be64toh(a->w[word]) < be64toh(b->w[word]);
}

static void order(struct flow_key *key, const struct addr *src, const struct addr *dst,
                  const uint16_t port[2], bool *low)
{
    const struct addr *end[2] = {src, dst};
    size_t lower;

    *low = addr_equal(src, dst) ? port[0] <= port[1] : precedes(src, dst);
    lower = !*low;
    key->low = *end[lower];
    key->high = *end[!lower];
    key->low_port = port[lower];
    key->high_port = port[!lower];
}

struct flow_key flow_key_again(const struct flow *f)
{
    struct flow_key key = {.proto = 0};

    memcpy(&key, f, FLOW_KEY);
    return key;
}

void flow_key_of(const struct packet *p, struct flow_key *key, bool *low)
{
    const uint16_t port[2] = {p->sport, p->dport};

    *key = (struct flow_key){.tunnel = p->tunnel, .vlan = p->vlan, .proto = p->proto};
    order(key, &p->src, &p->dst, port, low);
}

void flow_key_quoted(const struct packet *p, struct flow_key *key, bool *low)
{
    const struct packet_quote *q = &p->quote;
    const uint16_t port[2] = {q->sport, q->dport};

    *key = (struct flow_key){.tunnel = p->tunnel, .vlan = p->vlan, .proto = q->proto};
    order(key, &q->src, &q->dst, port, low);
}
