/* Interval sets of one field hold borders: a start, and behind the end an element marked
 * NFT_SET_ELEM_INTERVAL_END (none where the range ends with the address space). Those of several
 * fields hold start and end in one element. */
#include "enforce/element.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <libnftnl/set.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/flatten.h"

/* nft's numbers of the types, by which its listing knows how to word an element. */
enum {
    TYPE_IPV4 = 7,
    TYPE_IPV6 = 8,
    TYPE_ETHER = 9,
    TYPE_SERVICE = 13,
    TYPE_BITS = 6,
    BORDER_END = UINT16_MAX, /* in set_element.port, while borders are collected */
};

#define FLAG_CONCAT 0x80u /* NFT_SET_CONCAT, of newer headers */

static uint32_t size_of(const struct set *s)
{
    return s->kind == SET_STATION ? 6 : s->v4 ? 4 : 16;
}

/* Its elements are of two addresses. */
static bool joins(const struct set *s)
{
    return s->kind == SET_PAIR || s->kind == SET_PAIRED;
}

static const uint8_t *bytes_of(const struct set *s, const struct addr *a)
{
    return a->b + 16 - size_of(s);
}

int set_encode(const struct set *s, struct nftnl_set *out)
{
    uint32_t type = s->v4 ? TYPE_IPV4 : TYPE_IPV6, size = size_of(s), flags = 0;
    uint8_t fields[2] = {(uint8_t)size, (uint8_t)size};

    if (s->kind == SET_PORT) {
        type = TYPE_SERVICE;
        size = 2;
    }
    if (s->kind == SET_STATION)
        type = TYPE_ETHER;
    if (s->kind == SET_RANGE || s->kind == SET_PAIR || s->kind == SET_ZONES)
        flags |= NFT_SET_INTERVAL;
    if (s->timed)
        flags |= NFT_SET_TIMEOUT;
    if (s->kind == SET_ZONES) {
        flags |= NFT_SET_MAP;
        nftnl_set_set_u32(out, NFTNL_SET_DATA_TYPE, NFT_DATA_VERDICT);
        nftnl_set_set_u32(out, NFTNL_SET_DATA_LEN, 16);
    }
    if (joins(s)) {
        type = type << TYPE_BITS | type;
        size *= 2;
    }
    if (s->kind == SET_PAIR) {
        flags |= FLAG_CONCAT;
        if (nftnl_set_set_data(out, NFTNL_SET_DESC_CONCAT, fields, sizeof fields) != 0)
            return SD_EMEM;
    }
    nftnl_set_set_u32(out, NFTNL_SET_FLAGS, flags);
    nftnl_set_set_u32(out, NFTNL_SET_KEY_TYPE, type);
    nftnl_set_set_u32(out, NFTNL_SET_KEY_LEN, size);
    if (nftnl_set_set_str(out, NFTNL_SET_TABLE, RULESET_TABLE) != 0 ||
        nftnl_set_set_str(out, NFTNL_SET_NAME, s->name) != 0)
        return SD_EMEM;
    return SD_OK;
}

static struct nftnl_set_elem *append(struct nftnl_set *out, const void *key, uint32_t size)
{
    struct nftnl_set_elem *e = nftnl_set_elem_alloc();

    if (!e)
        return NULL;
    nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY, key, size);
    nftnl_set_elem_add(out, e);
    return e;
}

static void put_timeout(struct nftnl_set_elem *e, const struct set_element *from)
{
    if (from->timeout_ms)
        nftnl_set_elem_set_u64(e, NFTNL_SET_ELEM_TIMEOUT, from->timeout_ms);
}

static bool encode_pair(const struct set *s, const struct set_element *from, struct nftnl_set *out)
{
    uint8_t key[32], key_end[32];
    uint32_t size = size_of(s);
    struct nftnl_set_elem *e;

    memcpy(key, bytes_of(s, &from->low), size);
    memcpy(key + size, bytes_of(s, &from->server), size);
    memcpy(key_end, bytes_of(s, &from->high), size);
    memcpy(key_end + size, bytes_of(s, &from->server), size);
    e = append(out, key, 2 * size);
    if (!e)
        return false;
    if (s->kind == SET_PAIR)
        nftnl_set_elem_set(e, NFTNL_SET_ELEM_KEY_END, key_end, 2 * size);
    put_timeout(e, from);
    return true;
}

