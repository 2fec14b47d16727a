/* nf_tables expressions to a rule of the model: the other half of expression.c. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/expression.h"

enum content { NOTHING, FAMILY, PROTOCOL, PORT, SOURCE, DESTINATION, PAIR, IFACE, LOCALITY, BYTES };

struct decoding {
    struct ruleset *r;
    struct rule *rule;
    enum content content;     /* of the register, as far as loaded */
    bool v4;                  /* its width, of addresses */
    uint8_t family, protocol; /* compared, and not made use of yet; 0: none */
    bool ended;               /* the statement is there */
    struct pattern pattern;   /* as far as read */
    uint8_t mask[PATTERN_CHUNK];
};

static struct match *add_match(struct decoding *d, enum match_kind kind)
{
    struct match *m;

    if (d->rule->match_count == RULE_MATCHES || d->ended || d->rule->counted)
        return NULL;
    m = d->rule->matches + d->rule->match_count++;
    *m = (struct match){.kind = kind};
    return m;
}

static bool decode_meta(struct decoding *d, const struct nftnl_expr *e)
{
    static const struct {
        uint32_t key;
        enum content content;
    } keys[] = {
        {NFT_META_NFPROTO, FAMILY}, {NFT_META_L4PROTO, PROTOCOL}, {NFT_META_IIFNAME, IFACE}};
    uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY);

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].key == key) {
            d->content = keys[i].content;
            return nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG);
        }
    return false;
}

static bool decode_transport(struct decoding *d, uint32_t offset, uint32_t size)
{
    if (offset == 2 && size == 2) {
        d->content = PORT;
        return true;
    }
    d->content = BYTES;
    memset(d->mask, 0xff, sizeof d->mask);
    return offset == (uint32_t)PATTERN_OFFSET + d->pattern.length && size <= PATTERN_CHUNK &&
           d->pattern.length + (size_t)size <= PATTERN_SIZE;
}

/* The mask of the bytes just loaded. */
static bool decode_bitwise(struct decoding *d, const struct nftnl_expr *e)
{
    uint32_t size = 0, xor_size = 0;
    const void *mask = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_MASK, &size);
    const uint8_t *xored = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_XOR, &xor_size);

    if (d->content != BYTES || !mask || size > sizeof d->mask ||
        nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_OP) != NFT_BITWISE_BOOL)
        return false;
    for (uint32_t i = 0; xored && i < xor_size; i++)
        if (xored[i] != 0)
            return false;
    memcpy(d->mask, mask, size);
    return true;
}

/* The chunks of a pattern are one match, put in place when the rule is read. */
static bool decode_bytes(struct decoding *d, const void *value, uint32_t size)
{
    struct pattern *p = &d->pattern;

    if (p->length == 0 && !add_match(d, MATCH_QUESTION))
        return false;
    if (p->length && d->rule->matches[d->rule->match_count - 1].kind != MATCH_QUESTION)
        return false;
    memcpy(p->value + p->length, value, size);
    memcpy(p->mask + p->length, d->mask, size);
    p->length = (uint16_t)(p->length + size);
    return true;
}

static bool decode_payload(struct decoding *d, const struct nftnl_expr *e)
{
    uint32_t base = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE);
    uint32_t offset = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET);
    uint32_t size = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN);
    bool v4 = size == 4;

    if (!nftnl_expr_is_set(e, NFTNL_EXPR_PAYLOAD_DREG))
        return false;
    if (base == NFT_PAYLOAD_TRANSPORT_HEADER)
        return decode_transport(d, offset, size);
    if (base != NFT_PAYLOAD_NETWORK_HEADER || size != (v4 ? 4 : 16))
        return false;
    if (offset == (v4 ? 16 : 24) && d->content == SOURCE && d->v4 == v4) {
        d->content = PAIR;
        return true;
    }
    if (d->family != (v4 ? NFPROTO_IPV4 : NFPROTO_IPV6))
        return false;
    d->family = 0;
    d->v4 = v4;
    d->content = offset == (v4 ? 12 : 8) ? SOURCE : DESTINATION;
    return d->content == SOURCE || offset == (v4 ? 16 : 24);
}

static bool decode_port(struct decoding *d, const void *value)
{
    struct match *m;
    uint16_t port;

    if (d->protocol != 0 && d->protocol != IPPROTO_UDP && d->protocol != IPPROTO_TCP)
        return false;
    m = add_match(d, d->protocol == IPPROTO_UDP   ? MATCH_UDP_PORT
                     : d->protocol == IPPROTO_TCP ? MATCH_TCP_PORT
                                                  : MATCH_PORT);
    if (!m)
        return false;
    d->protocol = 0;
    memcpy(&port, value, sizeof port);
    m->port = ntohs(port);
    return true;
}

static bool decode_iface(struct decoding *d, const void *value, uint32_t size)
{
    struct match *m = size == sizeof m->iface ? add_match(d, MATCH_IIFNAME) : NULL;

    if (!m)
        return false;
    memcpy(m->iface, value, size);
    m->iface[size - 1] = '\0';
    return true;
}

static bool decode_cmp(struct decoding *d, const struct nftnl_expr *e)
{
    uint32_t size = 0, type;
    const void *value = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &size);
    enum content content = d->content;

    d->content = NOTHING;
    if (!value || nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP) != NFT_CMP_EQ)
        return false;
    if (content == FAMILY && size == 1)
        d->family = *(const uint8_t *)value;
    else if (content == PROTOCOL && size == 1)
        d->protocol = *(const uint8_t *)value;
    else if (content == PORT && size == 2)
        return decode_port(d, value);
    else if (content == BYTES && size <= PATTERN_CHUNK)
        return decode_bytes(d, value, size);
    else if (content == IFACE)
        return decode_iface(d, value, size);
    else if (content == LOCALITY && size == sizeof type) {
        memcpy(&type, value, sizeof type);
        return type == RTN_LOCAL && add_match(d, MATCH_LOCAL);
    } else
        return false;
    return true;
}

