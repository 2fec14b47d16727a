/* nf_tables expressions to a rule of the model: the other half of expression.c. */
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/expression.h"

enum content {
    NOTHING,
    FAMILY,
    ETHER,
    PROTOCOL,
    PORT,
    SHARE,
    SOURCE,
    DESTINATION,
    PAIR,
    STATION,
    LINK,
    IFACE,
    OIFACE,
    LOCALITY,
    STATUS,
    FLAGS,
    BYTES
};

struct decoding {
    struct ruleset *r;
    struct rule *rule;
    enum content content;     /* of the register, as far as loaded */
    bool v4;                  /* its width, of addresses */
    uint8_t family, protocol; /* compared, and not made use of yet; 0: none */
    bool ended;               /* the statement is there */
    bool ethernet;            /* the link was compared, and no link address looked up yet */
    bool masked;              /* by what MATCH_DNAT or MATCH_SYN ask for; turned around */
    bool limited;             /* by what STATEMENT_LOG asks for */
    uint32_t seed;            /* of the hash in the register */
    bool addressed;           /* an address for a statement is in the register: rule->address */
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

/* A family compared for its own sake: no address is loaded behind it. */
static bool decode_family(struct decoding *d)
{
    struct match *m = d->r->family == NFPROTO_INET ? add_match(d, MATCH_FAMILY) : NULL;

    if (!m || (d->family != NFPROTO_IPV4 && d->family != NFPROTO_IPV6))
        return false;
    m->v4 = d->family == NFPROTO_IPV4;
    d->family = 0;
    return true;
}

static bool decode_meta(struct decoding *d, const struct nftnl_expr *e)
{
    const struct {
        uint32_t key;
        enum content content;
    } keys[] = {{d->r->family == NFPROTO_BRIDGE ? NFT_META_PROTOCOL : NFT_META_NFPROTO,
                 d->r->family == NFPROTO_BRIDGE ? ETHER : FAMILY},
                {NFT_META_L4PROTO, PROTOCOL},
                {NFT_META_IIFNAME, IFACE},
                {NFT_META_OIFNAME, OIFACE},
                {NFT_META_IIFTYPE, LINK}};
    uint32_t key = nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY);

    if (d->family && !decode_family(d))
        return false;
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
    if (offset == 13 && size == 1) {
        d->content = FLAGS;
        d->masked = false;
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
    static const uint32_t dnat = IPS_DST_NAT;
    uint32_t size = 0, xor_size = 0;
    const void *mask = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_MASK, &size);
    const uint8_t *xored = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_XOR, &xor_size);

    if (d->content == FLAGS && mask && size == 1)
        return d->masked = *(const uint8_t *)mask == TCP_FLAGS;
    if (d->content == STATUS && mask && size == sizeof dnat)
        return d->masked = memcmp(mask, &dnat, size) == 0;
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
    if (base == NFT_PAYLOAD_LL_HEADER) {
        d->content = STATION;
        return (d->ethernet || d->r->family == NFPROTO_BRIDGE) && offset == 6 && size == 6;
    }
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

static bool decode_iface(struct decoding *d, enum match_kind kind, const void *value, uint32_t size)
{
    struct match *m = size == sizeof m->iface ? add_match(d, kind) : NULL;

    if (!m)
        return false;
    memcpy(m->iface, value, size);
    m->iface[size - 1] = '\0';
    return true;
}

static bool decode_hash(struct decoding *d, const struct nftnl_expr *e)
{
    if (d->content != SOURCE || nftnl_expr_get_u32(e, NFTNL_EXPR_HASH_TYPE) != NFT_HASH_JENKINS ||
        nftnl_expr_get_u32(e, NFTNL_EXPR_HASH_LEN) != (d->v4 ? 4 : 16) ||
        nftnl_expr_get_u32(e, NFTNL_EXPR_HASH_MODULUS) != SHARE_OF ||
        (nftnl_expr_is_set(e, NFTNL_EXPR_HASH_OFFSET) &&
         nftnl_expr_get_u32(e, NFTNL_EXPR_HASH_OFFSET) != 0) ||
        !nftnl_expr_is_set(e, NFTNL_EXPR_HASH_SEED))
        return false;
    d->content = SHARE;
    d->masked = false;
    d->seed = nftnl_expr_get_u32(e, NFTNL_EXPR_HASH_SEED);
    return true;
}

