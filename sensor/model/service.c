#include "model/service.h"

#include <string.h>

enum { HEAD = 5, ADDRESS = 16 }; /* length of the target, transports, port, number of hints */

/* Octets behind the question's name that are taken. */
static size_t taken(const struct dns_message *m)
{
    struct dns_service last;
    size_t at = 0;

    while (service_next(m, &at, &last))
        ;
    return at & 0xffff;
}

void service_put(struct dns_message *m, struct cursor target, const struct svcb *svcb)
{
    size_t used = taken(m), length = target.left;
    size_t need = HEAD + length + svcb->hint_count * (size_t)ADDRESS;
    uint8_t *to = m->qname + m->qname_length + used;
    const uint8_t *from = cursor_take(&target, length);

    if (used + need > (size_t)DNS_NAME_WIRE - m->qname_length || m->services == UINT8_MAX) {
        m->services_cut = true;
        return;
    }
    *to++ = (uint8_t)length;
    *to++ = (uint8_t)(svcb->transports >> TRANSPORT_DOT);
    *to++ = (uint8_t)(svcb->port >> 8);
    *to++ = (uint8_t)svcb->port;
    *to++ = svcb->hint_count;
    for (size_t i = 0; i < length; i++)
        *to++ = (uint8_t)(from[i] >= 'A' && from[i] <= 'Z' ? from[i] | 0x20 : from[i]);
    for (int i = 0; i < svcb->hint_count; i++, to += ADDRESS)
        memcpy(to, svcb->hint[i].b, ADDRESS);
    m->services++;
}

/* *at: octets that were read, and above 2^16 how many services that was. */
bool service_next(const struct dns_message *m, size_t *at, struct dns_service *out)
{
    size_t offset = m->qname_length + (*at & 0xffff);
    struct cursor c = cursor_over(m->qname, DNS_NAME_WIRE);

    if (*at >> 16 >= m->services || !cursor_skip(&c, offset))
        return false;
    out->target_length = cursor_u8(&c);
    out->svcb.transports = (uint32_t)cursor_u8(&c) << TRANSPORT_DOT;
    out->svcb.port = cursor_u16(&c);
    out->svcb.hint_count = cursor_u8(&c);
    out->target = cursor_take(&c, out->target_length);
    for (int i = 0; i < out->svcb.hint_count && i < SVCB_HINTS; i++) {
        const uint8_t *b = cursor_take(&c, ADDRESS);

        if (b)
            out->svcb.hint[i] = addr_v6(b);
    }
    if (!cursor_ok(&c))
        return false;
    *at = ((*at >> 16) + 1) << 16 | (size_t)(c.at - m->qname - m->qname_length);
    return true;
}
