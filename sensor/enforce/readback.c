#include "enforce/readback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/element.h"
#include "enforce/expression.h"
#include "enforce/transport.h"

#define ATTEMPTS 8

struct reading {
    struct ruleset *r;
    struct set *set; /* whose elements are asked for */
    uint32_t generation;
};

/* The comment of a table or rule (both have number 0), or NULL. */
static const char *comment_in(const void *userdata, uint32_t size)
{
    const uint8_t *at = userdata;

    while (userdata && size >= 2 && size >= 2u + at[1]) {
        if (at[0] == NFTNL_UDATA_RULE_COMMENT && at[1] > 0 && at[1 + at[1]] == '\0')
            return (const char *)at + 2;
        size -= 2u + at[1];
        at += 2 + at[1];
    }
    return NULL;
}

/* The text behind "sealdns: ", or NULL. */
static const char *our_comment(const void *userdata, uint32_t size)
{
    static const char ours[] = "sealdns: ";
    const char *comment = comment_in(userdata, size);

    if (!comment || strncmp(comment, ours, sizeof ours - 1) != 0)
        return NULL;
    return comment + sizeof ours - 1;
}

static void fill_table_name(struct nlmsghdr *h, const void *context)
{
    (void)context;
    mnl_attr_put_strz(h, NFTA_TABLE_NAME, RULESET_TABLE);
}

static int read_table(const struct nlmsghdr *h, void *context)
{
    struct reading *d = context;
    struct nftnl_table *t = nftnl_table_alloc();
    uint32_t size = 0;
    const char *comment;
    const void *userdata;

    if (!t || nftnl_table_nlmsg_parse(h, t) < 0) {
        nftnl_table_free(t);
        return -1;
    }
    d->r->flags = nftnl_table_get_u32(t, NFTNL_TABLE_FLAGS);
    userdata = nftnl_table_get_data(t, NFTNL_TABLE_USERDATA, &size);
    comment = our_comment(userdata, size);
    d->r->sets_only = !comment || strncmp(comment, "digest ", 7) != 0;
    if (!d->r->sets_only)
        d->r->digest = strtoull(comment + 7, NULL, 16);
    nftnl_table_free(t);
    return 0;
}

static bool is_ours(const char *table)
{
    return table && strcmp(table, RULESET_TABLE) == 0;
}

static int take_chain(struct ruleset *r, const struct nftnl_chain *c)
{
    int number;

    if (!is_ours(nftnl_chain_get_str(c, NFTNL_CHAIN_TABLE)))
        return 0;
    number = ruleset_add_chain(r, nftnl_chain_get_str(c, NFTNL_CHAIN_NAME));
    if (number < 0)
        return -1;
    r->chains[number].base = nftnl_chain_is_set(c, NFTNL_CHAIN_HOOKNUM);
    if (!r->chains[number].base)
        return 0;
    r->chains[number].hook = (uint8_t)nftnl_chain_get_u32(c, NFTNL_CHAIN_HOOKNUM);
    r->chains[number].priority = nftnl_chain_get_s32(c, NFTNL_CHAIN_PRIO);
    r->chains[number].nat = strcmp(nftnl_chain_get_str(c, NFTNL_CHAIN_TYPE), "nat") == 0;
    r->chains[number].drops = nftnl_chain_get_u32(c, NFTNL_CHAIN_POLICY) == NF_DROP;
    return 0;
}

static int read_chain(const struct nlmsghdr *h, void *context)
{
    struct reading *d = context;
    struct nftnl_chain *c = nftnl_chain_alloc();
    int e = c && nftnl_chain_nlmsg_parse(h, c) >= 0 ? take_chain(d->r, c) : -1;

    if (c)
        nftnl_chain_free(c);
    return e;
}

static int take_set(struct ruleset *r, const struct nftnl_set *s)
{
    int number;

    if (!is_ours(nftnl_set_get_str(s, NFTNL_SET_TABLE)))
        return 0;
    number = ruleset_add_set(r, nftnl_set_get_str(s, NFTNL_SET_NAME), SET_FOREIGN, false);
    if (number < 0)
        return -1;
    set_decode(s, r->sets + number);
    return 0;
}

static int read_set(const struct nlmsghdr *h, void *context)
{
    struct reading *d = context;
    struct nftnl_set *s = nftnl_set_alloc();
    int e = s && nftnl_set_nlmsg_parse(h, s) >= 0 ? take_set(d->r, s) : -1;

    if (s)
        nftnl_set_free(s);
    return e;
}

static void fill_set(struct nlmsghdr *h, const void *context)
{
    const struct reading *d = context;

    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, d->set->name);
}

static int read_elements(const struct nlmsghdr *h, void *context)
{
    struct reading *d = context;
    struct nftnl_set *s = nftnl_set_alloc();
    int e = -1;

    if (s && nftnl_set_elems_nlmsg_parse(h, s) >= 0 && elements_decode(d->r, s, d->set) == SD_OK)
        e = 0;
    if (s)
        nftnl_set_free(s);
    return e;
}

