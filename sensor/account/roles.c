#include "account/roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/fetch.h"
#include "base/hash.h"
#include "base/pages.h"

enum {
    RECURSIONS = 32, /* queries of its own recursion */
    SERVERS = 8,     /* different ones it asks so */
    FORWARDS = 16,   /* queries to upstream servers */
    MANY = 1024,     /* clients from which larger pages are worth it */
    FORGET_S = 86400 /* seconds in which a role must have shown itself again */
};

struct role {
    uint32_t tenure;
    uint32_t since;      /* second, from which these are counted: */
    uint16_t own, asked; /* queries with RD=0, and with RD=1 or encrypted */
    uint64_t servers;    /* bits of the hashes of those asked with RD=0 */
    bool serves;         /* others have its answers */
    uint8_t roles, told; /* bits of enum client_role; told: as remembered last */
    nsec_t changed;
    struct addr addr;
} __attribute__((aligned(64)));

struct roles {
    struct role *of; /* by place */
    uint32_t end;    /* places that were ever used */
    uint32_t changes;
};

struct roles *roles_create(void)
{
    struct roles *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->of = pages_zeroed(CLIENTS_MOST * sizeof *r->of);
    if (r->of)
        return r;
    free(r);
    return NULL;
}

void roles_destroy(struct roles *r)
{
    if (!r)
        return;
    pages_free(r->of);
    free(r);
}

void roles_prefetch(const struct roles *r, const struct observation *o)
{
    fetch(r->of + o->note.who);
}

static uint8_t shown(const struct role *role)
{
    if (role->own >= RECURSIONS && role->own >= role->asked &&
        __builtin_popcountll(role->servers) >= SERVERS)
        return ROLE_RECURSIVE;
    return role->serves && role->asked >= FORWARDS ? ROLE_FORWARDER : 0;
}

static void become(struct roles *r, struct role *role, uint8_t roles, nsec_t now)
{
    if (role->roles == roles)
        return;
    role->roles = roles;
    role->changed = now;
    r->changes++;
}

static void learn(struct roles *r, struct role *role, const struct observation *o)
{
    uint32_t second = (uint32_t)(o->time / NSEC_S);
    uint8_t now;

    if (o->kind == OBSERVE_DNS && !dns_recursion_desired(&o->dns.message)) {
        role->own += role->own < UINT16_MAX;
        role->servers |= UINT64_C(1) << (hash_mix(o->server.w[0], o->server.w[1]) & 63);
    } else {
        role->asked += role->asked < UINT16_MAX;
    }
    now = shown(role);
    if (second - role->since > FORGET_S) {
        become(r, role, now, o->time);
        role->since = second;
        role->own = role->asked = 0;
        role->servers = 0;
        role->serves = false;
    } else if (now) {
        become(r, role, now, o->time);
    }
}

/* NULL: the policy says nothing of this address. */
static const struct policy_role *said(const struct policy *p, const struct addr *a)
{
    for (size_t i = 0; i < p->role_count; i++)
        if (addr_equal(&p->roles[i].address, a))
            return p->roles + i;
    return NULL;
}

static void grow(struct roles *r, uint32_t end)
{
    r->end = end;
    if (end >= MANY && (end & (end - 1)) == 0)
        pages_enlarge(r->of, (2 * end < CLIENTS_MOST ? 2 * end : CLIENTS_MOST) * sizeof *r->of);
}

void roles_note(struct roles *r, const struct policy *p, struct observation *o)
{
    struct role *role = r->of + o->note.who;
    const struct policy_role *word = p && p->role_count ? said(p, &o->client) : NULL;
    bool asks = o->kind == OBSERVE_DNS ? !dns_is_response(&o->dns.message)
                                       : o->kind == OBSERVE_FLOW && o->flow.queries > 0;

    if (role->tenure != o->note.tenure) {
        *role = (struct role){
            .tenure = o->note.tenure, .since = (uint32_t)(o->time / NSEC_S), .addr = o->client};
        if (o->note.who >= r->end)
            grow(r, o->note.who + 1);
    }
    if (asks)
        learn(r, role, o);
    if (word && word->roles != ROLE_SECONDARY) /* that one says nothing of how it resolves */
        o->note.roles = (o->note.roles & ROLE_GATEWAY) | word->roles;
    else
        o->note.roles |= role->roles | (word ? ROLE_SECONDARY : 0);
}

void roles_serve(struct roles *r, uint32_t who, uint32_t tenure, const struct addr *client)
{
    struct role *role = r->of + who;

    if (role->tenure == tenure && !addr_equal(&role->addr, client))
        role->serves = true;
}

static bool put(const struct role *role, struct memory_sink sink)
{
    struct memory m = {.topic = "role", .time = role->changed, .forget = role->roles == 0};

    addr_text(&role->addr, m.key);
    m.body[0] = 1;
    m.body[1] = role->roles;
    m.size = 2;
    evidence_clear(&m.text);
    evidence_string(&m.text, "client", m.key);
    evidence_string(&m.text, "role",
                    role->roles & ROLE_RECURSIVE ? "recursive resolver" : "forwarder");
    return sink.put(sink.context, &m) == 0;
}

void roles_remember(struct roles *r, struct memory_sink sink)
{
    if (!r->changes)
        return;
    r->changes = 0;
    for (uint32_t i = 0; i < r->end; i++) {
        struct role *role = r->of + i;

        if (role->told == role->roles)
            continue;
        if (!put(role, sink)) {
            r->changes = 1; /* the rest the next time */
            return;
        }
        role->told = role->roles;
    }
}
