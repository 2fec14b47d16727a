#include "enforce/sets_only.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter/nf_tables.h>

#include <libmnl/libmnl.h>

#include "base/error.h"
#include "base/hash.h"
#include "enforce/build.h"
#include "enforce/examine.h"
#include "enforce/install.h"
#include "enforce/print.h"
#include "enforce/readback.h"

static bool is_our_name(const char *name)
{
    static const char *const ours[] = {"zone_", "dedicated_", "excepted_", "paired_", "dns_ports"};

    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (strncmp(name, ours[i], strlen(ours[i])) == 0)
            return true;
    return false;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const struct set *)left)->name, ((const struct set *)right)->name);
}

int sets_only_seal(struct ruleset *r)
{
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    int e = to ? SD_OK : SD_EMEM;

    if (r->set_count)
        qsort(r->sets, r->set_count, sizeof *r->sets, by_name);
    if (to)
        e = ruleset_print_as(r, PRINT_TIMELESS, to);
    if (to && fclose(to) != 0)
        e = SD_EMEM;
    if (e == SD_OK)
        r->digest = hash_bytes(text, size, 0);
    free(text);
    return e;
}

int sets_only_keep(struct ruleset *there, const struct ruleset *r)
{
    size_t kept = 0;

    for (size_t i = 0; i < there->rule_count; i++)
        free(there->rules[i].foreign);
    there->rule_count = there->chain_count = 0;
    there->flags = 0; /* dormant: the rules are not ours */
    for (size_t i = 0; i < there->set_count; i++) {
        struct set *s = there->sets + i;

        if (is_our_name(s->name) && (s->count || !r || ruleset_set_named(r, s->name) >= 0))
            there->sets[kept++] = *s;
        else
            free(s->elements);
    }
    there->set_count = kept;
    return sets_only_seal(there);
}

/* The elements of a set, or the set: there is no other attribute in either message. */
static int put_end(struct transaction *t, uint16_t type, const char *set)
{
    struct nlmsghdr *h = transaction_next(t, type, 0);

    _Static_assert(NFTA_SET_TABLE == (int)NFTA_SET_ELEM_LIST_TABLE &&
                       NFTA_SET_NAME == (int)NFTA_SET_ELEM_LIST_SET,
                   "one number");
    mnl_attr_put_strz(h, NFTA_SET_TABLE, RULESET_TABLE);
    mnl_attr_put_strz(h, NFTA_SET_NAME, set);
    return transaction_close(t);
}

/* What the policy no longer knows, and rules of somebody's may still use. */
static int put_stale(struct transaction *t, const struct ruleset *there, const struct ruleset *r)
{
    int e = SD_OK;

    for (size_t i = 0; i < there->set_count && e == SD_OK; i++)
        if (ruleset_set_named(r, there->sets[i].name) < 0)
            e = put_end(t, NFT_MSG_DELSETELEM, there->sets[i].name);
    return e;
}

static bool is_alike(const struct set *a, const struct set *b)
{
    return a->kind == b->kind && a->v4 == b->v4 && a->timed == b->timed;
}

static bool has_same(const struct set *a, const struct set *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; i < a->count && same; i++) {
        const struct set_element *x = a->elements + i, *y = b->elements + i;

        same = addr_equal(&x->low, &y->low) && addr_equal(&x->high, &y->high) &&
               addr_equal(&x->server, &y->server) && x->port == y->port &&
               x->timeout_ms == y->timeout_ms;
    }
    return same;
}

static int put_wanted(struct transaction *t, const struct ruleset *there, const struct ruleset *r,
                      size_t number)
{
    const struct set *want = r->sets + number;
    int at = ruleset_set_named(there, want->name), e = SD_OK;
    const struct set *have = at >= 0 ? there->sets + at : NULL;
    bool made = have && is_alike(have, want);

    if (made && has_same(have, want))
        return SD_OK;
    if (have)
        e = put_end(t, made ? NFT_MSG_DELSETELEM : NFT_MSG_DELSET, want->name);
    if (e == SD_OK && !made)
        e = put_set(t, want, (uint32_t)number + 1);
    return e == SD_OK ? put_elements(t, r, want) : e;
}

static int update(int descriptor, const struct ruleset *there, const struct ruleset *r)
{
    struct transaction t;
    int e = transaction_begin(&t, r->family);

    if (e == SD_OK)
        e = put_stale(&t, there, r);
    for (size_t i = 0; i < r->set_count && e == SD_OK; i++)
        e = put_wanted(&t, there, r, i);
    if (e == SD_OK && t.sequence > 2) /* more than its beginning */
        return transaction_commit(&t, descriptor);
    transaction_abandon(&t);
    return e == SD_OK ? 0 : -ENOMEM;
}

/* Each by itself: one that is used stays, and stays empty. */
static void sweep(int descriptor, const struct ruleset *r)
{
    char error[ENFORCE_ERROR];
    struct ruleset *there;
    int e = ruleset_read(descriptor, r->family, &there, error);

    for (size_t i = 0; e == SD_OK && i < there->set_count; i++) {
        const char *name = there->sets[i].name;
        struct transaction t;

        if (!is_our_name(name) || ruleset_set_named(r, name) >= 0)
            continue;
        e = transaction_begin(&t, r->family);
        if (e == SD_OK)
            e = put_end(&t, NFT_MSG_DELSET, name);
        if (e == SD_OK)
            transaction_commit(&t, descriptor);
        else
            transaction_abandon(&t);
    }
    ruleset_destroy(there);
}

int sets_only_update(int descriptor, const struct ruleset *there, const struct ruleset *r)
{
    int e = update(descriptor, there, r);

    if (e == 0)
        sweep(descriptor, r);
    return e;
}

static bool is_alone(const struct ruleset *there)
{
    for (size_t i = 0; i < there->set_count; i++)
        if (!is_our_name(there->sets[i].name))
            return false;
    return there->chain_count == 0;
}

static int in_use(const struct ruleset *there, char error[ENFORCE_ERROR])
{
    char chains[96] = "";

    for (size_t i = 0; i < there->chain_count && strlen(chains) + 32 < sizeof chains; i++)
        snprintf(chains + strlen(chains), sizeof chains - strlen(chains), "%s%.24s", i ? ", " : "",
                 there->chains[i].name);
    snprintf(error, ENFORCE_ERROR,
             "our sets are used by rules of somebody else (chains %s): take those out first, or "
             "`nft delete table %s " RULESET_TABLE "` takes all",
             chains, ruleset_family(there));
    return SD_ESTATE;
}

int sets_only_remove(int descriptor, const struct ruleset *there, char error[ENFORCE_ERROR])
{
    struct transaction t;
    int e = transaction_begin(&t, there->family);

    for (size_t i = 0; i < there->set_count && e == SD_OK; i++)
        if (is_our_name(there->sets[i].name))
            e = put_end(&t, NFT_MSG_DELSET, there->sets[i].name);
    if (e == SD_OK && is_alone(there))
        e = put_table(&t, NFT_MSG_DELTABLE, 0, NULL);
    if (e != SD_OK || t.sequence <= 2) {
        transaction_abandon(&t);
        snprintf(error, ENFORCE_ERROR, "no sets of ours are in table %s " RULESET_TABLE,
                 ruleset_family(there));
        return e == SD_OK ? SD_ENOENT : e;
    }
    e = transaction_commit(&t, descriptor);
    if (e == -EBUSY)
        return in_use(there, error);
    return e == 0 ? SD_OK : transport_error(e, "cannot remove our sets", error);
}