static bool decode_byteorder(struct decoding *d, const struct nftnl_expr *e)
{
    return d->content == SHARE &&
           nftnl_expr_get_u32(e, NFTNL_EXPR_BYTEORDER_OP) == NFT_BYTEORDER_HTON &&
           (d->masked = nftnl_expr_get_u32(e, NFTNL_EXPR_BYTEORDER_LEN) == sizeof d->seed);
}

static bool decode_share(struct decoding *d, const void *value, uint32_t size)
{
    uint32_t below;
    struct match *m = size == sizeof below && d->masked ? add_match(d, MATCH_SHARE) : NULL;

    if (!m)
        return false;
    memcpy(&below, value, sizeof below);
    m->port = (uint16_t)ntohl(below);
    m->v4 = d->v4;
    m->seed = d->seed;
    return ntohl(below) <= SHARE_OF;
}

/* 0: neither IPv4 nor IPv6. */
static uint8_t family_of(const void *ethertype)
{
    uint16_t type;

    memcpy(&type, ethertype, sizeof type);
    return ntohs(type) == ETHERTYPE_IP     ? NFPROTO_IPV4
           : ntohs(type) == ETHERTYPE_IPV6 ? NFPROTO_IPV6
                                           : 0;
}

static bool decode_cmp(struct decoding *d, const struct nftnl_expr *e)
{
    static const uint16_t ethernet = ARPHRD_ETHER;
    static const uint32_t none;
    uint32_t size = 0, type;
    const void *value = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &size);
    enum content content = d->content;

    d->content = NOTHING;
    if (content == STATUS)
        return value && size == sizeof type && !memcmp(value, &none, size) && d->masked &&
               nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP) == NFT_CMP_NEQ && add_match(d, MATCH_DNAT);
    if (content == SHARE)
        return value && nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP) == NFT_CMP_LT &&
               decode_share(d, value, size);
    if (!value || nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP) != NFT_CMP_EQ)
        return false;
    if (content == FAMILY && size == 1)
        d->family = *(const uint8_t *)value;
    else if (content == ETHER && size == 2)
        return (d->family = family_of(value)) != 0;
    else if (content == PROTOCOL && size == 1)
        d->protocol = *(const uint8_t *)value;
    else if (content == PORT && size == 2)
        return decode_port(d, value);
    else if (content == BYTES && size <= PATTERN_CHUNK)
        return decode_bytes(d, value, size);
    else if (content == IFACE)
        return decode_iface(d, MATCH_IIFNAME, value, size);
    else if (content == LINK && size == sizeof ethernet)
        return d->ethernet = memcmp(value, &ethernet, size) == 0;
    else if (content == FLAGS)
        return d->masked && size == 1 && *(const uint8_t *)value == TCP_SYN &&
               add_match(d, MATCH_SYN);
    else if (content == OIFACE)
        return decode_iface(d, MATCH_OIFNAME, value, size);
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
                                            [STATION] = MATCH_STATION,
                                            [PAIR] = MATCH_PAIR};
    const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET);
    int set = name ? ruleset_set_named(d->r, name) : -1;
    enum content content = d->content;
    struct match *m;

    d->content = NOTHING;
    if (set < 0 || nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS) != 0)
        return false;
    if (content != PORT && content != SOURCE && content != DESTINATION && content != PAIR &&
        content != STATION)
        return false;
    if (content == STATION)
        d->ethernet = false;
    if ((content == STATION) != (d->r->sets[set].kind == SET_STATION))
        return false;
    if (content != PORT && content != STATION && d->r->sets[set].v4 != d->v4)
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

static bool decode_ct(struct decoding *d, const struct nftnl_expr *e)
{
    d->content = STATUS;
    d->masked = false;
    return nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY) == NFT_CT_STATUS &&
           nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG) && !nftnl_expr_is_set(e, NFTNL_EXPR_CT_DIR);
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

static bool decode_address(struct decoding *d, const struct nftnl_expr *e)
{
    uint32_t size = 0;
    const uint8_t *data = nftnl_expr_get(e, NFTNL_EXPR_IMM_DATA, &size);

    if (!data || d->ended || (size != 4 && size != 16))
        return false;
    d->rule->address = size == 4 ? addr_v4(data) : addr_v6(data);
    return d->addressed = true;
}

