#include "enforce/snapshot.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <libmnl/libmnl.h>

#include "base/error.h"
#include "enforce/readback.h"
#include "enforce/transport.h"

#define ATTEMPTS  8
#define SHORTEST  20 /* ms: an element whose time is over while the snapshot lay goes at once */
#define TRUNK     ((size_t)64 << 10)
#define BIT(word) (1u << (word))
#define PARTS     (sizeof parts / sizeof *parts)

struct snapshot {
    bool there;
    char *bytes; /* the kernel's answers, one behind the other */
    size_t used, capacity;
};

/* What the kernel tells of each thing and takes back when it is made: not handles and positions,
 * which the new one gets of its own. */
static const struct part {
    uint8_t type, table; /* table: the attribute that names it */
    uint16_t flags;
    uint32_t kept;
} parts[] = {
    {NFT_MSG_NEWTABLE, NFTA_TABLE_NAME, NLM_F_CREATE,
     BIT(NFTA_TABLE_NAME) | BIT(NFTA_TABLE_FLAGS) | BIT(NFTA_TABLE_USERDATA)},
    {NFT_MSG_NEWCHAIN, NFTA_CHAIN_TABLE, NLM_F_CREATE,
     BIT(NFTA_CHAIN_TABLE) | BIT(NFTA_CHAIN_NAME) | BIT(NFTA_CHAIN_HOOK) | BIT(NFTA_CHAIN_POLICY) |
         BIT(NFTA_CHAIN_TYPE) | BIT(NFTA_CHAIN_COUNTERS) | BIT(NFTA_CHAIN_FLAGS) |
         BIT(NFTA_CHAIN_USERDATA)},
    {NFT_MSG_NEWSET, NFTA_SET_TABLE, NLM_F_CREATE,
     BIT(NFTA_SET_TABLE) | BIT(NFTA_SET_NAME) | BIT(NFTA_SET_FLAGS) | BIT(NFTA_SET_KEY_TYPE) |
         BIT(NFTA_SET_KEY_LEN) | BIT(NFTA_SET_DATA_TYPE) | BIT(NFTA_SET_DATA_LEN) |
         BIT(NFTA_SET_POLICY) | BIT(NFTA_SET_DESC) | BIT(NFTA_SET_TIMEOUT) |
         BIT(NFTA_SET_GC_INTERVAL) | BIT(NFTA_SET_USERDATA) | BIT(NFTA_SET_OBJ_TYPE) |
         BIT(NFTA_SET_EXPR) | BIT(NFTA_SET_EXPRESSIONS)},
    {NFT_MSG_NEWSETELEM, NFTA_SET_ELEM_LIST_TABLE, NLM_F_CREATE,
     BIT(NFTA_SET_ELEM_LIST_TABLE) | BIT(NFTA_SET_ELEM_LIST_SET) |
         BIT(NFTA_SET_ELEM_LIST_ELEMENTS)},
    {NFT_MSG_NEWRULE, NFTA_RULE_TABLE, NLM_F_CREATE | NLM_F_APPEND,
     BIT(NFTA_RULE_TABLE) | BIT(NFTA_RULE_CHAIN) | BIT(NFTA_RULE_EXPRESSIONS) |
         BIT(NFTA_RULE_COMPAT) | BIT(NFTA_RULE_USERDATA)},
};

static const struct part *part_of(const struct nlmsghdr *h)
{
    for (size_t i = 0; i < PARTS; i++)
        if (parts[i].type == NFNL_MSG_TYPE(h->nlmsg_type))
            return parts + i;
    return NULL;
}

/* NULL: it has none of this type. */
static const struct nlattr *attribute(const struct nlmsghdr *h, uint16_t type)
{
    const struct nlattr *a;

    mnl_attr_for_each(a, h, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) == type) return a;
    return NULL;
}

static const uint8_t families[] = {NFPROTO_INET, NFPROTO_BRIDGE};

static uint8_t family_of(const struct nlmsghdr *h)
{
    return ((const struct nfgenmsg *)mnl_nlmsg_get_payload(h))->nfgen_family;
}

static bool is_ours(const struct nlmsghdr *h, const struct part *part)
{
    const struct nlattr *name = attribute(h, part->table);

    return (family_of(h) == NFPROTO_INET || family_of(h) == NFPROTO_BRIDGE) && name &&
           mnl_attr_validate(name, MNL_TYPE_NUL_STRING) >= 0 &&
           strcmp(mnl_attr_get_str(name), RULESET_TABLE) == 0;
}

struct asking {
    int descriptor;
    struct snapshot *s;
    uint8_t family;               /* of the table that is asked for */
    char set[NFT_SET_MAXNAMELEN]; /* whose elements are asked for */
};

