#include "detect/usage.h"

#include <stdio.h>
#include <string.h>

#define RULE  "downgrade"
#define TOPIC "profile"
#define KEY   (240 * NSEC_S) /* WireGuard renews it after two minutes, gives up after three */
enum { VERSION = 2 };

_Static_assert(sizeof(struct usage_counts) <= MEMORY_BODY, "one piece holds a client");

void usage_read_limits(struct usage_limits *l, const struct policy *p)
{
    l->clear_queries = (uint32_t)policy_threshold(p, RULE, "profile_clear_queries", 3);
    l->hard_failures = (uint32_t)policy_threshold(p, RULE, "profile_hard_failures", 2);
    l->absence = policy_threshold(p, RULE, "absence_s", 1800) * NSEC_S;
}

/* Remembered when it begins, and each time it has doubled. */
static void count(struct usage *u, uint32_t *n)
{
    if (*n < UINT32_MAX)
        ++*n;
    u->changed |= (*n & (*n - 1)) == 0;
}

static void age(struct usage *u, nsec_t now)
{
    uint32_t *n[] = {&u->n.successes, &u->n.failures,  &u->n.hard,  &u->n.rejected, &u->n.fallbacks,
                     &u->n.recursed,  &u->n.recursing, &u->n.clear, &u->n.bootstrap};

    if (!u->n.aged)
        u->n.aged = now;
    if (now - u->n.aged < USAGE_WEEK)
        return;
    for (size_t i = 0; i < sizeof n / sizeof *n; i++)
        *n[i] /= 2;
    u->n.aged = now;
    u->changed = true;
}

/* Temporary addresses come and go, that of IPv4 stays: one piece in the store for each client. */
static void go_by(struct usage *u, const struct addr *client)
{
    memcpy(&u->tail, client->b + 12, sizeof u->tail);
    if (addr_is_v4(client) || !addr_is_v4(&u->address))
        u->address = *client;
}

static void add(uint32_t *n, uint32_t more)
{
    *n = more > UINT32_MAX - *n ? UINT32_MAX : *n + more;
}

void usage_join(struct usage *u, const struct addr *client, const struct usage_counts *n)
{
    if (!u->n.since || n->since < u->n.since) {
        u->n.since = n->since;
        u->n.aged = n->aged;
        u->kept = *client;
    }
    if (n->last > u->n.last)
        u->n.last = n->last;
    u->n.name_sent |= n->name_sent;
    add(&u->n.clear, n->clear);
    add(&u->n.bootstrap, n->bootstrap);
    add(&u->n.successes, n->successes);
    add(&u->n.failures, n->failures);
    add(&u->n.hard, n->hard);
    add(&u->n.rejected, n->rejected);
    add(&u->n.fallbacks, n->fallbacks);
    add(&u->n.recursed, n->recursed);
    add(&u->n.recursing, n->recursing);
}

void usage_place(struct usage *u, const struct addr *client, const struct usage_counts *n)
{
    usage_join(u, client, n);
    go_by(u, client);
}

bool usage_is_misplaced(const struct usage *u)
{
    return !addr_is_zero(&u->kept) && !addr_equal(&u->kept, &u->address);
}

void usage_seen_anew(struct usage *u, const struct addr *client, nsec_t now, bool fresh,
                     const struct usage_limits *l)
{
    if (fresh && !u->n.since)
        u->n.since = now;
    if (fresh || usage_moves(u, client))
        go_by(u, client);
    if (now - u->n.last > l->absence)
        u->attached = now;
    age(u, now);
}

bool usage_began_vpn(struct usage *u, enum vpn vpn, nsec_t now)
{
    bool runs = u->vpn_key && now - u->vpn_key < KEY;

    u->vpn_key = now;
    if (runs)
        return false;
    u->vpn = (uint8_t)vpn;
    u->vpn_began = now;
    return true;
}

/* A failure that another one or a success follows, and no clear text, was taken. */
static void end_run(struct usage *u)
{
    for (; u->run > 1; u->run--)
        count(u, &u->n.hard);
    u->run = 0;
    u->slow = false;
}

void usage_worked(struct usage *u, bool name_sent)
{
    end_run(u);
    u->failed = 0;
    if (u->n.successes == 0)
        u->n.clear = 0; /* how it began: a browser asks in clear text until it knows its resolver */
    u->changed |= name_sent && !u->n.name_sent;
    u->n.name_sent |= name_sent;
    count(u, &u->n.successes);
}

