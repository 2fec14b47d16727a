/* Policy to ruleset: what can be enforced, and its digest. The rules themselves are rules.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>

#include "base/error.h"
#include "base/hash.h"
#include "enforce/build.h"
#include "enforce/compile.h"
#include "enforce/print.h"
#include "enforce/redirect.h"

/* A word that nft reads back as the name that it is. */
static bool is_plain(const char *word)
{
    return word[0] && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789._-")];
}

static int unsupported(char error[ENFORCE_ERROR], const struct policy_zone *z, const char *why)
{
    snprintf(error, ENFORCE_ERROR, "zone %s: %s", z->id, why);
    return SD_EUNSUP;
}

static int check_zone(const struct policy *p, size_t zone, char error[ENFORCE_ERROR])
{
    const struct policy_zone *z = p->zones + zone;
    const char *objection = redirect_objection(p, zone);

    if (!is_plain(z->id))
        return unsupported(error, z, "its id is no name that nftables takes");
    if (p->set_only)
        return SD_OK; /* all else is a matter of rules */
    for (size_t i = 0; i < z->interface_count; i++)
        if (!is_plain(z->interfaces[i]))
            return unsupported(error, z, "an interface has a name that nft cannot write");
    if (p->place == PLACE_BRIDGE &&
        (z->cleartext == ACTION_REJECT || z->cleartext == ACTION_REDIRECT ||
         z->unapproved == ACTION_REJECT))
        return unsupported(error, z, "a bridge neither rejects nor redirects; use `drop`");
    if (z->unapproved == ACTION_REDIRECT)
        return unsupported(error, z, "encrypted DNS cannot be redirected; use `reject`");
    if (objection)
        return unsupported(error, z, objection);
    if (z->vlan_count)
        return unsupported(error, z,
                           "the kernel no longer sees the VLAN tag where packets are forwarded; "
                           "name the VLAN's interface under `interfaces` instead of `vlans`");
    return SD_OK;
}

/* What the kernel cannot do at these hooks is an error now, not a hole later. */
static int check_zones(const struct policy *p, char error[ENFORCE_ERROR])
{
    int e = SD_OK;

    for (size_t i = 0; i < p->zone_count && e == SD_OK; i++)
        e = check_zone(p, i, error);
    return e;
}

/* Over the text without what changes with time, and over the exceptions with their ends. */
static int make_digest(struct compilation *c)
{
    const struct policy *p = c->policy;
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    int e = to ? ruleset_print_as(c->r, PRINT_TIMELESS, to) : SD_EMEM;

    for (size_t i = 0; to && i < p->exception_count; i++) {
        const struct policy_exception *x = p->exceptions + i;
        char client[ADDR_TEXT + 4];

        fprintf(to, "exception %s %d %lld\n", policy_exception_text(x, client), x->resolver,
                (long long)x->until);
    }
    if (to && fclose(to) != 0)
        e = SD_EMEM;
    if (e == SD_OK)
        c->r->digest = hash_bytes(text, size, 0);
    free(text);
    return e;
}

static int compile_into(struct compilation *c, char error[ENFORCE_ERROR])
{
    uint16_t *zones = calloc(c->policy->zone_count, sizeof *zones);
    int e = zones ? check_zones(c->policy, error) : SD_EMEM;

    if (e == SD_OK) {
        c->r->sets_only ? compile_sets(c) : compile_rules(c, zones);
        e = c->error;
    }
    free(zones);
    if (e == SD_OK && !c->r->sets_only)
        e = make_digest(c);
    if (e == SD_ELIMIT)
        snprintf(error, ENFORCE_ERROR, "more zones than a ruleset holds (65,000 chains or sets)");
    else if (e == SD_EMEM)
        snprintf(error, ENFORCE_ERROR, "out of memory while making the ruleset");
    return e;
}

int ruleset_compile(const struct policy *policy, enum mode mode, nsec_t now, struct ruleset **out,
                    char error[ENFORCE_ERROR])
{
    struct compilation c = {.policy = policy, .now = now, .shadow = mode != MODE_ENFORCE};
    int e = SD_EMEM;

    *out = NULL;
    error[0] = '\0';
    c.r = ruleset_create(policy->place == PLACE_BRIDGE ? NFPROTO_BRIDGE : NFPROTO_INET);
    if (!c.r) {
        snprintf(error, ENFORCE_ERROR, "out of memory while making the ruleset");
        return SD_EMEM;
    }
    snprintf(c.r->origin, sizeof c.r->origin, "policy %s, mode %s%s",
             policy->digest[0] ? policy->digest : "-", mode_name(mode),
             policy->set_only ? ", sets only" : "");
    c.r->empty = mode == MODE_MONITOR;
    c.r->sets_only = policy->set_only;
    c.r->flags =
        (policy->owner_flag ? TABLE_OWNER : 0u) | (policy->persist_flag ? TABLE_PERSIST : 0u);
    e = c.r->empty ? SD_OK : compile_into(&c, error);
    if (e != SD_OK) {
        ruleset_destroy(c.r);
        return e;
    }
    *out = c.r;
    return SD_OK;
}