static int keep(const struct nlmsghdr *h, void *context)
{
    struct snapshot *s = ((struct asking *)context)->s;
    const struct part *part = part_of(h);
    size_t size = NLMSG_ALIGN(h->nlmsg_len);

    if (!part || !is_ours(h, part))
        return 0;
    if (s->capacity - s->used < size) {
        size_t capacity = s->capacity * 2 + size + TRUNK;
        char *more = realloc(s->bytes, capacity);

        if (!more)
            return -1;
        s->bytes = more;
        s->capacity = capacity;
    }
    memset(s->bytes + s->used, 0, size);
    memcpy(s->bytes + s->used, h, h->nlmsg_len);
    s->used += size;
    return 0;
}

static void name_table(struct nlmsghdr *h, const void *context)
{
    (void)context;
    mnl_attr_put_strz(h, NFTA_TABLE_NAME, RULESET_TABLE); /* of a set, a rule: the same number */
}

static void name_set(struct nlmsghdr *h, const void *context)
{
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, ((const struct asking *)context)->set);
}

static int ask(struct asking *a, uint16_t type, void (*fill)(struct nlmsghdr *, const void *))
{
    struct request q = {.type = type,
                        .family = a->family,
                        .dump = type != NFT_MSG_GETTABLE,
                        .fill = fill,
                        .answer = keep,
                        .context = a};

    return transport_ask(a->descriptor, &q);
}

/* Of every set that is kept from there on; the answers come behind them. */
static int ask_elements(struct asking *a, size_t from)
{
    size_t end = a->s->used;
    int e = 0;

    for (size_t at = from; at < end && e == 0;) {
        const struct nlmsghdr *h = (const void *)(a->s->bytes + at);
        const struct nlattr *name = attribute(h, NFTA_SET_NAME);

        at += NLMSG_ALIGN(h->nlmsg_len);
        if (NFNL_MSG_TYPE(h->nlmsg_type) != NFT_MSG_NEWSET || !name)
            continue;
        memcpy(a->set, mnl_attr_get_str(name),
               strnlen(mnl_attr_get_str(name), sizeof a->set - 1) + 1);
        e = ask(a, NFT_MSG_GETSETELEM, name_set);
    }
    return e;
}

/* In the order in which they are put back: what is named comes before what names it. */
static int ask_table(struct asking *a)
{
    size_t from = a->s->used;
    int e = ask(a, NFT_MSG_GETTABLE, name_table);

    if (e == -ENOENT)
        return 0; /* none of this family */
    a->s->there |= e == 0;
    if (e == 0)
        e = ask(a, NFT_MSG_GETCHAIN, NULL);
    if (e == 0)
        e = ask(a, NFT_MSG_GETSET, name_table);
    if (e == 0)
        e = ask_elements(a, from);
    if (e == 0)
        e = ask(a, NFT_MSG_GETRULE, name_table);
    return e;
}

static int ask_all(struct asking *a)
{
    uint32_t before = 0, after = 0;
    int e = ruleset_generation(a->descriptor, &before);

    a->s->used = 0;
    a->s->there = false;
    for (size_t i = 0; i < sizeof families && e == 0; i++) {
        a->family = families[i];
        e = ask_table(a);
    }
    if (e == 0)
        e = ruleset_generation(a->descriptor, &after);
    return e == 0 && before != after ? -EINTR : e;
}

int snapshot_take(int descriptor, struct snapshot **out, char error[ENFORCE_ERROR])
{
    struct asking a = {.descriptor = descriptor, .s = calloc(1, sizeof(struct snapshot))};
    int e = a.s ? -EINTR : -ENOMEM, status;

    for (int i = 0; i < ATTEMPTS && e == -EINTR; i++)
        e = ask_all(&a);
    status = e == 0 ? SD_OK : transport_error(e, "cannot keep the ruleset that is there", error);
    for (size_t i = 0; status == SD_OK && i < sizeof families; i++) {
        uint32_t flags;

        status = table_flags(descriptor, families[i], &flags, error);
        if (status == SD_ENOENT)
            status = SD_OK;
        if (status != SD_OK || !(flags & TABLE_OWNER))
            continue;
        snprintf(error, ENFORCE_ERROR,
                 "the table has the flag owner: nobody but its owner could put it back");
        status = SD_ESTATE;
    }
    if (status == SD_OK)
        *out = a.s;
    else
        snapshot_destroy(a.s);
    return status;
}

void snapshot_destroy(struct snapshot *s)
{
    if (!s)
        return;
    free(s->bytes);
    free(s);
}

bool snapshot_is_empty(const struct snapshot *s)
{
    return !s->there;
}

