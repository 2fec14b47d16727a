/* A resolver that is not who it should be: by what its TLS 1.2 certificate shows in passing, by
 * what a probe found (under TLS 1.3 the only way), and where the two disagree, which is what
 * somebody on the clients' path looks like. Names as RFC 8310 8.1 has them, pins as RFC 7858 4.2.
 * One event a server, zone and way of finding out, not one a client. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "detect/probed.h"
#include "detect/tallied.h"

#define RULE    "resolver-identity"
#define SERVERS 1024
#define STALE   (7 * 86400 * NSEC_S) /* a probe so old proves nothing any more */

enum identity_way { WAY_NONE, WAY_SIGHTED, WAY_PROBED }; /* tally_key.what */

/* What a handshake shows that the probe's did not. */
enum { OTHER_CERTIFICATE = 1, OTHER_VERSION = 2, OTHER_ALPN = 4 };

struct server {
    struct tally_item item; /* first; its key's client is the server again: of all its clients */
    struct sighting seen;
    uint64_t last_flow;
    uint32_t faults; /* bits FAULT() */
    uint8_t others;  /* bits OTHER_ */
    uint16_t tls_version;
    nsec_t not_before, not_after;
    uint8_t spki[32];
    bool certificate;
    char name[128]; /* asked for */
    char names[160], issuer[96], error[96];
};

struct identity {
    struct tallied base; /* first */
    struct table *probed;
    uint8_t severity[FAULT_COUNT];
    uint8_t severity_disagrees, severity_unapproved;
};

static const struct policy_resolver *resolver_at(const struct identity *d, int16_t index)
{
    const struct policy *p = d->base.policy;

    return index >= 0 && (size_t)index < p->resolver_count ? p->resolvers + index : NULL;
}

static uint8_t gravest_of(const struct identity *d, const struct server *s)
{
    const struct policy_resolver *r = resolver_at(d, s->seen.resolver);
    uint8_t gravest = SEVERITY_INFORMATIONAL;

    for (unsigned f = 0; f < FAULT_COUNT; f++)
        if (s->faults & FAULT(f) && d->severity[f] && d->severity[f] < gravest)
            gravest = d->severity[f];
    if (s->others && d->severity_disagrees < gravest)
        gravest = d->severity_disagrees;
    /* Whom nobody approved nobody relies on. */
    return (!r || !r->from_policy) && gravest < d->severity_unapproved ? d->severity_unapproved
                                                                       : gravest;
}

static const char *others_text(uint8_t others, char out[48])
{
    snprintf(out, 48, "%s%s%s", others & OTHER_CERTIFICATE ? "certificate " : "",
             others & OTHER_VERSION ? "version " : "", others & OTHER_ALPN ? "alpn " : "");
    out[strlen(out) - 1] = '\0';
    return out;
}

static void put_evidence(const struct identity *d, const struct server *s, struct evidence *e)
{
    const struct policy_resolver *r = resolver_at(d, s->seen.resolver);
    char text[256], pin[PIN_TEXT];

    evidence_string(e, "faults", probe_fault_words(s->faults, text, sizeof text));
    evidence_string(e, "seen_by",
                    s->item.key.what == WAY_PROBED ? "probe" : "handshake of a client");
    if (s->others)
        evidence_string(e, "unlike_probe", others_text(s->others, text));
    if (r) {
        evidence_string(e, "resolver", r->id);
        evidence_string(e, "expected", r->name_count ? r->names[0] : "");
    }
    if (s->certificate) {
        evidence_string(e, "certificate_for", s->names);
        evidence_string(e, "issuer", s->issuer);
        evidence_string(e, "not_before", time_text(s->not_before, text));
        evidence_string(e, "not_after", time_text(s->not_after, text));
        evidence_string(e, "pin", pin_text(s->spki, pin));
    }
    if (s->error[0])
        evidence_string(e, "error", s->error);
    evidence_integer(e, s->item.key.what == WAY_PROBED ? "probes" : "handshakes",
                     (int64_t)s->item.total);
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct identity *d = context;
    struct server *s = (struct server *)item;
    struct finding f;

    (void)now;
    draft(&f, d->base.policy, RULE, KIND_RESOLVER_IDENTITY, &s->seen, SEVERITY_HIGH);
    tally_finding(item, &f);
    f.severity = gravest_of(d, s);
    /* A listener checks no signature; a disagreement has other explanations. */
    f.confidence = item->key.what == WAY_PROBED ? 100 : s->faults ? 95 : 70;
    f.tls_version = s->tls_version;
    f.excepted =
        policy_exception_for(d->base.policy, &f.client, f.station, f.resolver, f.time) != NULL;
    snprintf(f.name, sizeof f.name, "%s", s->name);
    put_evidence(d, s, &f.evidence);
    tallied_say(&d->base, &f);
}

