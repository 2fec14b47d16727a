/* Who fetches zones (AXFR, RFC 5936; IXFR, RFC 1995), and who announces or changes them (NOTIFY,
 * RFC 1996; UPDATE, RFC 2136), without being a secondary by the policy's word. What counts is what
 * the server gave: a zone, a refusal, or nothing.
 *
 * Worst case in bytes: 4,096 pairs of about 520, and 4,096 pairs of 48 that spoke DoT. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "detect/draft.h"
#include "detect/tallied.h"

#define RULE   "zone-transfer"
#define PAIRS  4096
#define SEALED 4096

enum { OPCODES = 0x7800, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5 };
enum transfer_what {
    TRANSFER_NONE,
    TRANSFER_AXFR,
    TRANSFER_IXFR,
    TRANSFER_NOTIFY,
    TRANSFER_UPDATE
};

struct transfer {
    struct tally_item item; /* first; counts requests */
    struct sighting seen;
    uint64_t flow_id;
    uint64_t records, octets; /* of answers, over all requests */
    uint32_t messages, given, refused;
    uint32_t running; /* records of the running transfer */
    uint16_t id, qtype;
    uint8_t rcode; /* of the last answer */
    uint8_t soas;  /* of the running transfer: two end it */
    bool listed, inside;
    char name[256];
};

/* A client and a server that spoke DoT: a transfer between them need not be in clear (RFC 9103). */
struct sealed_pair {
    struct addr client, server; /* the key */
    nsec_t seen;
};

struct zone_transfer {
    struct tallied base; /* first */
    struct table *sealed;
    uint8_t severity_given, severity_refused, severity_unanswered, severity_sealed;
    uint8_t severity_notify, severity_update, severity_inside;
};

/* --- what is said ----------------------------------------------------------------------------- */

static const char *word_of(unsigned what)
{
    static const char *const words[] = {"", "AXFR", "IXFR", "NOTIFY", "UPDATE"};

    return words[what];
}

static bool is_fetch(unsigned what)
{
    return what == TRANSFER_AXFR || what == TRANSFER_IXFR;
}

static enum severity how_grave(const struct zone_transfer *z, const struct transfer *t)
{
    if (!is_fetch(t->item.key.what)) {
        if (t->inside)
            return z->severity_inside;
        return t->item.key.what == TRANSFER_UPDATE ? z->severity_update : z->severity_notify;
    }
    if (t->listed)
        return z->severity_sealed; /* others that are listed are not told of */
    if (t->given)
        return z->severity_given;
    return t->refused ? z->severity_refused : z->severity_unanswered;
}

static const char *outcome_of(const struct transfer *t)
{
    if (!is_fetch(t->item.key.what))
        return t->given ? "accepted" : t->refused ? "refused" : "no answer";
    return t->given      ? "zone given"
           : t->refused  ? "refused"
           : t->messages ? "no records"
                         : "no answer";
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct zone_transfer *z = context;
    const struct transfer *t = (const struct transfer *)item;
    struct finding f;

    (void)now;
    draft(&f, z->base.policy, RULE, KIND_ZONE_TRANSFER, &t->seen, SEVERITY_MEDIUM);
    tally_finding(item, &f);
    f.severity = (uint8_t)how_grave(z, t);
    f.confidence = is_fetch(item->key.what) || !t->inside ? 95 : 60;
    f.excepted =
        policy_exception_for(z->base.policy, &f.client, f.station, f.resolver, f.time) != NULL;
    f.query = true;
    f.qtype = t->qtype;
    snprintf(f.name, sizeof f.name, "%s", t->name);
    evidence_string(&f.evidence, "request", word_of(item->key.what));
    evidence_string(&f.evidence, "outcome", outcome_of(t));
    evidence_integer(&f.evidence, "requests", (int64_t)item->total);
    evidence_integer(&f.evidence, "refused", t->refused);
    if (t->messages)
        evidence_integer(&f.evidence, "rcode", t->rcode);
    if (is_fetch(item->key.what)) {
        evidence_integer(&f.evidence, "records", (int64_t)t->records);
        evidence_integer(&f.evidence, "messages", t->messages);
        evidence_integer(&f.evidence, "bytes", (int64_t)t->octets);
        evidence_boolean(&f.evidence, "complete", t->soas >= 2);
    }
    evidence_boolean(&f.evidence, "secondary", t->listed);
    if (t->listed)
        evidence_string(&f.evidence, "expected",
                        "a transfer over TLS, as between these two before");
    tallied_say(&z->base, &f);
}

