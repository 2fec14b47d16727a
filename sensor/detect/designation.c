/* Resolvers that are offered to clients, held against what their zone approves: DDR answers (RFC
 * 9462), DHCP and router advertisements (plain servers, and DNR: RFC 9463), and names whose
 * positive answer lets programs go their own way. Zones that let everybody choose are not judged.
 */
#include <stdio.h>
#include <string.h>

#include "base/apart.h"
#include "base/text.h"
#include "detect/draft.h"
#include "detect/givers.h"
#include "detect/tallied.h"
#include "model/known_names.h"
#include "model/service.h"

#define RULE  "designation"
#define ITEMS 4096

enum mechanism { BY_DDR, BY_CANARY, BY_OPTION, BY_DNR };

static const char *const mechanism_word[] = {"ddr", "canary", "dns-server", "dnr"};

struct designated {
    struct tally_item item; /* first; counts answers or leases */
    struct sighting seen;
    uint32_t transports;
    uint16_t qtype;
    uint8_t source; /* enum lease_source */
    bool rogue;
    uint64_t giver, known; /* link addresses: whose offer it was, whose was known */
    char name[128];        /* designated; all canary names that were answered */
    char addresses[128];
    char asked[128];
};

/* A canary name in wire form. */
struct watched_name {
    uint8_t length;
    uint8_t wire[64 + 2];
};

struct designation {
    struct tallied base; /* first */
    struct givers givers;
    nsec_t giver_known;
    uint8_t severity_rogue, severity_canary;
    size_t canary_count;
    uint64_t marks[4]; /* a bit for each canary's mark */
    struct watched_name canary[DETECTION_NAMES];
};

static void write_evidence(const struct designated *d, struct evidence *e)
{
    char text[128] = "", station[STATION_TEXT];
    size_t used = 0;

    evidence_string(e, "mechanism", mechanism_word[d->item.key.what]);
    if (d->name[0])
        evidence_string(e, "designated", d->name);
    if (d->addresses[0])
        evidence_string(e, "addresses", d->addresses);
    for (unsigned t = 0; t < TRANSPORT_COUNT; t++)
        if (d->transports & (1u << t))
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                                     transport_name(t));
    if (used)
        evidence_string(e, "transports", text);
    if (d->item.key.what < BY_OPTION)
        return;
    evidence_string(e, "source", lease_source_name(d->source));
    if (d->giver)
        evidence_string(e, "station", station_text(d->giver, station));
    if (d->rogue && d->known)
        evidence_string(e, "known_station", station_text(d->known, station));
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct designation *s = context;
    struct designated *d = (struct designated *)item;
    struct finding f;

    (void)now;
    draft(&f, s->base.policy, RULE, KIND_DESIGNATION, &d->seen, SEVERITY_MEDIUM);
    tally_finding(item, &f);
    if (item->key.what >= BY_OPTION && !addr_is_zero(&f.client))
        f.client = d->seen.client; /* the key has the giver in its place */
    if (d->rogue)
        f.severity = s->severity_rogue;
    else if (item->key.what == BY_CANARY)
        f.severity = s->severity_canary;
    f.qtype = d->qtype;
    draft_text(f.name, sizeof f.name, d->asked);
    write_evidence(d, &f.evidence);
    tallied_say(&s->base, &f);
}

/* An octet that few names share with a canary. */
static unsigned mark_of(const uint8_t *wire, size_t length)
{
    return (unsigned)(length + 8U * wire[0] + 3U * wire[length / 2] + 5U * wire[length / 4]) % 256;
}

static void read_canaries(struct designation *s, const struct policy_detection *d)
{
    s->canary_count = 0;
    memset(s->marks, 0, sizeof s->marks);
    for (size_t i = 0; d && i < d->name_count; i++) {
        struct watched_name *c = &s->canary[s->canary_count];
        uint8_t wire[DNS_NAME_WIRE];
        size_t length = name_to_wire(d->names[i], wire);
        unsigned mark = mark_of(wire, length);

        if (length == 0 || length > sizeof c->wire)
            continue;
        c->length = (uint8_t)length;
        memcpy(c->wire, wire, length);
        s->marks[mark / 64] |= UINT64_C(1) << mark % 64;
        s->canary_count++;
    }
}

static void designation_use_policy(void *state, const struct policy *policy)
{
    struct designation *s = state;

    tallied_use_policy(s, policy);
    givers_forget_zones(&s->givers);
    s->giver_known = policy_threshold(policy, RULE, "giver_known_s", 86400) * NSEC_S;
    s->severity_rogue = (uint8_t)draft_severity(policy, RULE, "severity_rogue", SEVERITY_HIGH);
    s->severity_canary = (uint8_t)draft_severity(policy, RULE, "severity_canary", SEVERITY_LOW);
    read_canaries(s, policy_detection_named(policy, RULE));
}