static struct server *server_at(struct identity *d, const struct observation *o,
                                enum identity_way way)
{
    struct tally_key key = {.client = o->server,
                            .server = o->server,
                            .zone = o->note.zone,
                            .transport = o->transport,
                            .what = (uint8_t)way};

    return (struct server *)tally_at(d->base.tally, &key, o->time);
}

static void count(struct identity *d, struct server *s, uint32_t faults, uint8_t others, nsec_t now)
{
    s->item.news |= (faults & ~s->faults) != 0 || (others & ~s->others) != 0;
    s->faults |= faults;
    s->others |= others;
    tally_add(d->base.tally, &s->item, 1, now);
}

/* --- in passing --- */

/* A wildcard stands for one whole label (RFC 6125 6.4.3). Both in presentation form. */
static bool matches(const char *pattern, size_t length, const char *name)
{
    const char *dot = strchr(name, '.');

    if (length > 2 && pattern[0] == '*' && pattern[1] == '.') {
        pattern++;
        length--;
        name = dot ? dot : "";
    }
    if (strlen(name) != length || length == 0)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = pattern[i];

        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != name[i])
            return false;
    }
    return true;
}

static bool names_hold(const char *names, const char *name)
{
    while (*names) {
        size_t length = strcspn(names, ",");

        if (matches(names, length, name))
            return true;
        names += length + (names[length] == ',');
    }
    return false;
}

/* Any name of the resolver is right, and so is its address where clients know it by that. */
static bool is_named(const struct policy_resolver *r, const struct observation *o)
{
    const struct tls_facts *tls = &o->flow.tls;
    char text[ADDR_TEXT];

    for (size_t i = 0; i < r->name_count; i++) {
        const char *name = r->names[i];

        if (name[0] == '*' ? tls->sni_certified && text_name_below(tls->sni, name + 2)
                           : names_hold(tls->certificate_names, name) ||
                                 (tls->sni_certified && strcmp(tls->sni, name) == 0))
            return true;
    }
    return r->name_count == 0 || tls->names_cut ||
           names_hold(tls->certificate_names, addr_text(&o->server, text));
}

/* A listener cannot tell a proven chain from certificates sent along, so any key of it will do. */
static bool is_pinned(const struct policy_resolver *r, const struct tls_facts *tls)
{
    int sent = tls->chain < TLS_CHAIN ? tls->chain : TLS_CHAIN;
    char pin[PIN_TEXT];

    for (int i = 0; i < sent; i++) {
        pin_text(tls->spki_sha256[i], pin);
        for (size_t k = 0; k < r->pin_count; k++)
            if (strcmp(r->pins[k], pin) == 0)
                return true;
    }
    return false;
}

static uint32_t faults_seen(const struct policy_resolver *r, const struct observation *o)
{
    const struct tls_facts *tls = &o->flow.tls;
    bool pinned = is_pinned(r, tls);
    uint32_t faults = 0;

    if (!is_named(r, o))
        faults |= FAULT(FAULT_WRONG_NAME);
    if (tls->not_after && o->time > tls->not_after)
        faults |= FAULT(FAULT_EXPIRED);
    if (o->time < tls->not_before)
        faults |= FAULT(FAULT_NOT_YET_VALID);
    if (r->pin_count && !pinned && tls->chain != UINT8_MAX)
        faults |= FAULT(FAULT_WRONG_PIN);
    /* An operator who has a certificate of his own making says so by `ca` or by its pin. */
    if (tls->chain == 1 && tls->subject[0] && strcmp(tls->subject, tls->issuer) == 0 && !pinned &&
        !r->ca[0])
        faults |= FAULT(FAULT_SELF_SIGNED);
    return faults;
}

/* Another key of an authority that the probe met there is how certificates are renewed and how a
 * CDN has several; another authority is not. */
static bool is_other_certificate(const struct policy_resolver *r, const struct probed_proof *p,
                                 const struct tls_facts *tls)
{
    return tls->certificate_seen && tls->chain && !probed_knows_key(p, tls->spki_sha256[0]) &&
           !probed_knows_issuer(p, tls->issuer) && !is_pinned(r, tls);
}