static bool is_last_address(const struct set *s, const struct addr *a)
{
    static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
                                     255, 255, 255, 255, 255, 255, 255, 255};

    return memcmp(bytes_of(s, a), ones, size_of(s)) == 0;
}

static bool encode_range(const struct ruleset *r, const struct set *s,
                         const struct set_element *from, struct nftnl_set *out)
{
    struct nftnl_set_elem *e = append(out, bytes_of(s, &from->low), size_of(s));
    struct addr behind = addr_next(&from->high);

    if (!e)
        return false;
    put_timeout(e, from);
    if (s->kind == SET_ZONES) {
        nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_VERDICT, (uint32_t)NFT_GOTO);
        nftnl_set_elem_set_str(e, NFTNL_SET_ELEM_CHAIN, r->chains[from->chain].name);
    }
    if (is_last_address(s, &from->high))
        return true;
    e = append(out, bytes_of(s, &behind), size_of(s));
    if (e)
        nftnl_set_elem_set_u32(e, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
    return e != NULL;
}

static bool encode_station(const struct set *s, const struct set_element *from,
                           struct nftnl_set *out)
{
    struct nftnl_set_elem *e = append(out, bytes_of(s, &from->low), size_of(s));

    if (e)
        put_timeout(e, from);
    return e != NULL;
}

static bool encode_element(const struct ruleset *r, const struct set *s,
                           const struct set_element *from, struct nftnl_set *out)
{
    uint16_t port = htons(from->port);

    if (s->kind == SET_PORT)
        return append(out, &port, sizeof port) != NULL;
    if (s->kind == SET_ADDRESS)
        return append(out, bytes_of(s, &from->low), size_of(s)) != NULL;
    if (s->kind == SET_STATION)
        return encode_station(s, from, out);
    if (joins(s))
        return encode_pair(s, from, out);
    return encode_range(r, s, from, out);
}

int elements_encode(const struct ruleset *r, const struct set *s, size_t *at, struct nftnl_set *out)
{
    size_t end = s->count - *at > ELEMENTS_PER_MESSAGE ? *at + ELEMENTS_PER_MESSAGE : s->count;

    if (nftnl_set_set_str(out, NFTNL_SET_TABLE, RULESET_TABLE) != 0 ||
        nftnl_set_set_str(out, NFTNL_SET_NAME, s->name) != 0)
        return SD_EMEM;
    while (*at < end)
        if (!encode_element(r, s, s->elements + (*at)++, out))
            return SD_EMEM;
    return SD_OK;
}

void set_decode(const struct nftnl_set *in, struct set *out)
{
    uint32_t flags = nftnl_set_get_u32(in, NFTNL_SET_FLAGS);
    uint32_t type = nftnl_set_get_u32(in, NFTNL_SET_KEY_TYPE);
    bool map = flags & NFT_SET_MAP, interval = flags & NFT_SET_INTERVAL;

    out->kind = SET_FOREIGN;
    out->timed = flags & NFT_SET_TIMEOUT;
    out->v4 = type == TYPE_IPV4 || type == (TYPE_IPV4 << TYPE_BITS | TYPE_IPV4);
    if (type == TYPE_SERVICE && !map && !interval) {
        out->kind = SET_PORT;
        out->v4 = true;
    } else if (type == TYPE_ETHER && !map && !interval) {
        out->kind = SET_STATION;
    } else if (type == TYPE_IPV4 || type == TYPE_IPV6) {
        if (!map)
            out->kind = interval ? SET_RANGE : SET_ADDRESS;
        else if (interval && nftnl_set_get_u32(in, NFTNL_SET_DATA_TYPE) == NFT_DATA_VERDICT)
            out->kind = SET_ZONES;
    } else if ((out->v4 || type == (TYPE_IPV6 << TYPE_BITS | TYPE_IPV6)) && !map)
        out->kind = interval ? SET_PAIR : SET_PAIRED;
}

static struct addr addr_of(const struct set *s, const uint8_t *bytes)
{
    uint64_t station = 0;

    if (s->kind != SET_STATION)
        return s->v4 ? addr_v4(bytes) : addr_v6(bytes);
    for (int i = 0; i < 6; i++)
        station = station << 8 | bytes[i];
    return addr_of_station(station);
}