static enum severity severity(const struct policy *p, const char *name, enum severity otherwise)
{
    return draft_severity(p, RULE, name, otherwise);
}

static void zone_transfer_use_policy(void *state, const struct policy *p)
{
    struct zone_transfer *z = state;

    tallied_use_policy(z, p);
    z->severity_given = (uint8_t)severity(p, "severity_given", SEVERITY_HIGH);
    z->severity_refused = (uint8_t)severity(p, "severity_refused", SEVERITY_MEDIUM);
    z->severity_unanswered = (uint8_t)severity(p, "severity_unanswered", SEVERITY_LOW);
    z->severity_sealed = (uint8_t)severity(p, "severity_sealed", SEVERITY_HIGH);
    z->severity_notify = (uint8_t)severity(p, "severity_notify", SEVERITY_LOW);
    z->severity_update = (uint8_t)severity(p, "severity_update", SEVERITY_LOW);
    z->severity_inside = (uint8_t)severity(p, "severity_inside", SEVERITY_INFORMATIONAL);
}

static void zone_transfer_destroy(void *state)
{
    struct zone_transfer *z = state;

    table_destroy(z->sealed);
    tallied_destroy(z);
}

static void *zone_transfer_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct zone_transfer),
                                               .item_size = sizeof(struct transfer),
                                               .capacity = PAIRS,
                                               .tell = tell};
    struct table_shape sealed = {.entry_size = sizeof(struct sealed_pair),
                                 .key_size = offsetof(struct sealed_pair, seen),
                                 .capacity = SEALED,
                                 .seed = setup->seed};
    struct zone_transfer *z = tallied_create(&shape, setup);

    if (!z)
        return NULL;
    zone_transfer_use_policy(z, setup->policy);
    z->sealed = table_create(&sealed);
    if (z->sealed)
        return z;
    zone_transfer_destroy(z);
    return NULL;
}

/* --- what is seen ----------------------------------------------------------------------------- */

static enum transfer_what what_of(const struct dns_message *m)
{
    switch (dns_opcode(m)) {
    case 0:
        return m->qtype == DNS_TYPE_AXFR   ? TRANSFER_AXFR
               : m->qtype == DNS_TYPE_IXFR ? TRANSFER_IXFR
                                           : TRANSFER_NONE;
    case OPCODE_NOTIFY:
        return TRANSFER_NOTIFY;
    case OPCODE_UPDATE:
        return TRANSFER_UPDATE;
    default:
        return TRANSFER_NONE;
    }
}

static bool is_secondary(const struct zone_transfer *z, const struct addr *a)
{
    return (policy_roles_of(z->base.policy, a) & ROLE_SECONDARY) != 0;
}

static bool spoke_sealed(const struct zone_transfer *z, const struct observation *o)
{
    struct sealed_pair key = {o->client, o->server, 0};

    return table_find(z->sealed, &key) != NULL;
}

/* A listed secondary may fetch, in clear unless it was seen to do better; a NOTIFY goes from a
 * primary to its secondary; an approved resolver takes the updates of its clients. */
static bool is_expected(const struct zone_transfer *z, const struct observation *o,
                        enum transfer_what what)
{
    if (is_fetch(what))
        return is_secondary(z, &o->client) && !spoke_sealed(z, o);
    return o->note.approved || is_secondary(z, &o->client) || is_secondary(z, &o->server);
}

static void describe(struct zone_transfer *z, struct transfer *t, const struct observation *o)
{
    t->seen = sighting_of(o);
    t->flow_id = o->flow_id;
    t->id = o->dns.message.id;
    t->qtype = o->dns.message.qtype;
    t->listed = is_fetch(t->item.key.what) && is_secondary(z, &o->client);
    t->inside = o->note.inside == (INSIDE_CLIENT | INSIDE_SERVER);
    if (!t->name[0])
        draft_name(&o->dns.message, t->name, sizeof t->name);
}