static uint8_t others_seen(const struct policy_resolver *r, const struct probed_server *s,
                           const struct observation *o)
{
    const struct tls_facts *tls = &o->flow.tls;
    const struct probed_proof *p = &s->proof;
    bool has_13 = p->versions & PROBE_VERSION(0x0304);
    uint8_t others = 0;

    if (!p->time || o->time > p->time + STALE || !tls->server_hello_seen || tls->resumed)
        return 0;
    if (is_other_certificate(r, p, tls))
        others |= OTHER_CERTIFICATE;
    /* Both ends know 1.3, and it was not taken: somebody in between does not (RFC 8446 4.1.3). */
    if (tls->version == 0x0303 ? has_13 && tls->version_offered >= 0x0304
                               : tls->version == 0x0304 && !has_13)
        others |= OTHER_VERSION;
    if (tls->version == 0x0303 && p->alpn_known && p->alpn[0] && names_hold(tls->alpn, p->alpn) &&
        strcmp(tls->alpn_selected, p->alpn) != 0)
        others |= OTHER_ALPN;
    return others;
}

static void keep_sighting(struct probed_server *s, const struct observation *o)
{
    s->seen.any = true;
    s->seen.at = sighting_of(o);
    memcpy(s->seen.spki, o->flow.tls.spki_sha256[0], 32);
    snprintf(s->seen.issuer, sizeof s->seen.issuer, "%.*s", PROBED_ISSUER - 1, o->flow.tls.issuer);
}

static void describe(struct server *s, const struct observation *o)
{
    const struct tls_facts *tls = &o->flow.tls;

    s->seen = sighting_of(o);
    s->tls_version = tls->version;
    s->certificate = tls->certificate_seen;
    s->not_before = tls->not_before;
    s->not_after = tls->not_after;
    memcpy(s->spki, tls->spki_sha256[0], 32);
    draft_text(s->name, sizeof s->name, tls->sni);
    snprintf(s->names, sizeof s->names, "%.*s", (int)sizeof s->names - 1, tls->certificate_names);
    snprintf(s->issuer, sizeof s->issuer, "%.*s", (int)sizeof s->issuer - 1, tls->issuer);
}

/* Anybody may show a resolver's name to any server: that pushes nothing out. */
static bool is_its_address(const struct identity *d, const struct policy_resolver *r,
                           const struct observation *o)
{
    return r->address_count == 0 ||
           policy_resolver_at(d->base.policy, &o->server, NULL) == o->note.resolver;
}

static void identity_observe(void *state, const struct observation *o)
{
    struct identity *d = state;
    const struct policy_resolver *r;
    struct probed_server *known;
    uint32_t faults = 0;
    uint8_t others = 0;
    struct server *s;

    if (o->kind != OBSERVE_FLOW ||
        (o->flow.phase != FLOW_ESTABLISHED && o->flow.phase != FLOW_FAILED) ||
        !o->flow.tls.server_hello_seen || !transport_is_sealed(o->transport) ||
        !(r = resolver_at(d, o->note.resolver)))
        return;
    if (o->flow.tls.certificate_seen)
        faults = faults_seen(r, o);
    known = o->flow.tls.certificate_seen && is_its_address(d, r, o) ? probed_at(d->probed, o)
                                                                    : probed_find(d->probed, o);
    if (known)
        others = others_seen(r, known, o);
    if (known && o->flow.tls.certificate_seen && !faults)
        keep_sighting(known, o);
    if (!faults && !others)
        return;
    s = server_at(d, o, WAY_SIGHTED);
    if (s->item.total && s->last_flow == o->flow_id)
        return;
    s->last_flow = o->flow_id;
    describe(s, o);
    count(d, s, faults, others, o->time);
}

/* --- by probes --- */

static void tell_probe(struct identity *d, const struct observation *o)
{
    const struct probe_observation *found = &o->probe;
    struct server *s = server_at(d, o, WAY_PROBED);

    s->seen = sighting_of(o);
    s->seen.resolver = policy_resolver_called(d->base.policy, found->resolver);
    s->seen.proto = 6;
    memset(&s->seen.client, 0, sizeof s->seen.client);
    s->tls_version = found->version;
    s->certificate = true;
    s->not_before = found->not_before;
    s->not_after = found->not_after;
    memcpy(s->spki, found->spki_sha256, 32);
    text_copy(s->name, sizeof s->name, found->expected);
    text_copy(s->names, sizeof s->names, found->names);
    text_copy(s->issuer, sizeof s->issuer, found->issuer);
    text_copy(s->error, sizeof s->error, found->error);
    s->faults &= found->faults; /* what was mended since is none any more */
    count(d, s, found->faults & FAULTS_OF_IDENTITY, 0, o->time);
}

