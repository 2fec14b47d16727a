#include "enforce/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "enforce/build.h"

struct rule rule_named(int chain, const char *format, ...)
{
    struct rule r = {.chain = (uint16_t)chain, .counted = true};
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(r.id, sizeof r.id, format, arguments);
    va_end(arguments);
    return r;
}

void match_port(struct rule *r, enum match_kind kind, uint16_t port)
{
    r->matches[r->match_count++] = (struct match){.kind = kind, .port = port};
}

void match_set(struct rule *r, enum match_kind kind, int set)
{
    r->matches[r->match_count++] = (struct match){.kind = kind, .set = (uint16_t)set};
}

static void match_name(struct rule *r, enum match_kind kind, const char *iface)
{
    struct match *m = r->matches + r->match_count++;

    *m = (struct match){.kind = kind};
    snprintf(m->iface, sizeof m->iface, "%s", iface);
}

void match_iface(struct rule *r, const char *iface)
{
    match_name(r, MATCH_IIFNAME, iface);
}

void match_oiface(struct rule *r, const char *iface)
{
    match_name(r, MATCH_OIFNAME, iface);
}

void match_dnat(struct rule *r)
{
    r->matches[r->match_count++] = (struct match){.kind = MATCH_DNAT};
}

void match_syn(struct rule *r)
{
    r->matches[r->match_count++] = (struct match){.kind = MATCH_SYN};
}

void match_local(struct rule *r)
{
    r->matches[r->match_count++] = (struct match){.kind = MATCH_LOCAL};
}

void match_family(struct rule *r, bool v4)
{
    r->matches[r->match_count++] = (struct match){.kind = MATCH_FAMILY, .v4 = v4};
}

void match_share(struct rule *r, bool v4, uint32_t seed, uint8_t percent)
{
    r->matches[r->match_count++] =
        (struct match){.kind = MATCH_SHARE, .v4 = v4, .seed = seed, .port = percent};
}

static void add(struct compilation *c, const struct rule *r)
{
    if (!c->error)
        c->error = ruleset_add_rule(c->r, r);
}

/* Ahead of the rule, so that the rule itself stays exact whatever the log's rate lets through. */
static void add_log(struct compilation *c, const struct rule *of)
{
    struct rule r = *of;
    int zone = (int)strcspn(of->id, "/");

    snprintf(r.id, sizeof r.id, "%.*s/log-%.*s", zone, of->id, (int)sizeof r.id - zone - 6,
             of->id + zone + (of->id[zone] == '/'));
    snprintf(r.prefix, sizeof r.prefix, "%s%s", c->shadow ? LOG_COUNTS : LOG_ACTS, of->id);
    r.group = c->policy->log_group;
    r.statement = STATEMENT_LOG;
    add(c, &r);
}

void rule_add(struct compilation *c, struct rule *r, enum statement statement, int target)
{
    bool cuts;

    r->statement = statement;
    cuts = rule_cuts(r);
    if (cuts && c->policy->log_group)
        add_log(c, r);
    if (c->shadow && (cuts || statement == STATEMENT_MASQUERADE))
        r->statement = STATEMENT_COUNT;
    r->target = (uint16_t)target;
    add(c, r);
}

const char *family_word(int v4)
{
    return v4 ? "ip4" : "ip6";
}
