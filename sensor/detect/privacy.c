/* Encrypted DNS that protects less than it could: messages that are not padded (RFC 8467), old
 * versions of TLS, weak suites. One event for a client and a server; where a server has many such
 * clients, one for all further ones. What was measured is remembered whether it is weak or not. */
#include <stdio.h>
#include <string.h>

#include "base/apart.h"
#include "base/table.h"
#include "detect/draft.h"
#include "detect/privacy.h"
#include "detect/services.h"
#include "detect/tallied.h"

#define RULE  "privacy-weak"
#define TOPIC "privacy"

enum { PAIRS = 32768, ITEMS = 8192, REMEMBERED = 512, BODY_VERSION = 1 };
enum { OF_PAIR, OF_SERVER };

/* What is told: a pair as it is, or the last of a server's. */
struct weak {
    struct tally_item item; /* first; counts connections */
    struct sighting seen;
    struct privacy_pair pair;
    uint8_t bits; /* of enum weakness; of a server: of any of its clients */
    uint32_t clients;
    char name[256], alpn[32], ja3[33];
};

struct privacy {
    struct tallied base; /* first */
    struct table *pairs;
    struct services *services;
    size_t remembered; /* where remembering goes on */
    struct padding_rule rule;
    uint32_t clients_told;
    uint8_t severity_version, severity_broken;
};

struct body {
    uint8_t version, zero[7];
    struct privacy_pair pair;
};

_Static_assert(sizeof(struct body) <= MEMORY_BODY, "a pair is one piece of memory");

static enum severity graver(const struct privacy *v, unsigned bits, enum severity usual)
{
    enum severity s = usual;

    if (bits & WEAK_VERSION && v->severity_version < s)
        s = v->severity_version;
    if (bits & WEAK_BROKEN && v->severity_broken < s)
        s = v->severity_broken;
    return s;
}

static void write_weaknesses(unsigned bits, struct evidence *e)
{
    static const char *const words[] = {"old-version", "broken-suite", "dated-suite",
                                        "queries-not-padded", "answers-not-padded"};
    char text[128] = "";
    size_t used = 0;

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (bits & 1u << i)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? "," : "",
                                     words[i]);
    evidence_string(e, "weak", text);
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct privacy *v = context;
    struct weak *w = (struct weak *)item;
    bool of_server = item->key.what == OF_SERVER;
    struct finding f;

    (void)now;
    draft(&f, v->base.policy, RULE, KIND_PRIVACY_WEAK, &w->seen, SEVERITY_INFORMATIONAL);
    tally_finding(item, &f);
    f.severity = (uint8_t)graver(v, w->bits, f.severity);
    f.excepted =
        policy_exception_for(v->base.policy, &f.client, f.station, f.resolver, f.time) != NULL;
    f.tls_version = w->pair.version;
    snprintf(f.name, sizeof f.name, "%s", w->name);
    snprintf(f.alpn, sizeof f.alpn, "%s", w->alpn);
    snprintf(f.ja3, sizeof f.ja3, "%s", w->ja3);
    write_weaknesses(w->bits, &f.evidence);
    evidence_string(&f.evidence, "transport", transport_name(w->seen.transport));
    if (of_server) {
        memset(&f.client, 0, sizeof f.client);
        f.client_port = 0;
        f.excepted = false;
        evidence_integer(&f.evidence, "clients", w->clients);
    } else {
        privacy_write(&w->pair, &v->rule, &f.evidence);
    }
    tallied_say(&v->base, &f);
}

static uint32_t threshold(const struct policy *p, const char *name, int64_t otherwise)
{
    int64_t value = policy_threshold(p, RULE, name, otherwise);

    return value > 0 && value < 1 << 20 ? (uint32_t)value : (uint32_t)otherwise;
}