/* The client was there first, and met another certificate than the probe that followed it. */
static void tell_earlier(struct identity *d, struct probed_server *known,
                         const struct observation *o)
{
    struct probed_sighting *seen = &known->seen;
    struct observation at = *o;
    struct server *s;

    if (!seen->any || !known->proof.time || known->proof.time != o->time ||
        probed_knows_key(&known->proof, seen->spki) ||
        probed_knows_issuer(&known->proof, seen->issuer))
        return;
    seen->any = false;
    at.note.zone = seen->at.zone;
    s = server_at(d, &at, WAY_SIGHTED);
    s->seen = seen->at;
    s->certificate = true;
    memcpy(s->spki, seen->spki, 32);
    text_copy(s->issuer, sizeof s->issuer, seen->issuer);
    count(d, s, 0, OTHER_CERTIFICATE, o->time);
}

static void identity_probed(void *state, const struct observation *o)
{
    struct identity *d = state;
    struct probed_server *known = probed_at(d->probed, o);

    probed_note(known, o);
    if (!o->probe.resolver[0])
        return; /* nobody said who it should be */
    if (o->probe.faults & FAULTS_OF_IDENTITY)
        tell_probe(d, o);
    else
        tell_earlier(d, known, o);
}

/* --- the rest --- */

static void identity_use_policy(void *state, const struct policy *policy)
{
    static const struct {
        uint8_t fault;
        const char *threshold;
        enum severity otherwise;
    } list[] = {
        {FAULT_WRONG_NAME, "severity_wrong_name", SEVERITY_HIGH},
        {FAULT_WRONG_CA, "severity_wrong_ca", SEVERITY_HIGH},
        {FAULT_SELF_SIGNED, "severity_self_signed", SEVERITY_HIGH},
        {FAULT_WRONG_PIN, "severity_wrong_pin", SEVERITY_HIGH},
        {FAULT_EXPIRED, "severity_expired", SEVERITY_MEDIUM},
        {FAULT_NOT_YET_VALID, "severity_not_yet_valid", SEVERITY_MEDIUM},
    };
    struct identity *d = state;

    tallied_use_policy(d, policy);
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        d->severity[list[i].fault] =
            (uint8_t)draft_severity(policy, RULE, list[i].threshold, list[i].otherwise);
    d->severity_disagrees =
        (uint8_t)draft_severity(policy, RULE, "severity_disagrees", SEVERITY_MEDIUM);
    d->severity_unapproved =
        (uint8_t)draft_severity(policy, RULE, "severity_unapproved", SEVERITY_LOW);
}

static void identity_destroy(void *state)
{
    struct identity *d = state;

    table_destroy(d->probed);
    tallied_destroy(state);
}

static void *identity_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct identity),
                                               .item_size = sizeof(struct server),
                                               .capacity = SERVERS,
                                               .tell = tell};
    struct identity *d = tallied_create(&shape, setup);

    if (!d)
        return NULL;
    d->probed = probed_create(setup->seed);
    identity_use_policy(d, setup->policy);
    if (d->probed)
        return d;
    tallied_destroy(d);
    return NULL;
}

static size_t identity_bytes(const void *state)
{
    return tallied_bytes(state) + table_bytes(((const struct identity *)state)->probed);
}

static void identity_remember(void *state, struct memory_sink sink, nsec_t now)
{
    (void)now;
    probed_remember(((struct identity *)state)->probed, sink);
}

static void identity_recall(void *state, const struct memory *m)
{
    probed_recall(((struct identity *)state)->probed, m);
}

const struct detector detector_identity = {.name = RULE,
                                           .reads = READ_FLOWS,
                                           .create = identity_create,
                                           .destroy = identity_destroy,
                                           .use_policy = identity_use_policy,
                                           .observe = identity_observe,
                                           .probed = identity_probed,
                                           .tick = tallied_tick,
                                           .flush = tallied_flush,
                                           .bytes = identity_bytes,
                                           .remember = identity_remember,
                                           .recall = identity_recall};