static void *designation_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct designation),
                                               .item_size = sizeof(struct designated),
                                               .capacity = ITEMS,
                                               .tell = tell};
    struct designation *s = tallied_create(&shape, setup);

    if (s)
        designation_use_policy(s, setup->policy);
    return s;
}

/* A zone that lets its clients choose is none to hold them. */
static bool keeps(const struct policy *p, int16_t zone)
{
    const struct policy_zone *z = draft_zone(p, zone);

    return z->unapproved != ACTION_ALLOW &&
           (z->approve_count > 0 || z->unapproved > ACTION_ALERT || z->cleartext > ACTION_ALERT);
}

static bool belongs(const struct policy_resolver *r, const struct addr *address)
{
    for (size_t i = 0; i < r->address_count; i++)
        if (addr_equal(&r->addresses[i].addr, address))
            return true;
    return r->address_count == 0;
}

/* By name, or without one that is known by address; the addresses that come with it must fit. */
static bool is_approved(const struct policy *p, int16_t zone, const char *name,
                        const struct svcb *svcb)
{
    int16_t r = policy_resolver_named(p, name);
    uint32_t sealed = TRANSPORTS_SEALED & ~(1u << TRANSPORT_DNSCRYPT);

    for (int i = 0; r < 0 && i < svcb->hint_count; i++)
        r = policy_resolver_at(p, &svcb->hint[i], NULL);
    if (r < 0)
        return false;
    for (int i = 0; i < svcb->hint_count; i++)
        if (!belongs(&p->resolvers[r], &svcb->hint[i]))
            return false;
    return policy_approves_any(p, zone, r, svcb->transports ? svcb->transports & sealed : sealed);
}

/* An approved resolver, or the gateway's own, that points at itself. */
static bool is_itself(const struct observation *o, const struct svcb *svcb)
{
    for (int i = 0; i < svcb->hint_count; i++)
        if (!addr_equal(&svcb->hint[i], &o->server))
            return false;
    return o->note.approved && svcb->hint_count > 0;
}

static void list_addresses(const struct addr *address, size_t count, char *out, size_t size)
{
    char one[ADDR_TEXT];
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? " " : "",
                                 addr_text(&address[i], one));
}

static struct designated *item_of(struct designation *s, const struct observation *o, int16_t zone,
                                  const struct addr *client, enum mechanism what)
{
    struct tally_key key = {.client = *client,
                            .server = o->server,
                            .zone = zone,
                            .transport = o->transport,
                            .what = (uint8_t)what};
    struct designated *d = (struct designated *)tally_at(s->base.tally, &key, o->time);

    d->seen = sighting_of(o);
    d->seen.zone = zone;
    return d;
}

/* A target of "." is the owner itself (RFC 9460 2.5): the name behind "_dns.". */
static void name_of(const struct dns_message *m, const struct dns_service *service, char *out,
                    size_t size)
{
    const uint8_t *wire = service->target;
    size_t length = service->target_length, label = 1U + m->qname[0];

    if (length == 1 && label < m->qname_length) {
        wire = m->qname + label;
        length = m->qname_length - label;
    }
    if (text_name(wire, length, out, size) < 0)
        text_copy(out, size, "?");
}

static void judge_services(struct designation *s, const struct observation *o)
{
    static const uint8_t label[] = {4, '_', 'd', 'n', 's'};
    const struct dns_message *m = &o->dns.message;
    struct dns_service service;
    char name[128];
    size_t at = 0;

    if (m->qname_length <= sizeof label || memcmp(m->qname, label, sizeof label) != 0)
        return;
    while (service_next(m, &at, &service)) {
        struct designated *d;

        name_of(m, &service, name, sizeof name);
        if (is_approved(s->base.policy, o->note.zone, name, &service.svcb) ||
            is_itself(o, &service.svcb))
            continue;
        d = item_of(s, o, o->note.zone, &o->client, BY_DDR);
        snprintf(d->name, sizeof d->name, "%s", name);
        list_addresses(service.svcb.hint, service.svcb.hint_count, d->addresses,
                       sizeof d->addresses);
        d->transports = service.svcb.transports;
        d->qtype = m->qtype;
        draft_name(m, d->asked, sizeof d->asked);
        tally_add(s->base.tally, &d->item, 1, o->time);
        return;
    }
}

static APART bool is_canary(const struct designation *s, const struct dns_message *m)
{
    for (size_t i = 0; i < s->canary_count; i++)
        if (s->canary[i].length == m->qname_length &&
            memcmp(s->canary[i].wire, m->qname, m->qname_length) == 0)
            return true;
    return false;
}

