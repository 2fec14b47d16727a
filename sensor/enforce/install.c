/* The model into the kernel, and out of it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/element.h"
#include "enforce/examine.h"
#include "enforce/expression.h"
#include "enforce/install.h"
#include "enforce/readback.h"
#include "enforce/sets_only.h"
#include "enforce/transport.h"

enum { ATTEMPTS = 3 };

/* "sealdns: TEXT" as a comment that nft shows, into buffer; its length. */
static uint32_t comment(const char *text, uint8_t buffer[NFTNL_UDATA_COMMENT_MAXLEN + 2])
{
    int length = snprintf((char *)buffer + 2, NFTNL_UDATA_COMMENT_MAXLEN, "sealdns: %s", text);

    if (length >= NFTNL_UDATA_COMMENT_MAXLEN)
        length = NFTNL_UDATA_COMMENT_MAXLEN - 1;
    buffer[0] = NFTNL_UDATA_RULE_COMMENT; /* 0, as of a table */
    buffer[1] = (uint8_t)(length + 1);
    return (uint32_t)length + 3;
}

static struct nftnl_table *new_table(const char *name, uint32_t flags)
{
    struct nftnl_table *t = nftnl_table_alloc();

    if (!t)
        return NULL;
    nftnl_table_set_u32(t, NFTNL_TABLE_FLAGS, flags);
    if (nftnl_table_set_str(t, NFTNL_TABLE_NAME, name) == 0)
        return t;
    nftnl_table_free(t);
    return NULL;
}

int put_table(struct transaction *t, uint16_t type, uint32_t flags, const char *mark)
{
    struct nftnl_table *table = new_table(t->table, flags);
    uint8_t buffer[NFTNL_UDATA_COMMENT_MAXLEN + 2];

    if (!table)
        return SD_EMEM;
    if (mark)
        nftnl_table_set_data(table, NFTNL_TABLE_USERDATA, buffer, comment(mark, buffer));
    nftnl_table_nlmsg_build_payload(
        transaction_next(t, type, type == NFT_MSG_NEWTABLE ? NLM_F_CREATE : 0), table);
    nftnl_table_free(table);
    return transaction_close(t);
}

static int put_chain(struct transaction *t, const struct chain *from)
{
    struct nftnl_chain *c = nftnl_chain_alloc();

    if (!c)
        return SD_EMEM;
    nftnl_chain_set_str(c, NFTNL_CHAIN_TABLE, t->table);
    nftnl_chain_set_str(c, NFTNL_CHAIN_NAME, from->name);
    if (from->base) {
        nftnl_chain_set_str(c, NFTNL_CHAIN_TYPE, from->nat ? "nat" : "filter");
        nftnl_chain_set_u32(c, NFTNL_CHAIN_HOOKNUM, from->hook);
        nftnl_chain_set_s32(c, NFTNL_CHAIN_PRIO, from->priority);
        nftnl_chain_set_u32(c, NFTNL_CHAIN_POLICY, NF_ACCEPT);
    }
    nftnl_chain_nlmsg_build_payload(transaction_next(t, NFT_MSG_NEWCHAIN, NLM_F_CREATE), c);
    nftnl_chain_free(c);
    return transaction_close(t);
}

int put_set(struct transaction *t, const struct set *from, uint32_t id)
{
    struct nftnl_set *s = nftnl_set_alloc();
    int e = s ? set_encode(from, s) : SD_EMEM;

    if (e == SD_OK) {
        nftnl_set_set_u32(s, NFTNL_SET_ID, id);
        nftnl_set_set_str(s, NFTNL_SET_TABLE, t->table);
        nftnl_set_nlmsg_build_payload(transaction_next(t, NFT_MSG_NEWSET, NLM_F_CREATE), s);
        e = transaction_close(t);
    }
    if (s)
        nftnl_set_free(s);
    return e;
}

int put_elements(struct transaction *t, const struct ruleset *r, const struct set *from)
{
    size_t at = 0;
    int e = SD_OK;

    while (at < from->count && e == SD_OK) {
        struct nftnl_set *s = nftnl_set_alloc();

        e = s ? elements_encode(r, from, &at, s) : SD_EMEM;
        if (e == SD_OK) {
            nftnl_set_set_str(s, NFTNL_SET_TABLE, t->table);
            nftnl_set_elems_nlmsg_build_payload(
                transaction_next(t, NFT_MSG_NEWSETELEM, NLM_F_CREATE), s);
            e = transaction_close(t);
        }
        if (s)
            nftnl_set_free(s);
    }
    return e;
}