/* An answer that brings no zone: one SOA says that the asker has the newest, or should use TCP. */
static void count_answer(struct zone_transfer *z, struct transfer *t, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    uint32_t given = t->given, refused = t->refused;
    uint8_t soas = t->soas;

    t->rcode = m->rcode;
    t->messages++;
    t->octets += m->length;
    t->records += m->counts[1];
    t->running += m->counts[1];
    t->soas = (uint8_t)(soas + m->soa_count < soas ? UINT8_MAX : soas + m->soa_count);
    if (m->rcode != 0)
        t->refused++;
    else if (!is_fetch(t->item.key.what) || t->running > 1)
        t->given++;
    t->item.news |= (t->given && !given) || (t->refused && !refused) || (t->soas >= 2 && soas < 2);
    tally_add(z->base.tally, &t->item, t->item.total == 0, o->time);
}

static struct transfer *transfer_at(struct zone_transfer *z, const struct observation *o,
                                    enum transfer_what what)
{
    struct tally_key key = {
        .client = o->client, .server = o->server, .zone = o->note.zone, .what = (uint8_t)what};

    return (struct transfer *)tally_at(z->base.tally, &key, o->time);
}

static void see(struct zone_transfer *z, const struct observation *o, enum transfer_what what)
{
    struct transfer *t;

    if (is_expected(z, o, what))
        return;
    t = transfer_at(z, o, what);
    if (dns_is_response(&o->dns.message)) {
        if (!t->item.total) /* its question was not seen */
            describe(z, t, o);
        count_answer(z, t, o);
        return;
    }
    describe(z, t, o);
    t->soas = 0;
    t->running = 0;
    tally_add(z->base.tally, &t->item, 1, o->time);
}

/* The further messages of a transfer need not repeat the question (RFC 5936 2.2). */
static void see_more(struct zone_transfer *z, const struct observation *o)
{
    for (unsigned what = TRANSFER_AXFR; what <= TRANSFER_IXFR; what++) {
        struct tally_key key = {
            .client = o->client, .server = o->server, .zone = o->note.zone, .what = (uint8_t)what};
        struct transfer *t = (struct transfer *)tally_find(z->base.tally, &key);

        if (t && t->flow_id == o->flow_id && t->id == o->dns.message.id) {
            count_answer(z, t, o);
            return;
        }
    }
}

static void see_flow(struct zone_transfer *z, const struct observation *o)
{
    struct sealed_pair key = {o->client, o->server, 0}, *pair;
    bool fresh;

    if (o->transport != TRANSPORT_DOT || o->flow.phase != FLOW_ESTABLISHED)
        return;
    if (o->note.resolver >= 0 && !is_secondary(z, &o->client))
        return; /* a stub's resolver */
    pair = table_insert(z->sealed, &key, &fresh);
    pair->seen = o->time;
}

static void zone_transfer_observe(void *state, const struct observation *o)
{
    struct zone_transfer *z = state;
    const struct dns_message *m = &o->dns.message;
    enum transfer_what what;

    if (o->kind == OBSERVE_FLOW) {
        see_flow(z, o);
        return;
    }
    if (m->flags & OPCODES || m->qtype == DNS_TYPE_AXFR || m->qtype == DNS_TYPE_IXFR) {
        if ((what = what_of(m)) != TRANSFER_NONE)
            see(z, o, what);
    } else if (o->transport == TRANSPORT_DO53_TCP && !m->has_question && dns_is_response(m)) {
        see_more(z, o);
    }
}

static size_t zone_transfer_bytes(const void *state)
{
    return tallied_bytes(state) + table_bytes(((const struct zone_transfer *)state)->sealed);
}

const struct detector detector_zone_transfer = {.name = RULE,
                                                .reads = READ_TRANSFERS | READ_FLOWS,
                                                .create = zone_transfer_create,
                                                .destroy = zone_transfer_destroy,
                                                .use_policy = zone_transfer_use_policy,
                                                .observe = zone_transfer_observe,
                                                .tick = tallied_tick,
                                                .flush = tallied_flush,
                                                .bytes = zone_transfer_bytes};