static void use_thresholds(struct privacy *v, const struct policy *p)
{
    v->rule = (struct padding_rule){.messages_min = threshold(p, "messages_min", 20),
                                    .padded_milli = threshold(p, "padded_milli", 950),
                                    .unpadded_milli = threshold(p, "unpadded_milli", 50)};
    v->clients_told = threshold(p, "clients_told", 8);
    v->severity_version = (uint8_t)draft_severity(p, RULE, "severity_old_version", SEVERITY_LOW);
    v->severity_broken = (uint8_t)draft_severity(p, RULE, "severity_broken_suite", SEVERITY_LOW);
}

static void privacy_use_policy(void *state, const struct policy *policy)
{
    struct privacy *v = state;

    tallied_use_policy(v, policy);
    use_thresholds(v, policy);
    services_use_policy(v->services, policy);
}

static void evicted(void *context, void *entry)
{
    struct privacy *v = context;

    (void)entry;
    if (v->base.stats)
        v->base.stats->state_evicted++;
}

static void privacy_destroy(void *state)
{
    struct privacy *v = state;

    table_destroy(v->pairs);
    services_destroy(v->services);
    tallied_destroy(v);
}

static void *privacy_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct privacy),
                                               .item_size = sizeof(struct weak),
                                               .capacity = ITEMS,
                                               .tell = tell};
    struct privacy *v = tallied_create(&shape, setup);
    struct table_shape pairs = {.entry_size = sizeof(struct privacy_pair),
                                .key_size = sizeof(struct privacy_key),
                                .capacity = bounds_share(setup->bounds, PAIRS),
                                .seed = setup->seed,
                                .evicted = evicted,
                                .context = v};

    if (!v)
        return NULL;
    v->pairs = table_create(&pairs);
    v->services = services_create(setup->policy, setup->seed, setup->stats);
    if (v->pairs && v->services) {
        use_thresholds(v, setup->policy);
        return v;
    }
    privacy_destroy(v);
    return NULL;
}

/* The event that a weak pair belongs to. */
static struct weak *weak_of(struct privacy *v, struct privacy_pair *p, struct service *service,
                            const struct observation *o)
{
    struct tally_key key = {.client = o->client,
                            .server = o->server,
                            .zone = o->note.zone,
                            .transport = o->transport,
                            .what = OF_PAIR};

    if (service && !p->counted)
        p->counted = ++service->weak != 0;
    if (service && service->weak > v->clients_told && !p->said) {
        key.client = o->server; /* no client's own; zero is taken for what is beyond a budget */
        key.what = OF_SERVER;
    }
    return (struct weak *)tally_at(v->base.tally, &key, o->time);
}

/* Something that the event does not say yet. */
static bool is_news(const struct privacy *v, const struct weak *w, const struct privacy_pair *p,
                    unsigned bits)
{
    if (bits & ~(unsigned)w->bits)
        return true;
    return w->item.key.what == OF_PAIR &&
           (lattice_verdict(&p->queries, &v->rule) != lattice_verdict(&w->pair.queries, &v->rule) ||
            lattice_verdict(&p->answers, &v->rule) != lattice_verdict(&w->pair.answers, &v->rule));
}

static void weak_seen(struct privacy *v, struct privacy_pair *p, unsigned bits,
                      struct service *service, const struct observation *o)
{
    struct weak *w = weak_of(v, p, service, o);
    bool first = o->flow.phase == FLOW_ESTABLISHED || w->item.total == 0;

    if (w->item.key.what == OF_PAIR)
        p->said |= (uint8_t)bits;
    w->item.news |= is_news(v, w, p, bits);
    if (!first && !w->item.news)
        return;
    w->bits = (uint8_t)(w->item.key.what == OF_PAIR ? bits : w->bits | bits);
    w->clients = service ? service->weak : 0;
    w->pair = *p;
    w->seen = sighting_of(o);
    draft_text(w->name, sizeof w->name, o->flow.tls.sni);
    draft_text(w->alpn, sizeof w->alpn, o->flow.tls.alpn);
    draft_text(w->ja3, sizeof w->ja3, o->flow.tls.ja3);
    tally_add(v->base.tally, &w->item, first, o->time);
}