static int put_rule(struct transaction *t, const struct ruleset *r, const struct rule *from)
{
    struct nftnl_rule *rule = nftnl_rule_alloc();
    uint8_t buffer[NFTNL_UDATA_COMMENT_MAXLEN + 2];
    int e = SD_EMEM;

    if (rule) {
        nftnl_rule_set_u32(rule, NFTNL_RULE_FAMILY, r->family);
        e = rule_encode(r, from, rule);
    }
    if (e == SD_OK) {
        nftnl_rule_set_str(rule, NFTNL_RULE_TABLE, t->table);
        nftnl_rule_set_str(rule, NFTNL_RULE_CHAIN, r->chains[from->chain].name);
        nftnl_rule_set_data(rule, NFTNL_RULE_USERDATA, buffer, comment(from->id, buffer));
        nftnl_rule_nlmsg_build_payload(
            transaction_next(t, NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND), rule);
        e = transaction_close(t);
    }
    if (rule)
        nftnl_rule_free(rule);
    return e;
}

static int put_contents(struct transaction *t, const struct ruleset *r)
{
    int e = SD_OK;

    for (size_t i = 0; i < r->chain_count && e == SD_OK; i++)
        e = put_chain(t, r->chains + i);
    for (size_t i = 0; i < r->set_count && e == SD_OK; i++)
        e = put_set(t, r->sets + i, (uint32_t)i + 1);
    for (size_t i = 0; i < r->set_count && e == SD_OK; i++)
        e = put_elements(t, r, r->sets + i);
    for (size_t i = 0; i < r->rule_count && e == SD_OK; i++)
        e = put_rule(t, r, r->rules + i);
    return e;
}

/* Made if missing, so that it can be deleted; then made anew: replaced whole, whatever was there.
 * The first making must ask for the flags that the table has, or the kernel refuses to change them.
 */
static int replace(int descriptor, const struct ruleset *r, uint32_t flags_there, bool cover)
{
    char mark[32] = SETS_ONLY_MARK;
    struct transaction t;
    int e = transaction_begin(&t, r->family);

    if (cover)
        t.table = COVER_TABLE;
    if (!r->sets_only)
        snprintf(mark, sizeof mark, "digest %016" PRIx64, r->digest);
    if (e == SD_OK)
        e = put_table(&t, NFT_MSG_NEWTABLE, flags_there, NULL);
    if (e == SD_OK)
        e = put_table(&t, NFT_MSG_DELTABLE, 0, NULL);
    if (e == SD_OK)
        e = put_table(&t, NFT_MSG_NEWTABLE, cover ? 0 : r->flags, mark);
    if (e == SD_OK)
        e = put_contents(&t, r);
    if (e == SD_OK)
        return transaction_commit(&t, descriptor);
    transaction_abandon(&t);
    return -ENOMEM;
}

/* make: first made where it is not there, so that its absence is no error. */
static int delete_table(int descriptor, uint8_t family, const char *table, bool make)
{
    struct transaction t;
    int e = transaction_begin(&t, family);

    t.table = table;
    if (e == SD_OK && make)
        e = put_table(&t, NFT_MSG_NEWTABLE, 0, NULL);
    if (e == SD_OK)
        e = put_table(&t, NFT_MSG_DELTABLE, 0, NULL);
    if (e == SD_OK)
        return transaction_commit(&t, descriptor);
    transaction_abandon(&t);
    return -ENOMEM;
}

static int uncover(int descriptor, uint8_t family)
{
    return delete_table(descriptor, family, COVER_TABLE, true);
}

/* A transaction is whole for who reads it, not for packets: sets are searched, and some get their
 * elements, by other moments of it than the chains' (measured: 0.1 ms in which neither the old nor
 * the new rules cut). So the new rules stand twice while the old ones are replaced: what is cut
 * meanwhile is what either cuts. */
static int replace_covered(int descriptor, const struct ruleset *r, uint32_t flags_there)
{
    int e = replace(descriptor, r, 0, true);

    return e ? e : replace(descriptor, r, flags_there, false);
}

static int remove_one(int descriptor, uint8_t family, char error[ENFORCE_ERROR])
{
    struct ruleset *there;
    int e = ruleset_read(descriptor, family, &there, error);

    if (e == SD_OK && there->sets_only) {
        e = sets_only_remove(descriptor, there, error);
        ruleset_destroy(there);
        return e;
    }
    ruleset_destroy(there);
    if (e != SD_ENOENT || family == NFPROTO_INET)
        uncover(descriptor, family); /* what it says, the next one says too */
    if (e == SD_ENOENT)
        return e;
    e = delete_table(descriptor, family, RULESET_TABLE,
                     false); /* also one that could not be read */
    if (e == 0)
        return SD_OK;
    if (e == -ENOENT)
        return SD_ENOENT;
    return transport_error(e, "cannot remove table " RULESET_TABLE, error);
}

/* What stood there while the sensor stood elsewhere. */
static int remove_other(int descriptor, uint8_t family, char error[ENFORCE_ERROR])
{
    uint8_t other = family == NFPROTO_INET ? NFPROTO_BRIDGE : NFPROTO_INET;
    uint32_t flags;
    int e = table_flags(descriptor, other, &flags, error);

    if (e == SD_OK)
        e = remove_one(descriptor, other, error);
    return e == SD_ENOENT ? SD_OK : e;
}

