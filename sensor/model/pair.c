#include "model/pair.h"

#include <string.h>

#include "model/names.h"

/* Of one machine: neither "any" nor a group's. */
static bool is_unicast(const struct addr *a)
{
    if (addr_is_zero(a))
        return false;
    return addr_is_v4(a) ? a->b[12] != 0 && a->b[12] != 127 && a->b[12] < 224 : a->b[0] != 0xff;
}

bool pair_is_sound(const struct cut_pair *p)
{
    static const uint8_t zero[sizeof p->zero];

    return is_unicast(&p->client) && is_unicast(&p->server) &&
           addr_is_v4(&p->client) == addr_is_v4(&p->server) &&
           !addr_equal(&p->client, &p->server) && p->left_ms == 0 && p->station >> 48 == 0 &&
           (p->proof == PAIR_BY_NAME || p->proof == PAIR_BY_PROBE) &&
           (p->transport == TRANSPORT_DOH2 || p->transport == TRANSPORT_DOH3) &&
           memcmp(p->zero, zero, sizeof zero) == 0;
}
