#include "detect/fallback.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"

#define RULE "downgrade"

static uint8_t percent(const struct policy *p, const char *name, int64_t otherwise)
{
    int64_t value = policy_threshold(p, RULE, name, otherwise);

    return (uint8_t)(value < 0 ? 0 : value > 100 ? 100 : value);
}

void fallback_read_scale(struct fallback_scale *s, const struct policy *p)
{
    s->first = (uint8_t)draft_severity(p, RULE, "severity_first", SEVERITY_INFORMATIONAL);
    s->unproven = (uint8_t)draft_severity(p, RULE, "severity_unproven", SEVERITY_LOW);
    s->proven = (uint8_t)draft_severity(p, RULE, "severity_proven", SEVERITY_MEDIUM);
    s->strict = (uint8_t)draft_severity(p, RULE, "severity_strict", SEVERITY_HIGH);
    s->injected = (uint8_t)draft_severity(p, RULE, "severity_injected", SEVERITY_HIGH);
    s->own_rule = (uint8_t)draft_severity(p, RULE, "severity_own_rule", SEVERITY_INFORMATIONAL);
    s->weight_same_server = percent(p, "weight_same_server", 60);
    s->weight_rate = percent(p, "weight_rate", 50);
    s->weight_cause = percent(p, "weight_cause", 40);
    s->proven_successes = (uint32_t)policy_threshold(p, RULE, "proven_successes", 3);
    s->same_server_queries = (uint32_t)policy_threshold(p, RULE, "same_server_queries", 3);
    s->distinct_names = (uint32_t)policy_threshold(p, RULE, "distinct_names", 5);
    s->same_server_window = policy_threshold(p, RULE, "same_server_window_s", 2) * NSEC_S;
    s->rate_over_base = (double)policy_threshold(p, RULE, "rate_over_base_milli", 3000) / 1000;
    s->rate_over_encrypted =
        (double)policy_threshold(p, RULE, "rate_over_encrypted_milli", 500) / 1000;
}

void fallback_begin(struct fallback *b, const struct sealed *how, const struct clear_query *q)
{
    b->how = *how;
    b->clear = *q;
    b->first = q->seen.time;
    b->proof = sealed_proof(how);
    b->name_sent = how->name_sent;
    b->first_ok = how->first_ok;
    b->last_ok = how->last_ok;
    b->answers = how->answers;
}

static void keep_name(struct fallback *b, const struct clear_query *q)
{
    for (int i = 0; i < b->name_count; i++)
        if (b->name[i] == q->name)
            return;
    if (b->name_count < FALLBACK_NAMES)
        b->name[b->name_count++] = q->name;
    if (b->sample_count < FALLBACK_SAMPLES)
        draft_text(b->sample[b->sample_count++], sizeof b->sample[0], q->text);
}

bool fallback_blame(struct fallback *b, const struct sealed *how)
{
    if (!origin_outweighs(&how->blame, &b->how.blame))
        return false;
    b->how.blame = how->blame;
    return true;
}

void fallback_grow(struct fallback *b, const struct sealed *how, const struct clear_query *q,
                   bool same_group, const struct fallback_scale *scale)
{
    nsec_t failed = q->seen.time < how->failed_last ? how->failed : how->failed_last;
    nsec_t distance = q->seen.time - failed;

    b->queries++;
    b->pending++;
    b->latest = *q;
    b->clear.seen.zone = q->seen.zone; /* a place in today's policy */
    if (q->seen.time > b->last)
        b->last = q->seen.time;
    b->same_group += same_group;
    b->same_server += same_group && distance < scale->same_server_window;
    b->how.attempts = how->attempts;
    b->how.failures = how->failures;
    fallback_blame(b, how);
    keep_name(b, q);
}

/* A certificate that the client does not take though it took one before, or somebody else's packets
 * in the server's place, where more than one thing shows it. */
static bool is_injected(const struct fallback *b)
{
    return b->how.blame.cause == CAUSE_CERTIFICATE || origin_is_proven(&b->how.blame);
}

enum severity fallback_severity(const struct fallback *b, const struct fallback_scale *scale)
{
    if (b->how.blame.cause == CAUSE_OWN_RULE)
        return scale->own_rule;
    if (b->proof == 0 || b->attaching)
        return scale->first;
    if (b->permitted && !b->same_group)
        return scale->first; /* the policy lets it ask that inside resolver in clear */
    if (is_injected(b))
        return scale->injected;
    if (b->vpn)
        return scale->first; /* routes change under its connections */
    if (b->proof < scale->proven_successes)
        return scale->unproven;
    return b->name_sent ? scale->strict : scale->proven;
}