static bool worked(const struct observation *o)
{
    return o->flow.phase == FLOW_ESTABLISHED || o->flow.phase == FLOW_PROGRESS ||
           o->flow.phase == FLOW_CLOSED;
}

static struct privacy_key key_of(const struct observation *o)
{
    return (struct privacy_key){o->client, o->server, o->transport};
}

static APART void flow_seen(struct privacy *v, const struct observation *o)
{
    struct service *service = services_of(v->services, o);
    struct privacy_key key = key_of(o);
    struct privacy_pair *p;
    unsigned bits;
    bool fresh;

    if (service)
        services_flow(service, o);
    if (!transport_is_sealed(o->transport))
        return;
    p = table_insert(v->pairs, &key, &fresh);
    privacy_take(p, o);
    bits = privacy_judge(p, &v->rule);
    if (bits)
        weak_seen(v, p, bits, service, o);
}

static void privacy_observe(void *state, const struct observation *o)
{
    struct privacy *v = state;

    if (o->kind == OBSERVE_DNS) {
        services_answer(v->services, o);
    } else if (worked(o)) {
        flow_seen(v, o);
    }
}

static size_t privacy_bytes(const void *state)
{
    const struct privacy *v = state;

    return tallied_bytes(v) + table_bytes(v->pairs) + services_bytes(v->services);
}

static bool remember(const struct privacy *v, const struct privacy_pair *p, struct memory_sink sink)
{
    struct memory m = {.topic = TOPIC, .time = p->last, .size = sizeof(struct body)};
    struct body body = {.version = BODY_VERSION, .pair = *p};
    const char *transport = transport_name((unsigned)p->key.transport);
    char client[ADDR_TEXT], server[ADDR_TEXT];

    addr_text(&p->key.client, client);
    addr_text(&p->key.server, server);
    snprintf(m.key, sizeof m.key, "%.40s %.40s %.12s", client, server, transport);
    memcpy(m.body, &body, sizeof body);
    evidence_clear(&m.text);
    evidence_string(&m.text, "client", client);
    evidence_string(&m.text, "server", server);
    evidence_string(&m.text, "transport", transport);
    privacy_write(p, &v->rule, &m.text);
    return sink.put(sink.context, &m) == 0;
}

static void privacy_remember(void *state, struct memory_sink sink, nsec_t now)
{
    struct privacy *v = state;
    struct privacy_pair *p;

    services_remember(v->services, sink, now);
    for (size_t left = REMEMBERED; left; left--) {
        do
            p = table_next(v->pairs, &v->remembered);
        while (p && !p->changed);
        if (!p) {
            v->remembered = 0;
            return;
        }
        if (!remember(v, p, sink))
            return;
        p->changed = false;
    }
}

static bool sound(const struct lattice *l)
{
    return l->padded <= l->messages && l->messages < 1u << 24 && l->blurred < 1u << 24;
}

static void privacy_recall(void *state, const struct memory *m)
{
    struct privacy *v = state;
    struct privacy_pair *p;
    struct body body;
    bool fresh;

    services_recall(v->services, m);
    if (strcmp(m->topic, TOPIC) != 0 || m->size != sizeof body)
        return;
    memcpy(&body, m->body, sizeof body);
    if (body.version != BODY_VERSION || body.pair.key.transport >= TRANSPORT_COUNT ||
        !transport_is_sealed((unsigned)body.pair.key.transport) || !sound(&body.pair.queries) ||
        !sound(&body.pair.answers))
        return;
    p = table_insert(v->pairs, &body.pair.key, &fresh);
    *p = body.pair;
    p->said = 0;
    p->counted = p->changed = false;
}

const struct detector detector_privacy = {.name = RULE,
                                          .reads = READ_ANSWERED | READ_FLOWS,
                                          .create = privacy_create,
                                          .destroy = privacy_destroy,
                                          .use_policy = privacy_use_policy,
                                          .observe = privacy_observe,
                                          .tick = tallied_tick,
                                          .flush = tallied_flush,
                                          .bytes = privacy_bytes,
                                          .remember = privacy_remember,
                                          .recall = privacy_recall};