static int take_rule(struct ruleset *r, const struct nftnl_rule *from)
{
    struct rule rule = {.statement = STATEMENT_COUNT};
    uint32_t size = 0;
    const void *userdata = nftnl_rule_get_data(from, NFTNL_RULE_USERDATA, &size);
    const char *id = our_comment(userdata, size);
    int chain;

    if (!is_ours(nftnl_rule_get_str(from, NFTNL_RULE_TABLE)))
        return 0;
    chain = ruleset_chain_named(r, nftnl_rule_get_str(from, NFTNL_RULE_CHAIN));
    if (chain < 0 || rule_decode(r, from, &rule) != SD_OK)
        return -1;
    rule.chain = (uint16_t)chain;
    if (id)
        memcpy(rule.id, id, strnlen(id, sizeof rule.id - 1));
    if (ruleset_add_rule(r, &rule) == SD_OK)
        return 0;
    free(rule.foreign);
    return -1;
}

static int read_rule(const struct nlmsghdr *h, void *context)
{
    struct reading *d = context;
    struct nftnl_rule *rule = nftnl_rule_alloc();
    int e = rule && nftnl_rule_nlmsg_parse(h, rule) >= 0 ? take_rule(d->r, rule) : -1;

    if (rule)
        nftnl_rule_free(rule);
    return e;
}

static int read_generation(const struct nlmsghdr *h, void *context)
{
    struct reading *d = context;
    struct nlattr *a;

    mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) == NFTA_GEN_ID)
        d->generation = ntohl(mnl_attr_get_u32(a));
    return 0;
}

static int ask_generation(int fd, struct reading *d)
{
    struct request q = {
        .type = NFT_MSG_GETGEN, .family = d->r->family, .answer = read_generation, .context = d};

    return transport_ask(fd, &q);
}

static int ask_table(int fd, struct reading *d)
{
    struct request q = {.type = NFT_MSG_GETTABLE,
                        .family = d->r->family,
                        .fill = fill_table_name,
                        .answer = read_table,
                        .context = d};

    return transport_ask(fd, &q);
}

static int ask_elements(int fd, struct reading *d)
{
    struct request q = {.type = NFT_MSG_GETSETELEM,
                        .family = d->r->family,
                        .dump = true,
                        .fill = fill_set,
                        .answer = read_elements,
                        .context = d};
    int e = 0;

    for (size_t i = 0; i < d->r->set_count && e == 0; i++) {
        d->set = d->r->sets + i;
        if (d->set->kind != SET_FOREIGN)
            e = transport_ask(fd, &q);
        elements_settle(d->set);
    }
    return e;
}

int ruleset_generation(int descriptor, uint32_t *out)
{
    struct ruleset none = {.family = NFPROTO_UNSPEC};
    struct reading d = {.r = &none};
    int e = ask_generation(descriptor, &d);

    *out = d.generation;
    return e;
}

/* Chains before elements and rules: these name them. */
static int ask_all(int fd, struct reading *d)
{
    struct request chains = {.type = NFT_MSG_GETCHAIN,
                             .family = d->r->family,
                             .dump = true,
                             .answer = read_chain,
                             .context = d};
    struct request sets = {.type = NFT_MSG_GETSET,
                           .family = d->r->family,
                           .dump = true,
                           .fill = fill_table_name,
                           .answer = read_set,
                           .context = d};
    struct request rules = {.type = NFT_MSG_GETRULE,
                            .family = d->r->family,
                            .dump = true,
                            .fill = fill_table_name,
                            .answer = read_rule,
                            .context = d};
    uint32_t before;
    int e = ask_generation(fd, d);

    before = d->generation;
    if (e == 0)
        e = ask_table(fd, d);
    if (e == 0)
        e = transport_ask(fd, &chains);
    if (e == 0)
        e = transport_ask(fd, &sets);
    if (e == 0)
        e = ask_elements(fd, d);
    if (e == 0)
        e = transport_ask(fd, &rules);
    if (e == 0)
        e = ask_generation(fd, d);
    return e == 0 && d->generation != before ? -EINTR : e;
}

int ruleset_read(int descriptor, uint8_t family, struct ruleset **out, char error[ENFORCE_ERROR])
{
    int e = -EINTR;

    *out = NULL;
    for (int i = 0; i < ATTEMPTS && e == -EINTR; i++) {
        struct reading d = {.r = ruleset_create(family)};

        e = d.r ? ask_all(descriptor, &d) : -ENOMEM;
        if (e == 0)
            *out = d.r;
        else
            ruleset_destroy(d.r);
    }
    if (e == 0)
        return SD_OK;
    if (e == -ENOENT) {
        snprintf(error, ENFORCE_ERROR, "there is no table %s " RULESET_TABLE,
                 family == NFPROTO_BRIDGE ? "bridge" : "inet");
        return SD_ENOENT;
    }
    return transport_error(e, "cannot read the ruleset", error);
}

int ruleset_find(int descriptor, struct ruleset **out, char error[ENFORCE_ERROR])
{
    int e = ruleset_read(descriptor, NFPROTO_BRIDGE, out, error);

    return e == SD_ENOENT ? ruleset_read(descriptor, NFPROTO_INET, out, error) : e;
}

int table_flags(int descriptor, uint8_t family, uint32_t *flags, char error[ENFORCE_ERROR])
{
    struct reading d = {.r = ruleset_create(family)};
    int e = d.r ? ask_table(descriptor, &d) : -ENOMEM;

    *flags = e == 0 ? d.r->flags : 0;
    ruleset_destroy(d.r);
    if (e == 0)
        return SD_OK;
    if (e == -ENOENT) {
        snprintf(error, ENFORCE_ERROR, "there is no table %s " RULESET_TABLE,
                 family == NFPROTO_BRIDGE ? "bridge" : "inet");
        return SD_ENOENT;
    }
    return transport_error(e, "cannot ask for the table", error);
}
