/* The order of expressions is that of nft itself, so that nft lists our rules as we print them:
 *   th dport 53      payload 2b @ transport + 2; cmp
 *   udp dport 53     meta l4proto; cmp 17; payload 2b @ transport + 2; cmp
 *   @th,80,128 & m == v   payload 16b @ transport + 10; bitwise; cmp
 *   dnat ip to A     immediate; nat
 *   log              limit; counter; log
 *   ether saddr @set meta iiftype; cmp; payload 6b @ link + 6; lookup
 *   ct status dnat   ct; bitwise; cmp neq 0
 *   jhash ip saddr mod 100 seed S < P
 *                    meta nfproto; cmp 2; payload 4b @ network + 12; hash; byteorder; cmp lt P
 *   ip saddr @set    meta nfproto; cmp 2; payload 4b @ network + 12; lookup
 * In the family bridge `meta protocol` stands for `meta nfproto`, and nothing for `meta iiftype`.
 */
#include "enforce/expression.h"

#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

#include "base/error.h"
#include "enforce/build.h"

#define REGISTER   NFT_REG_1
#define SECOND_IP4 NFT_REG32_01 /* the register four bytes behind */
#define SECOND_IP6 NFT_REG_2

enum { IFACE_SIZE = 16 };

static struct nftnl_expr *expression(struct nftnl_rule *to, const char *name)
{
    struct nftnl_expr *e = nftnl_expr_alloc(name);

    if (e)
        nftnl_rule_add_expr(to, e);
    return e;
}

static bool put_meta(struct nftnl_rule *to, uint32_t key)
{
    struct nftnl_expr *e = expression(to, "meta");

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
    nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, REGISTER);
    return true;
}

static bool put_compared(struct nftnl_rule *to, uint32_t how, const void *value, uint32_t size)
{
    struct nftnl_expr *e = expression(to, "cmp");

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, REGISTER);
    nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, how);
    nftnl_expr_set_data(e, NFTNL_EXPR_CMP_DATA, value, size);
    return true;
}

static bool put_equal(struct nftnl_rule *to, const void *value, uint32_t size)
{
    return put_compared(to, NFT_CMP_EQ, value, size);
}

static bool put_payload(struct nftnl_rule *to, uint32_t base, uint32_t offset, uint32_t size,
                        uint32_t reg)
{
    struct nftnl_expr *e = expression(to, "payload");

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, offset);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, size);
    nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
    return true;
}

static bool put_lookup(struct nftnl_rule *to, const struct set *s)
{
    struct nftnl_expr *e = expression(to, "lookup");

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, REGISTER);
    nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, s->name);
    if (s->kind == SET_ZONES)
        nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
    return true;
}

static bool is_bridge(const struct nftnl_rule *r)
{
    return nftnl_rule_get_u32(r, NFTNL_RULE_FAMILY) == NFPROTO_BRIDGE;
}

/* The family bridge knows a packet by its ethertype. */
static bool put_family(struct nftnl_rule *to, bool v4)
{
    uint16_t type = htons(v4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
    uint8_t family = v4 ? NFPROTO_IPV4 : NFPROTO_IPV6;

    if (is_bridge(to))
        return put_meta(to, NFT_META_PROTOCOL) && put_equal(to, &type, sizeof type);
    return put_meta(to, NFT_META_NFPROTO) && put_equal(to, &family, sizeof family);
}

static bool put_source(struct nftnl_rule *to, bool v4, uint32_t reg)
{
    return put_payload(to, NFT_PAYLOAD_NETWORK_HEADER, v4 ? 12 : 8, v4 ? 4 : 16, reg);
}

static bool put_destination(struct nftnl_rule *to, bool v4, uint32_t reg)
{
    return put_payload(to, NFT_PAYLOAD_NETWORK_HEADER, v4 ? 16 : 24, v4 ? 4 : 16, reg);
}

static bool put_port(struct nftnl_rule *to)
{
    return put_payload(to, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, REGISTER);
}

static bool put_port_match(struct nftnl_rule *to, const struct match *m)
{
    uint8_t protocol = m->kind == MATCH_TCP_PORT ? IPPROTO_TCP : IPPROTO_UDP;
    uint16_t port = htons(m->port);

    if (m->kind != MATCH_PORT &&
        !(put_meta(to, NFT_META_L4PROTO) && put_equal(to, &protocol, sizeof protocol)))
        return false;
    return put_port(to) && put_equal(to, &port, sizeof port);
}

static bool put_mask(struct nftnl_rule *to, const uint8_t *mask, uint32_t size)
{
    static const uint8_t noughts[PATTERN_CHUNK];
    struct nftnl_expr *e = expression(to, "bitwise");

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, REGISTER);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, REGISTER);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, size);
    nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_MASK, mask, size);
    nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_XOR, noughts, size);
    return true;
}