/* One more name of the list; false: it was there, or there is no room. */
static bool add_name(char *list, size_t size, const char *name)
{
    size_t used = strlen(list), length = strlen(name);

    for (const char *at = list; (at = strstr(at, name)) != NULL; at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return false;
    if (used + 1 + length >= size)
        return false;
    snprintf(list + used, size - used, "%s%s", used ? " " : "", name);
    return true;
}

static void judge_canary(struct designation *s, const struct observation *o)
{
    const struct dns_message *m = &o->dns.message;
    struct designated *d;
    char name[128];

    draft_name(m, name, sizeof name);
    if (is_approved(s->base.policy, o->note.zone, name, &(struct svcb){.hint_count = 0}))
        return;
    d = item_of(s, o, o->note.zone, &o->client, BY_CANARY);
    snprintf(d->asked, sizeof d->asked, "%s", name);
    d->item.news |= add_name(d->name, sizeof d->name, name) && d->item.told;
    list_addresses(m->address, m->address_count, d->addresses, sizeof d->addresses);
    d->qtype = m->qtype;
    tally_add(s->base.tally, &d->item, 1, o->time);
}

static APART void judge(struct designation *s, const struct observation *o)
{
    if (!o->dns.answered || !keeps(s->base.policy, o->note.zone))
        return;
    if (o->dns.message.services)
        judge_services(s, o);
    else
        judge_canary(s, o);
}

static void designation_observe(void *state, const struct observation *o)
{
    struct designation *s = state;
    const struct dns_message *m = &o->dns.message;
    unsigned mark = mark_of(m->qname, m->qname_length);

    if (!m->services && !(s->marks[mark / 64] >> mark % 64 & 1))
        return;
    if (m->services || is_canary(s, m))
        judge(s, o);
}

/* The plain servers that the zone may not ask; how many into out[LEASE_RESOLVERS]. */
static size_t foreign_resolvers(const struct policy *p, int16_t zone, const struct observation *o,
                                struct addr *out)
{
    const struct lease_observation *l = &o->lease;
    size_t count = 0;

    for (int i = 0; i < l->resolver_count; i++)
        if (policy_cleartext(p, zone, &o->client, &l->resolver[i], o->time) != ACTION_ALLOW)
            out[count++] = l->resolver[i];
    return count;
}

static void add_offer(struct designation *s, const struct observation *o, struct designated *d,
                      const struct giver *known)
{
    d->source = o->lease.source;
    d->giver = o->lease.giver;
    d->known = known->station;
    d->rogue |= known->station != o->lease.giver || !addr_equal(&known->address, &o->server);
    tally_add(s->base.tally, &d->item, 1, o->time);
}

static void designation_leased(void *state, const struct observation *o)
{
    struct designation *s = state;
    const struct policy *p = s->base.policy;
    const struct lease_observation *l = &o->lease;
    struct addr foreign[LEASE_RESOLVERS];
    const struct giver *known;
    int16_t zone;
    size_t count;

    if (l->step == LEASE_ASKED)
        return;
    known = givers_known(&s->givers, o, s->giver_known, &zone);
    if (!keeps(p, zone))
        return;
    count = foreign_resolvers(p, zone, o, foreign);
    if (count) {
        struct designated *d = item_of(s, o, zone, &o->server, BY_OPTION);

        list_addresses(foreign, count, d->addresses, sizeof d->addresses);
        add_offer(s, o, d, known);
    }
    for (int i = 0; i < l->designation_count; i++) {
        const struct lease_designation *offer = &l->designation[i];
        struct designated *d;

        if (is_approved(p, zone, offer->name, &offer->service))
            continue;
        d = item_of(s, o, zone, &o->server, BY_DNR);
        snprintf(d->name, sizeof d->name, "%s", offer->name);
        list_addresses(offer->service.hint, offer->service.hint_count, d->addresses,
                       sizeof d->addresses);
        d->transports = offer->service.transports;
        add_offer(s, o, d, known);
    }
}

static void designation_remember(void *state, struct memory_sink sink, nsec_t now)
{
    (void)now;
    givers_remember(&((struct designation *)state)->givers, sink);
}

static void designation_recall(void *state, const struct memory *m)
{
    givers_recall(&((struct designation *)state)->givers, m);
}

const struct detector detector_designation = {.name = RULE,
                                              .reads = READ_DATA,
                                              .create = designation_create,
                                              .destroy = tallied_destroy,
                                              .use_policy = designation_use_policy,
                                              .observe = designation_observe,
                                              .leased = designation_leased,
                                              .tick = tallied_tick,
                                              .flush = tallied_flush,
                                              .bytes = tallied_bytes,
                                              .remember = designation_remember,
                                              .recall = designation_recall};