static int install_once(int descriptor, const struct ruleset *r, char error[ENFORCE_ERROR])
{
    struct enforce_status size;
    struct ruleset *there;
    uint32_t flags;
    char doing[96];
    bool cutting;
    int e, uncovered;

    if (r->empty) {
        e = ruleset_remove_by(descriptor, error);
        return e == SD_ENOENT ? SD_OK : e;
    }
    e = ruleset_read(descriptor, r->family, &there, error);
    if (e != SD_OK && e != SD_ENOENT)
        return e;
    flags = e == SD_OK ? there->flags : 0;
    cutting = e == SD_OK && !there->sets_only && !r->sets_only;
    if (e == SD_OK && ruleset_is(there, r))
        e = 0;
    else if (e == SD_OK && r->sets_only && there->sets_only)
        e = sets_only_update(descriptor, there, r);
    else if (cutting)
        e = replace_covered(descriptor, r, flags);
    else
        e = replace(descriptor, r, flags, false);
    ruleset_destroy(there);
    uncovered = uncover(descriptor, r->family); /* also what one who was killed has left */
    e = e ? e : uncovered;
    if (e == 0)
        return remove_other(descriptor, r->family, error);
    ruleset_describe(r, &size);
    snprintf(doing, sizeof doing, "cannot install the ruleset, of %u elements (the old one stays)",
             size.elements);
    return transport_error(e, doing, error);
}

/* ENOBUFS, EBUSY and EINTR pass. What was installed although its answer was lost is found to be
 * there. */
int ruleset_install_by(int descriptor, const struct ruleset *r, char error[ENFORCE_ERROR])
{
    static const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};
    int e = install_once(descriptor, r, error);

    for (int i = 1; i < ATTEMPTS && e == SD_ENET; i++) {
        nanosleep(&moment, NULL);
        e = install_once(descriptor, r, error);
    }
    return e;
}

int ruleset_install(const struct ruleset *r, char error[ENFORCE_ERROR])
{
    int e, fd;

    if ((r->flags & TABLE_OWNER) && !(r->flags & TABLE_PERSIST)) {
        snprintf(error, ENFORCE_ERROR,
                 "a table with the flag owner goes with who installs it: let the daemon do it, or "
                 "set `persist` too");
        return SD_ESTATE;
    }
    fd = transport_open(error);
    if (fd < 0)
        return fd;
    e = ruleset_install_by(fd, r, error);
    close(fd);
    return e;
}

int ruleset_remove_by(int descriptor, char error[ENFORCE_ERROR])
{
    int e = remove_one(descriptor, NFPROTO_INET, error), other;

    if (e != SD_OK && e != SD_ENOENT)
        return e;
    other = remove_one(descriptor, NFPROTO_BRIDGE, error);
    if (other != SD_ENOENT)
        return other;
    if (e == SD_ENOENT)
        snprintf(error, ENFORCE_ERROR, "there is no table " RULESET_TABLE);
    return e;
}

int ruleset_remove(char error[ENFORCE_ERROR])
{
    int e, fd = transport_open(error);

    if (fd < 0)
        return fd;
    e = ruleset_remove_by(fd, error);
    close(fd);
    return e;
}

int enforce_open(char error[ENFORCE_ERROR])
{
    return transport_open(error);
}

int ruleset_status(struct enforce_status *out, char error[ENFORCE_ERROR])
{
    struct ruleset *there;
    int e, fd = transport_open(error);

    if (fd < 0)
        return fd;
    e = ruleset_find(fd, &there, error);
    close(fd);
    if (e == SD_OK && there->sets_only)
        e = sets_only_keep(there, NULL);
    if (e == SD_OK)
        ruleset_describe(there, out);
    ruleset_destroy(there);
    return e;
}

static bool is_log_of(const struct rule *log, const struct rule *r)
{
    return log->statement == STATEMENT_LOG && !log->foreign && log->chain == r->chain;
}

int ruleset_counters(void (*fn)(void *context, const struct rule_counter *c), void *context,
                     char error[ENFORCE_ERROR])
{
    struct ruleset *there;
    int e, fd = transport_open(error);

    if (fd < 0)
        return fd;
    e = ruleset_find(fd, &there, error);
    close(fd);
    if (e != SD_OK)
        return e;
    for (size_t i = 0; i < there->rule_count; i++) {
        const struct rule *r = there->rules + i;
        const struct rule *log = i && is_log_of(r - 1, r) ? r - 1 : NULL;
        struct rule_counter c = {.packets = r->packets,
                                 .bytes = r->bytes,
                                 .acts = rule_cuts(r),
                                 .counts = r->statement == STATEMENT_COUNT,
                                 .logs = log != NULL,
                                 .logged = log ? log->packets : 0};

        if (!r->id[0] || r->foreign)
            continue;
        memcpy(c.id, r->id, sizeof c.id);
        memcpy(c.chain, there->chains[r->chain].name, sizeof c.chain - 1);
        fn(context, &c);
    }
    ruleset_destroy(there);
    return SD_OK;
}