static bool rate_speaks(const struct fallback *b, const struct fallback_scale *scale)
{
    double span = (double)(b->last - b->how.began) / NSEC_S;
    double sealed_span = (double)(b->last_ok - b->first_ok) / NSEC_S;
    double expected = b->expected < 1 ? 1 : b->expected;

    if (b->name_count < scale->distinct_names || b->name_count < scale->rate_over_base * expected)
        return false;
    if (b->answers < 2 || sealed_span < 60)
        return true;
    span = span < 1 ? 1 : span;
    return (double)b->queries / span >= scale->rate_over_encrypted * b->answers / sealed_span;
}

unsigned fallback_confidence(const struct fallback *b, const struct fallback_scale *scale)
{
    double doubt = 1;

    if (b->how.blame.cause != CAUSE_NONE)
        doubt *= 1 - scale->weight_cause / 100.0;
    if (b->same_server >= scale->same_server_queries)
        doubt *= 1 - scale->weight_same_server / 100.0;
    if (rate_speaks(b, scale))
        doubt *= 1 - scale->weight_rate / 100.0;
    return doubt > 0.8 ? 20 : (unsigned)(100 * (1 - doubt) + 0.5);
}

/* From the failure, or where silence was the failure from the beginning of the attempt. */
static int64_t delay_ms(const struct fallback *b)
{
    bool silent = b->how.blame.cause == CAUSE_TIMEOUT || b->how.blame.cause == CAUSE_NO_ANSWER;
    nsec_t from = silent || b->first < b->how.failed ? b->how.began : b->how.failed;

    return (b->first - from) / NSEC_MS;
}

static void write_evidence(const struct fallback *b, struct evidence *e)
{
    char text[ADDR_TEXT], names[FALLBACK_SAMPLES * 64];
    size_t used = 0;

    evidence_string(e, "cause", cause_name(b->how.blame.cause));
    origin_write(&b->how.blame, e);
    evidence_integer(e, "attempts", b->how.attempts);
    evidence_integer(e, "delay_ms", delay_ms(b));
    evidence_string(e, "failed_server", addr_text(&b->how.server, text));
    evidence_integer(e, "failed_port", b->how.server_port);
    if (!addr_equal(&b->clear.seen.client, &b->key.client))
        evidence_string(e, "clear_client", addr_text(&b->clear.seen.client, text));
    evidence_string(e, "clear_server", addr_text(&b->clear.seen.server, text));
    evidence_string(e, "clear_transport", transport_name(b->clear.seen.transport));
    evidence_integer(e, "queries", (int64_t)b->queries);
    evidence_integer(e, "names_count", b->name_count);
    for (int i = 0; i < b->sample_count; i++)
        used +=
            (size_t)snprintf(names + used, sizeof names - used, "%s%s", i ? " " : "", b->sample[i]);
    evidence_string(e, "names", names);
    evidence_integer(e, "proven", b->proof);
    evidence_boolean(e, "name_sent", b->name_sent);
    evidence_integer(e, "same_resolver", b->same_group);
    evidence_integer(e, "not_counted", b->excluded);
    evidence_boolean(e, "recovered", b->recovered);
    if (b->proof && b->attaching)
        evidence_boolean(e, "attaching", true);
    if (b->vpn)
        evidence_string(e, "vpn", vpn_name(b->vpn));
    evidence_string(e, "profile", usage_word(b->usage));
}

void fallback_draft(const struct fallback *b, const struct policy *p, struct finding *f)
{
    struct sighting s = b->clear.seen;

    s.client = b->key.client;
    s.client_port = b->how.client_port;
    s.server = b->how.server;
    s.server_port = b->how.server_port;
    s.transport = b->how.transport;
    s.proto = b->how.proto;
    s.flow_id = b->how.flow_id;
    s.resolver = policy_resolver_at(p, &s.server, NULL);
    draft(f, p, RULE, KIND_DOWNGRADE, &s, SEVERITY_MEDIUM);
    f->severity = b->severity;
    f->confidence = b->confidence;
    f->count = b->pending;
    f->time = b->last;
    f->first = b->how.began < b->first ? b->how.began : b->first;
    f->query = true;
    f->qtype = b->clear.qtype;
    f->key = hash_bytes(&b->key, sizeof b->key, 0);
    draft_text(f->name, sizeof f->name, b->clear.text);
    write_evidence(b, &f->evidence);
}