static bool put_pattern(struct nftnl_rule *to, const struct pattern *p)
{
    for (size_t at = 0; at < p->length; at += PATTERN_CHUNK) {
        uint32_t size = (uint32_t)pattern_chunk(p, at);

        if (!put_payload(to, NFT_PAYLOAD_TRANSPORT_HEADER, (uint32_t)(PATTERN_OFFSET + at), size,
                         REGISTER) ||
            (pattern_masks(p, at) && !put_mask(to, p->mask + at, size)) ||
            !put_equal(to, p->value + at, size))
            return false;
    }
    return true;
}

/* nft compares numbers in the order of the network. */
static bool put_share(struct nftnl_rule *to, const struct match *m)
{
    uint32_t size = m->v4 ? 4 : 16, below = htonl(m->port);
    struct nftnl_expr *e;

    if (!put_family(to, m->v4) || !put_source(to, m->v4, NFT_REG_2) ||
        !(e = expression(to, "hash")))
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_HASH_SREG, NFT_REG_2);
    nftnl_expr_set_u32(e, NFTNL_EXPR_HASH_DREG, REGISTER);
    nftnl_expr_set_u32(e, NFTNL_EXPR_HASH_LEN, size);
    nftnl_expr_set_u32(e, NFTNL_EXPR_HASH_MODULUS, SHARE_OF);
    nftnl_expr_set_u32(e, NFTNL_EXPR_HASH_SEED, m->seed);
    nftnl_expr_set_u32(e, NFTNL_EXPR_HASH_TYPE, NFT_HASH_JENKINS);
    if (!(e = expression(to, "byteorder")))
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SREG, REGISTER);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_DREG, REGISTER);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_LEN, sizeof below);
    nftnl_expr_set_u32(e, NFTNL_EXPR_BYTEORDER_SIZE, sizeof below);
    return put_compared(to, NFT_CMP_LT, &below, sizeof below);
}

static bool put_local(struct nftnl_rule *to)
{
    struct nftnl_expr *e = expression(to, "fib");
    uint32_t type = RTN_LOCAL;

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, REGISTER);
    nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
    return put_equal(to, &type, sizeof type);
}

static bool put_status(struct nftnl_rule *to, uint32_t bits)
{
    static const uint32_t none;
    struct nftnl_expr *e = expression(to, "ct");

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_STATUS);
    nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, REGISTER);
    return put_mask(to, (const uint8_t *)&bits, sizeof bits) &&
           put_compared(to, NFT_CMP_NEQ, &none, sizeof none);
}

static bool put_match(const struct ruleset *r, const struct match *m, struct nftnl_rule *to)
{
    const struct set *s = m->kind >= MATCH_PORT_SET ? r->sets + m->set : NULL;
    static const uint8_t flags = TCP_FLAGS, syn = TCP_SYN;
    static const uint16_t ethernet = ARPHRD_ETHER;
    char iface[IFACE_SIZE] = {0};

    switch (m->kind) {
    case MATCH_IIFNAME:
        memcpy(iface, m->iface, strnlen(m->iface, IFACE_SIZE - 1));
        return put_meta(to, NFT_META_IIFNAME) && put_equal(to, iface, IFACE_SIZE);
    case MATCH_OIFNAME:
        memcpy(iface, m->iface, strnlen(m->iface, IFACE_SIZE - 1));
        return put_meta(to, NFT_META_OIFNAME) && put_equal(to, iface, IFACE_SIZE);
    case MATCH_DNAT:
        return put_status(to, IPS_DST_NAT);
    case MATCH_LOCAL:
        return put_local(to);
    case MATCH_FAMILY:
        return put_family(to, m->v4);
    case MATCH_SHARE:
        return put_share(to, m);
    case MATCH_PORT:
    case MATCH_UDP_PORT:
    case MATCH_TCP_PORT:
        return put_port_match(to, m);
    case MATCH_SYN:
        return put_payload(to, NFT_PAYLOAD_TRANSPORT_HEADER, 13, 1, REGISTER) &&
               put_mask(to, &flags, 1) && put_equal(to, &syn, 1);
    case MATCH_QUESTION:
        return put_pattern(to, r->patterns + m->set);
    case MATCH_PORT_SET:
        return put_port(to) && put_lookup(to, s);
    case MATCH_STATION:
        return (is_bridge(to) ||
                (put_meta(to, NFT_META_IIFTYPE) && put_equal(to, &ethernet, sizeof ethernet))) &&
               put_payload(to, NFT_PAYLOAD_LL_HEADER, 6, 6, REGISTER) && put_lookup(to, s);
    case MATCH_SOURCE:
        return put_family(to, s->v4) && put_source(to, s->v4, REGISTER) && put_lookup(to, s);
    case MATCH_DESTINATION:
        return put_family(to, s->v4) && put_destination(to, s->v4, REGISTER) && put_lookup(to, s);
    case MATCH_PAIR:
        return put_family(to, s->v4) && put_source(to, s->v4, REGISTER) &&
               put_destination(to, s->v4, s->v4 ? SECOND_IP4 : SECOND_IP6) && put_lookup(to, s);
    }
    return false;
}

