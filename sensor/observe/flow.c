#include "observe/flow.h"

#include <string.h>

static void order(struct flow_key *key, const struct addr *src, const struct addr *dst,
                  const uint16_t port[2], bool *low)
{
    int relation = memcmp(src, dst, sizeof *src);

    *low = relation < 0 || (relation == 0 && port[0] <= port[1]);
    key->low = *low ? *src : *dst;
    key->high = *low ? *dst : *src;
    key->low_port = *low ? port[0] : port[1];
    key->high_port = *low ? port[1] : port[0];
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
