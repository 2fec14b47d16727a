#include "enforce/paired.h"

#include <errno.h>
#include <stdlib.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <libnftnl/common.h>
#include <libnftnl/set.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/element.h"
#include "enforce/readback.h"
#include "enforce/transport.h"

#define ATTEMPTS 3 /* one may end between the messages of a transaction */

static const char *const names[2] = {"paired_ip6", "paired_ip4"};

static int put(struct set *s, const struct enforce_pair *p)
{
    return set_add(
        s, &(struct set_element){
               .low = p->client, .high = p->client, .server = p->server, .timeout_ms = p->left_ms});
}

static int put_family(struct ruleset *r, bool v4, const struct enforce_pair *pairs, size_t count)
{
    int set = ruleset_set_named(r, names[v4]), e = SD_OK;

    for (size_t i = 0; set >= 0 && i < count && e == SD_OK; i++)
        if (addr_is_v4(&pairs[i].client) == v4)
            e = put(r->sets + set, pairs + i);
    if (set >= 0)
        set_sort(r->sets + set);
    return e;
}

int ruleset_put_pairs(struct ruleset *r, const struct enforce_pair *pairs, size_t count)
{
    int e = put_family(r, true, pairs, count);

    r->paired = true;
    return e == SD_OK ? put_family(r, false, pairs, count) : e;
}

static int put_message(struct transaction *t, uint16_t type, const struct set *from, size_t *at)
{
    struct nftnl_set *s = nftnl_set_alloc();
    int e = s ? elements_encode(NULL, from, at, s) : SD_EMEM;

    if (e == SD_OK) {
        nftnl_set_elems_nlmsg_build_payload(
            transaction_next(t, type, type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0), s);
        e = transaction_close(t);
    }
    if (s)
        nftnl_set_free(s);
    return e;
}

/* Added, so that it is there; deleted, as it may have an old end; added with the new one. */
static int put_messages(struct transaction *t, const struct set *from)
{
    static const uint16_t types[] = {NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM, NFT_MSG_NEWSETELEM};
    int e = SD_OK;

    for (size_t at = 0, next = 0; at < from->count && e == SD_OK; at = next)
        for (size_t i = 0; i < sizeof types / sizeof *types && e == SD_OK; i++) {
            next = at;
            e = put_message(t, types[i], from, &next);
        }
    return e;
}

static int write_sets(int descriptor, uint8_t family, const struct set sets[2])
{
    struct transaction t;
    int e = transaction_begin(&t, family);

    for (int v4 = 0; v4 < 2 && e == SD_OK; v4++)
        e = put_messages(&t, sets + v4);
    if (e == SD_OK)
        return transaction_commit(&t, descriptor);
    transaction_abandon(&t);
    return -ENOMEM;
}

int pairs_write(int descriptor, const struct enforce_pair *pairs, size_t count,
                char error[ENFORCE_ERROR])
{
    struct set sets[2] = {{.kind = SET_PAIRED, .timed = true},
                          {.kind = SET_PAIRED, .timed = true, .v4 = true}};
    int e = 0;

    if (count == 0)
        return SD_OK;
    for (int v4 = 0; v4 < 2; v4++)
        snprintf(sets[v4].name, sizeof sets[v4].name, "%s", names[v4]);
    for (size_t i = 0; i < count && e == 0; i++)
        if (put(sets + addr_is_v4(&pairs[i].client), pairs + i) != SD_OK)
            e = -ENOMEM;
    if (e == 0)
        e = -ENOENT;
    for (int i = 0; i < 2 * ATTEMPTS && e == -ENOENT; i++) /* our table is of either family */
        e = write_sets(descriptor, i % 2 ? NFPROTO_BRIDGE : NFPROTO_INET, sets);
    free(sets[0].elements);
    free(sets[1].elements);
    if (e == 0)
        return SD_OK;
    if (e != -ENOENT)
        return transport_error(e, "cannot pair a client with a server", error);
    snprintf(error, ENFORCE_ERROR, "there is no table " RULESET_TABLE " with sets of pairs");
    return SD_ENOENT;
}

int pairs_read(int descriptor, void (*fn)(void *context, const struct enforce_pair *p),
               void *context, char error[ENFORCE_ERROR])
{
    struct ruleset *there;
    int e = ruleset_find(descriptor, &there, error);

    for (int v4 = 0; v4 < 2 && e == SD_OK; v4++) {
        int set = ruleset_set_named(there, names[v4]);
        size_t count = set >= 0 && there->sets[set].kind == SET_PAIRED ? there->sets[set].count : 0;

        for (size_t i = 0; i < count; i++) {
            const struct set_element *x = there->sets[set].elements + i;

            fn(context, &(struct enforce_pair){x->low, x->server, x->timeout_ms});
        }
    }
    if (e == SD_OK)
        ruleset_destroy(there);
    return e;
}