static bool put_verdict(struct nftnl_rule *to, int verdict, const char *chain)
{
    struct nftnl_expr *e = expression(to, "immediate");

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdict);
    if (chain)
        nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, chain);
    return true;
}

static bool put_reject(struct nftnl_rule *to, uint32_t type, uint8_t code)
{
    struct nftnl_expr *e = expression(to, "reject");

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE, type);
    nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
    return true;
}

static bool put_dnat(struct nftnl_rule *to, const struct addr *a)
{
    bool v4 = addr_is_v4(a);
    struct nftnl_expr *e = expression(to, "immediate");

    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, REGISTER);
    nftnl_expr_set(e, NFTNL_EXPR_IMM_DATA, v4 ? a->b + 12 : a->b, v4 ? 4 : 16);
    e = expression(to, "nat");
    if (!e)
        return false;
    nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
    nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, v4 ? NFPROTO_IPV4 : NFPROTO_IPV6);
    nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, REGISTER);
    return true;
}

/* What is beyond the rate ends the rule here, ahead of its counter: that counts lines. */
static bool put_limit(struct nftnl_rule *to)
{
    struct nftnl_expr *e = expression(to, "limit");

    if (!e)
        return false;
    nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, LOG_RATE);
    nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, 1);
    nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_BURST, LOG_BURST);
    nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
    nftnl_expr_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, 0);
    return true;
}

static bool put_log(struct nftnl_rule *to, const struct rule *rule)
{
    struct nftnl_expr *e = expression(to, "log");

    if (!e || nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, rule->prefix) != 0)
        return false;
    nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, rule->group);
    nftnl_expr_set_u32(e, NFTNL_EXPR_LOG_SNAPLEN, LOG_SNAPLEN);
    nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_QTHRESHOLD, LOG_THRESHOLD);
    return true;
}

static bool put_statement(const struct ruleset *r, const struct rule *rule, struct nftnl_rule *to)
{
    switch (rule->statement) {
    case STATEMENT_COUNT:
        return true;
    case STATEMENT_ACCEPT:
        return put_verdict(to, NF_ACCEPT, NULL);
    case STATEMENT_DROP:
        return put_verdict(to, NF_DROP, NULL);
    case STATEMENT_RETURN:
        return put_verdict(to, NFT_RETURN, NULL);
    case STATEMENT_REJECT:
        return put_reject(to, NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
    case STATEMENT_RESET:
        return put_reject(to, NFT_REJECT_TCP_RST, 0);
    case STATEMENT_JUMP:
        return put_verdict(to, NFT_JUMP, r->chains[rule->target].name);
    case STATEMENT_GOTO:
        return put_verdict(to, NFT_GOTO, r->chains[rule->target].name);
    case STATEMENT_DNAT:
        return put_dnat(to, &rule->address);
    case STATEMENT_MASQUERADE:
        return expression(to, "masq") != NULL;
    case STATEMENT_LOG:
        return put_log(to, rule);
    case STATEMENT_ZONES: {
        const struct set *s = r->sets + rule->target;

        return put_family(to, s->v4) && put_source(to, s->v4, REGISTER) && put_lookup(to, s);
    }
    }
    return false;
}

int rule_encode(const struct ruleset *r, const struct rule *rule, struct nftnl_rule *out)
{
    for (size_t i = 0; i < rule->match_count; i++)
        if (!put_match(r, rule->matches + i, out))
            return SD_EMEM;
    if (rule->statement == STATEMENT_LOG && !put_limit(out))
        return SD_EMEM;
    if (rule->counted && !expression(out, "counter"))
        return SD_EMEM;
    return put_statement(r, rule, out) ? SD_OK : SD_EMEM;
}