static bool decode_lookup(struct decoding *d, const struct nftnl_expr *e)
{
    static const enum match_kind kinds[] = {[PORT] = MATCH_PORT_SET,
                                            [SOURCE] = MATCH_SOURCE,
                                            [DESTINATION] = MATCH_DESTINATION,
                                            [PAIR] = MATCH_PAIR};
    const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET);
    int set = name ? ruleset_set_named(d->r, name) : -1;
    enum content content = d->content;
    struct match *m;

    d->content = NOTHING;
    if (set < 0 || nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS) != 0)
        return false;
    if (content != PORT && content != SOURCE && content != DESTINATION && content != PAIR)
        return false;
    if (content != PORT && d->r->sets[set].v4 != d->v4)
        return false;
    if (nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG)) {
        if (content != SOURCE || d->r->sets[set].kind != SET_ZONES || d->ended)
            return false;
        d->rule->statement = STATEMENT_ZONES;
        d->rule->target = (uint16_t)set;
        return d->ended = true;
    }
    m = add_match(d, kinds[content]);
    if (m)
        m->set = (uint16_t)set;
    return m != NULL;
}

static bool decode_fib(struct decoding *d, const struct nftnl_expr *e)
{
    d->content = LOCALITY;
    return nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_RESULT) == NFT_FIB_RESULT_ADDRTYPE &&
           nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_FLAGS) == NFTA_FIB_F_DADDR;
}

static bool end(struct decoding *d, enum statement statement)
{
    if (d->ended)
        return false;
    d->rule->statement = statement;
    return d->ended = true;
}

static bool decode_counter(struct decoding *d, const struct nftnl_expr *e)
{
    if (d->ended || d->rule->counted)
        return false;
    d->rule->packets = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_PACKETS);
    d->rule->bytes = nftnl_expr_get_u64(e, NFTNL_EXPR_CTR_BYTES);
    return d->rule->counted = true;
}

static bool decode_immediate(struct decoding *d, const struct nftnl_expr *e)
{
    const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN);
    int chain = name ? ruleset_chain_named(d->r, name) : -1;
    int verdict = (int)nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT);

    if (!nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT))
        return false;
    if (verdict == NFT_JUMP || verdict == NFT_GOTO) {
        d->rule->target = (uint16_t)chain;
        return chain >= 0 && end(d, verdict == NFT_JUMP ? STATEMENT_JUMP : STATEMENT_GOTO);
    }
    if (verdict == NFT_RETURN)
        return end(d, STATEMENT_RETURN);
    if (verdict != NF_ACCEPT && verdict != NF_DROP)
        return false;
    return end(d, verdict == NF_ACCEPT ? STATEMENT_ACCEPT : STATEMENT_DROP);
}

static bool decode_reject(struct decoding *d, const struct nftnl_expr *e)
{
    uint32_t type = nftnl_expr_get_u32(e, NFTNL_EXPR_REJECT_TYPE);

    if (type == NFT_REJECT_TCP_RST)
        return end(d, STATEMENT_RESET);
    return type == NFT_REJECT_ICMPX_UNREACH &&
           nftnl_expr_get_u8(e, NFTNL_EXPR_REJECT_CODE) == NFT_REJECT_ICMPX_ADMIN_PROHIBITED &&
           end(d, STATEMENT_REJECT);
}

static int decode_expression(struct nftnl_expr *e, void *context)
{
    static const struct {
        const char *name;
        bool (*decode)(struct decoding *, const struct nftnl_expr *);
    } ours[] = {
        {"meta", decode_meta},           {"payload", decode_payload}, {"cmp", decode_cmp},
        {"lookup", decode_lookup},       {"fib", decode_fib},         {"counter", decode_counter},
        {"immediate", decode_immediate}, {"reject", decode_reject},   {"bitwise", decode_bitwise}};
    const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strcmp(ours[i].name, name) == 0)
            return ours[i].decode(context, e) ? 0 : -1;
    return -1;
}

static char *text_of(const struct nftnl_rule *in)
{
    char text[2048];
    int length = nftnl_rule_snprintf(text, sizeof text, in, NFTNL_OUTPUT_DEFAULT, 0);
    char *from = length > 0 ? strchr(text, '[') : NULL;

    text[sizeof text - 1] = '\0';
    for (char *c = from ? from : text; *c; c++)
        if (*c == '\n')
            *c = ' ';
    return strdup(from ? from : "[ no expression ]");
}

static int keep_pattern(struct decoding *d)
{
    int number = d->pattern.length ? ruleset_add_pattern(d->r, &d->pattern) : 0;

    for (size_t i = 0; number >= 0 && i < d->rule->match_count; i++)
        if (d->rule->matches[i].kind == MATCH_QUESTION)
            d->rule->matches[i].set = (uint16_t)number;
    return number < 0 ? number : SD_OK;
}

int rule_decode(struct ruleset *r, const struct nftnl_rule *in, struct rule *out)
{
    struct decoding d = {.r = r, .rule = out};

    if (nftnl_expr_foreach((struct nftnl_rule *)in, decode_expression, &d) == 0 && !d.family &&
        !d.protocol)
        return keep_pattern(&d);
    out->foreign = text_of(in);
    return out->foreign ? SD_OK : SD_EMEM;
}