/* The kernel tells the register of the last address too: the same. */
static bool decode_nat(struct decoding *d, const struct nftnl_expr *e)
{
    uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN);
    uint8_t family = addr_is_v4(&d->rule->address) ? NFPROTO_IPV4 : NFPROTO_IPV6;

    if (!d->addressed || nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_TYPE) != NFT_NAT_DNAT ||
        nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_FAMILY) != family ||
        nftnl_expr_is_set(e, NFTNL_EXPR_NAT_REG_PROTO_MIN) ||
        (nftnl_expr_is_set(e, NFTNL_EXPR_NAT_REG_ADDR_MAX) &&
         nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MAX) != reg) ||
        (nftnl_expr_is_set(e, NFTNL_EXPR_NAT_FLAGS) &&
         nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_FLAGS) & ~(uint32_t)NF_NAT_RANGE_MAP_IPS))
        return false;
    d->addressed = false;
    return end(d, STATEMENT_DNAT);
}

static bool decode_masquerade(struct decoding *d, const struct nftnl_expr *e)
{
    return (!nftnl_expr_is_set(e, NFTNL_EXPR_MASQ_FLAGS) ||
            nftnl_expr_get_u32(e, NFTNL_EXPR_MASQ_FLAGS) == 0) &&
           !nftnl_expr_is_set(e, NFTNL_EXPR_MASQ_REG_PROTO_MIN) && end(d, STATEMENT_MASQUERADE);
}

static bool decode_limit(struct decoding *d, const struct nftnl_expr *e)
{
    if (d->ended || d->limited || d->rule->counted)
        return false;
    return d->limited = nftnl_expr_get_u64(e, NFTNL_EXPR_LIMIT_RATE) == LOG_RATE &&
                        nftnl_expr_get_u64(e, NFTNL_EXPR_LIMIT_UNIT) == 1 &&
                        nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_BURST) == LOG_BURST &&
                        nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_TYPE) == NFT_LIMIT_PKTS &&
                        nftnl_expr_get_u32(e, NFTNL_EXPR_LIMIT_FLAGS) == 0;
}

static bool decode_log(struct decoding *d, const struct nftnl_expr *e)
{
    const char *prefix = nftnl_expr_get_str(e, NFTNL_EXPR_LOG_PREFIX);

    if (!d->limited || !prefix || strlen(prefix) >= sizeof d->rule->prefix ||
        !nftnl_expr_is_set(e, NFTNL_EXPR_LOG_GROUP) ||
        nftnl_expr_get_u32(e, NFTNL_EXPR_LOG_SNAPLEN) != LOG_SNAPLEN ||
        nftnl_expr_get_u16(e, NFTNL_EXPR_LOG_QTHRESHOLD) != LOG_THRESHOLD)
        return false;
    strcpy(d->rule->prefix, prefix);
    d->rule->group = nftnl_expr_get_u16(e, NFTNL_EXPR_LOG_GROUP);
    d->limited = false;
    return end(d, STATEMENT_LOG);
}

static bool decode_immediate(struct decoding *d, const struct nftnl_expr *e)
{
    const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN);
    int chain = name ? ruleset_chain_named(d->r, name) : -1;
    int verdict = (int)nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT);

    if (!nftnl_expr_is_set(e, NFTNL_EXPR_IMM_VERDICT))
        return decode_address(d, e);
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
    } ours[] = {{"meta", decode_meta},
                {"payload", decode_payload},
                {"cmp", decode_cmp},
                {"lookup", decode_lookup},
                {"fib", decode_fib},
                {"counter", decode_counter},
                {"immediate", decode_immediate},
                {"reject", decode_reject},
                {"bitwise", decode_bitwise},
                {"nat", decode_nat},
                {"ct", decode_ct},
                {"hash", decode_hash},
                {"byteorder", decode_byteorder},
                {"masq", decode_masquerade},
                {"limit", decode_limit},
                {"log", decode_log}};
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
        !d.protocol && !d.addressed && !d.ethernet && !d.limited)
        return keep_pattern(&d);
    out->foreign = text_of(in);
    return out->foreign ? SD_OK : SD_EMEM;
}