static void put_name(struct transaction *t, uint16_t type, uint16_t how, uint32_t flags)
{
    struct nlmsghdr *h = transaction_next(t, type, how);

    mnl_attr_put_strz(h, NFTA_TABLE_NAME, RULESET_TABLE);
    if (type == NFT_MSG_NEWTABLE)
        mnl_attr_put_u32(h, NFTA_TABLE_FLAGS, htonl(flags));
}

/* The time that an element has left, in place. */
static void let_pass(struct nlattr *element, uint64_t elapsed_ms)
{
    struct nlattr *a;

    mnl_attr_for_each_nested(a, element)
    {
        uint64_t left;

        if (mnl_attr_get_type(a) != NFTA_SET_ELEM_EXPIRATION ||
            mnl_attr_get_payload_len(a) != sizeof left)
            continue;
        left = be64toh(mnl_attr_get_u64(a));
        left = htobe64(left > elapsed_ms + SHORTEST ? left - elapsed_ms : SHORTEST);
        memcpy(mnl_attr_get_payload(a), &left, sizeof left);
    }
}

static int put_back(struct transaction *t, const struct nlmsghdr *from, uint64_t elapsed_ms,
                    uint32_t set)
{
    const struct part *part = part_of(from);
    const struct nlattr *a;
    struct nlmsghdr *h;

    t->family = family_of(from);
    h = transaction_next(t, part->type, part->flags);

    mnl_attr_for_each(a, from, sizeof(struct nfgenmsg))
    {
        struct nlattr *copy = mnl_nlmsg_get_payload_tail(h), *element;

        if (mnl_attr_get_type(a) >= 32 || !(part->kept & BIT(mnl_attr_get_type(a))))
            continue;
        mnl_attr_put(h, a->nla_type, mnl_attr_get_payload_len(a), mnl_attr_get_payload(a));
        if (part->type == NFT_MSG_NEWSETELEM && mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_ELEMENTS)
            mnl_attr_for_each_nested(element, copy) let_pass(element, elapsed_ms);
    }
    if (part->type == NFT_MSG_NEWSET)
        mnl_attr_put_u32(h, NFTA_SET_ID, htonl(set));
    return transaction_close(t);
}

/* Made if missing, so that it can be deleted: see install.c. Of the family bridge, which a kernel
 * may not know, only where it is there. */
static int put_away(int descriptor, uint8_t family, struct transaction *t)
{
    char error[ENFORCE_ERROR];
    uint32_t flags = 0;
    int e = table_flags(descriptor, family, &flags, error);

    if (e == SD_ENOENT && family == NFPROTO_BRIDGE)
        return SD_OK;
    if (e != SD_OK && e != SD_ENOENT)
        return e;
    t->family = family;
    put_name(t, NFT_MSG_NEWTABLE, NLM_F_CREATE, flags);
    e = transaction_close(t);
    put_name(t, NFT_MSG_DELTABLE, 0, 0);
    return e == SD_OK ? transaction_close(t) : e;
}

static int build(int descriptor, const struct snapshot *s, nsec_t elapsed, struct transaction *t)
{
    uint64_t elapsed_ms = elapsed > 0 ? (uint64_t)(elapsed / NSEC_MS) : 0;
    uint32_t set = 0;
    int e = transaction_begin(t, NFPROTO_INET);

    if (e != SD_OK)
        return e;
    for (size_t i = 0; i < sizeof families && e == SD_OK; i++)
        e = put_away(descriptor, families[i], t);
    for (size_t at = 0; at < s->used && e == SD_OK;) {
        const struct nlmsghdr *h = (const void *)(s->bytes + at);

        at += NLMSG_ALIGN(h->nlmsg_len);
        e = put_back(t, h, elapsed_ms, ++set);
    }
    if (e != SD_OK)
        transaction_abandon(t);
    return e;
}

int snapshot_rehearse(int descriptor, const struct snapshot *s, char error[ENFORCE_ERROR])
{
    struct transaction t;
    int e = build(descriptor, s, 0, &t);

    if (e == SD_OK)
        e = transaction_rehearse(&t, descriptor);
    else
        e = -ENOMEM;
    return e == 0 ? SD_OK
                  : transport_error(e, "the ruleset that is there could not be put back", error);
}

int snapshot_restore(int descriptor, const struct snapshot *s, nsec_t elapsed,
                     char error[ENFORCE_ERROR])
{
    struct transaction t;
    int e = build(descriptor, s, elapsed, &t);

    e = e == SD_OK ? transaction_commit(&t, descriptor) : -ENOMEM;
    return e == 0 ? SD_OK : transport_error(e, "cannot put the old ruleset back", error);
}