static bool is_slow(uint8_t cause)
{
    return cause == CAUSE_TIMEOUT || cause == CAUSE_NO_ANSWER || cause == CAUSE_ICMP;
}

void usage_failed(struct usage *u, const struct blame *blame, nsec_t now, nsec_t window)
{
    if (u->run && now - u->failed > u->window) {
        u->run++; /* nothing came of the old one either */
        end_run(u);
    }
    count(u, &u->n.failures);
    if (blame->cause == CAUSE_CERTIFICATE)
        count(u, &u->n.rejected);
    u->run++;
    u->slow |= is_slow(blame->cause);
    u->failed = now;
    u->window = window;
}

void usage_fell_back(struct usage *u)
{
    u->run = 0;
    u->slow = false;
    count(u, &u->n.fallbacks);
}

void usage_recursed(struct usage *u, bool trying)
{
    bool after = trying && u->n.recursing == 0;

    count(u, after ? &u->n.recursed : &u->n.recursing);
    if (!after)
        return;
    u->run = 0;
    u->slow = false;
}

void usage_asked_clear(struct usage *u)
{
    count(u, &u->n.clear);
}

void usage_bootstrapped(struct usage *u)
{
    count(u, &u->n.bootstrap);
}

/* Who meets silence or an ICMP error may wait for minutes before it falls back; else a client that
 * tries again has made up its mind. */
static uint32_t hard_failures(const struct usage *u, nsec_t now)
{
    if (u->run && now - u->failed > u->window)
        return u->n.hard + u->run;
    return u->n.hard + (u->run && !u->slow ? u->run - 1 : 0);
}

enum usage_profile usage_profile(const struct usage *u, nsec_t now, const struct usage_limits *l)
{
    const struct usage_counts *n = &u->n;

    if (n->fallbacks || (n->failures && n->recursed >= l->clear_queries))
        return USAGE_OPPORTUNISTIC;
    if (n->clear >= l->clear_queries)
        return n->successes || n->failures ? USAGE_MIXED : USAGE_CLEAR_ONLY;
    if (hard_failures(u, now) < l->hard_failures)
        return USAGE_UNKNOWN;
    /* Seen to work without a name and never to refuse a certificate: it verifies nothing. */
    return n->successes && !n->name_sent && !n->rejected ? USAGE_UNKNOWN : USAGE_STRICT;
}

const char *usage_word(unsigned profile)
{
    static const char *const words[] = {"unknown", "strict", "opportunistic", "clear-text-only",
                                        "mixed"};

    return profile < sizeof words / sizeof *words ? words[profile] : words[0];
}

static void begin_piece(struct memory *m, const struct addr *address, nsec_t time)
{
    memset(m, 0, offsetof(struct memory, text));
    evidence_clear(&m->text);
    snprintf(m->topic, sizeof m->topic, TOPIC);
    addr_text(address, m->key);
    m->time = time;
}

void usage_forget(const struct usage *u, struct memory *m)
{
    begin_piece(m, &u->kept, u->n.last);
    m->forget = true;
}

void usage_remember(const struct usage *u, nsec_t now, const struct usage_limits *l,
                    struct memory *m)
{
    struct usage_counts n = u->n;
    struct evidence *e = &m->text;

    begin_piece(m, &u->address, n.last);
    n.version = VERSION;
    n.hard = hard_failures(u, now);
    m->size = sizeof n;
    memcpy(m->body, &n, sizeof n);
    evidence_string(e, "profile", usage_word(usage_profile(u, now, l)));
    evidence_integer(e, "successes", n.successes);
    evidence_integer(e, "failures", n.failures);
    evidence_integer(e, "hard_failures", n.hard);
    evidence_integer(e, "certificates_refused", n.rejected);
    evidence_integer(e, "clear_after_failure", n.fallbacks);
    evidence_integer(e, "recursion_after_failure", n.recursed);
    evidence_integer(e, "clear_otherwise", n.clear);
    evidence_integer(e, "bootstrap", n.bootstrap);
    evidence_boolean(e, "name_sent", n.name_sent);
}

bool usage_recall(const struct memory *m, struct addr *client, struct usage_counts *n)
{
    if (strcmp(m->topic, TOPIC) != 0 || m->size != sizeof *n || m->body[0] != VERSION ||
        addr_parse(m->key, client) != 0)
        return false;
    if (m->body[offsetof(struct usage_counts, name_sent)] > 1)
        return false; /* no truth value */
    memcpy(n, m->body, sizeof *n);
    return n->since >= 0 && n->last >= n->since && n->aged >= 0 && n->aged <= n->last;
}
