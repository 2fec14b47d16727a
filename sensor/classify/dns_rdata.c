/* A record's data against libknot's own description of its type (fixed blocks, names, the rest), so
 * that the walk and libknot say the same whatever version of it is installed. */
#include "classify/dns_rdata.h"

#include <libknot/descriptor.h>

#include "base/error.h"

enum { SVCB_ALPN = 1 };

static const knot_rdata_descriptor_t *descriptor_of(uint16_t type)
{
    const knot_rdata_descriptor_t *d = knot_get_rdata_descriptor(type);

    return d->type_name ? d : knot_get_obsolete_rdata_descriptor(type);
}

/* NAPTR (RFC 3403 4.1) up to its name: order, preference, three character strings. */
static int naptr_header(struct cursor *c)
{
    cursor_skip(c, 4);
    for (int i = 0; i < 3; i++)
        cursor_skip(c, cursor_u8(c));
    return cursor_ok(c) ? 0 : SD_EMALF;
}

static bool is_svcb(uint16_t type)
{
    return type == DNS_TYPE_SVCB || type == DNS_TYPE_HTTPS;
}

static int walk_name(struct dns_walk *w, struct cursor *c, int *growth)
{
    size_t before = c->left;
    int octets = dns_walk_name(w, c, NULL);

    if (octets < 0)
        return octets == SD_ELIMIT ? SD_ELIMIT : SD_EMALF;
    *growth += octets - (int)(before - c->left);
    return 0;
}

static int walk_block(struct dns_walk *w, int block, struct cursor *c, int *growth)
{
    switch (block) {
    case KNOT_RDATA_WF_FIXED_DNAME:
    case KNOT_RDATA_WF_COMPRESSIBLE_DNAME:
    case KNOT_RDATA_WF_DECOMPRESSIBLE_DNAME:
        return walk_name(w, c, growth);
    case KNOT_RDATA_WF_NAPTR_HEADER:
        return naptr_header(c);
    case KNOT_RDATA_WF_REMAINDER:
        return cursor_skip(c, c->left) ? 0 : SD_EMALF;
    default:
        return cursor_skip(c, (size_t)block) ? 0 : SD_EMALF;
    }
}

int dns_svcb_check(struct cursor c)
{
    cursor_skip(&c, 2); /* SvcPriority */
    for (uint8_t n = cursor_u8(&c); n != 0; n = cursor_u8(&c))
        cursor_skip(&c, n); /* TargetName, never compressed */
    if (!cursor_ok(&c))
        return 0; /* no parameters yet: libknot and tshark take it */
    while (c.left > 0 && cursor_ok(&c)) {
        uint16_t key = cursor_u16(&c);
        struct cursor value = cursor_sub(&c, cursor_u16(&c));

        while (key == SVCB_ALPN && value.left > 0 && cursor_ok(&value))
            cursor_skip(&value, cursor_u8(&value));
        if (!cursor_ok(&value))
            return SD_EMALF;
    }
    return cursor_ok(&c) ? 0 : SD_EMALF;
}

int dns_walk_rdata(struct dns_walk *w, uint16_t type, uint16_t class, const struct cursor *rdata)
{
    /* RFC 2136 2.4, 2.5: an update's prerequisites and deletions carry no data. */
    if (rdata->left == 0) {
        w->unsound |=
            class == KNOT_CLASS_IN && type != KNOT_RRTYPE_APL && descriptor_of(type)->type_name;
        return 0;
    }
    const knot_rdata_descriptor_t *d = descriptor_of(type);
    struct cursor c = *rdata;
    int growth = 0; /* by decompression */

    if (is_svcb(type) && dns_svcb_check(c) != 0)
        return SD_EMALF;
    for (const int *block = d->block_types; *block != KNOT_RDATA_WF_END; block++) {
        int error = walk_block(w, *block, &c, &growth);

        if (error)
            return error;
    }
    /* libknot holds the decompressed data against the record's length. */
    w->unsound |= growth < (int)c.left;
    return 0;
}