static uint16_t chain_of(const struct ruleset *r, struct nftnl_set_elem *e)
{
    const char *name = nftnl_set_elem_get_str(e, NFTNL_SET_ELEM_CHAIN);
    int chain = name ? ruleset_chain_named(r, name) : -1;

    if (chain < 0 || (int)nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_VERDICT) != NFT_GOTO)
        return CHAIN_OTHER;
    return (uint16_t)chain;
}

static void decode_pair(const struct set *s, const uint8_t *key, const uint8_t *key_end,
                        struct set_element *out)
{
    uint32_t size = size_of(s);

    out->low = addr_of(s, key);
    out->server = addr_of(s, key + size);
    out->high = key_end ? addr_of(s, key_end) : out->low;
}

/* What is left of its time; 0: it has no end. */
static uint64_t left_of(struct nftnl_set_elem *e)
{
    uint64_t left = 0;

    if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_EXPIRATION))
        left = nftnl_set_elem_get_u64(e, NFTNL_SET_ELEM_EXPIRATION);
    if (!left && nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_TIMEOUT))
        left = 1; /* it is ending */
    return left;
}

/* False: an element of a shape that none of ours has. */
static bool decode_element(const struct ruleset *r, const struct set *s, struct nftnl_set_elem *e,
                           struct set_element *out)
{
    uint32_t size = 0, end_size = 0, flags = 0;
    const uint8_t *key = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY, &size), *key_end = NULL;
    uint16_t port;

    if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_KEY_END))
        key_end = nftnl_set_elem_get(e, NFTNL_SET_ELEM_KEY_END, &end_size);
    if (nftnl_set_elem_is_set(e, NFTNL_SET_ELEM_FLAGS))
        flags = nftnl_set_elem_get_u32(e, NFTNL_SET_ELEM_FLAGS);
    if (s->kind == SET_PORT) {
        if (!key || size != sizeof port)
            return false;
        memcpy(&port, key, sizeof port);
        out->port = ntohs(port);
        return true;
    }
    if (!key || size != size_of(s) * (joins(s) ? 2 : 1) || (key_end && end_size != size))
        return false;
    out->timeout_ms = left_of(e);
    if (joins(s)) {
        decode_pair(s, key, key_end, out);
        return true;
    }
    out->low = out->high = addr_of(s, key);
    if (flags & NFT_SET_ELEM_INTERVAL_END)
        out->port = BORDER_END;
    else if (s->kind == SET_ZONES)
        out->chain = chain_of(r, e);
    return true;
}

int elements_decode(const struct ruleset *r, const struct nftnl_set *in, struct set *out)
{
    struct nftnl_set_elems_iter *i = nftnl_set_elems_iter_create(in);
    struct nftnl_set_elem *e;
    int result = i ? SD_OK : SD_EMEM;

    while (result == SD_OK && (e = nftnl_set_elems_iter_next(i)) != NULL) {
        struct set_element element = {.port = 0};

        if (decode_element(r, out, e, &element))
            result = set_add(out, &element);
        else
            out->kind = SET_FOREIGN;
    }
    if (i)
        nftnl_set_elems_iter_destroy(i);
    return result;
}

/* An end that is also the next start comes first. */
static int compare_borders(const void *left, const void *right)
{
    const struct set_element *a = left, *b = right;
    int order = addr_compare(&a->low, &b->low);

    return order ? order : (int)b->port - (int)a->port;
}

void elements_settle(struct set *s)
{
    struct addr last = s->v4 ? addr_v4((const uint8_t[4]){255, 255, 255, 255})
                             : (struct addr){.w = {~UINT64_C(0), ~UINT64_C(0)}};
    size_t kept = 0;

    if (s->kind != SET_RANGE && s->kind != SET_ZONES) {
        set_sort(s);
        return;
    }
    if (s->count)
        qsort(s->elements, s->count, sizeof *s->elements, compare_borders);
    for (size_t i = 0; i < s->count; i++) {
        bool open = i + 1 == s->count;

        if (s->elements[i].port == BORDER_END)
            continue;
        s->elements[kept] = s->elements[i];
        s->elements[kept].high = open ? last : addr_previous(&s->elements[i + 1].low);
        kept++;
    }
    s->count = kept;
}
