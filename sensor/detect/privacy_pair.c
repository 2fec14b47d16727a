#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "detect/privacy.h"
#include "model/cipher_suite.h"

enum { FADES = 4096, TLS_12 = 0x0303, TLS_13 = 0x0304, SSL_3 = 0x0300 };

const char *padding_word(enum padding verdict)
{
    static const char *const text[] = {"too few", "padded", "partial", "unpadded",
                                       "not measurable"};

    return text[verdict];
}

/* A client that is set up anew is judged by what it does now, not by its past. */
static void fade(struct lattice *l)
{
    if (l->messages + l->blurred < FADES)
        return;
    l->messages /= 2;
    l->padded /= 2;
    l->blurred /= 2;
}

void lattice_add(struct lattice *l, const struct record_side *side, bool exact)
{
    if (exact) {
        l->messages += side->messages;
        l->padded += side->padded;
    } else {
        l->blurred += side->messages;
    }
    fade(l);
}

enum padding lattice_verdict(const struct lattice *l, const struct padding_rule *rule)
{
    uint64_t padded = (uint64_t)l->padded * 1000;

    if (l->messages < rule->messages_min)
        return l->blurred >= rule->messages_min ? PADDING_BLURRED : PADDING_FEW;
    if (padded >= (uint64_t)l->messages * rule->padded_milli)
        return PADDING_PADDED;
    return padded < (uint64_t)l->messages * rule->unpadded_milli ? PADDING_UNPADDED
                                                                 : PADDING_PARTIAL;
}

void privacy_take(struct privacy_pair *p, const struct observation *o)
{
    const struct flow_observation *flow = &o->flow;

    p->last = o->time;
    p->changed = true;
    if (o->transport == TRANSPORT_DOT) {
        lattice_add(&p->queries, &flow->shape.client, flow->shape.exact);
        lattice_add(&p->answers, &flow->shape.server, flow->shape.exact);
    }
    if (flow->phase != FLOW_ESTABLISHED)
        return;
    p->connections++;
    p->resumed += flow->tls.resumed;
    if (flow->tls.version)
        p->version = flow->tls.version;
    if (flow->tls.cipher)
        p->suite = flow->tls.cipher;
}

unsigned privacy_judge(const struct privacy_pair *p, const struct padding_rule *rule)
{
    enum padding queries = lattice_verdict(&p->queries, rule);
    enum padding answers = lattice_verdict(&p->answers, rule);
    enum suite_strength strength = suite_strength(p->suite);
    unsigned weak = 0;

    if (p->version >= SSL_3 && p->version < TLS_12)
        weak |= WEAK_VERSION;
    if (p->version != TLS_13 && strength == SUITE_BROKEN)
        weak |= WEAK_BROKEN;
    if (p->version != TLS_13 && strength == SUITE_DATED)
        weak |= WEAK_DATED;
    if (queries == PADDING_UNPADDED || queries == PADDING_PARTIAL)
        weak |= WEAK_QUERIES;
    if (queries == PADDING_PADDED && (answers == PADDING_UNPADDED || answers == PADDING_PARTIAL))
        weak |= WEAK_ANSWERS;
    return weak;
}

static void write_side(const struct lattice *l, const struct padding_rule *rule, const char *what,
                       struct evidence *e)
{
    char key[32];

    snprintf(key, sizeof key, "%s_padding", what);
    evidence_string(e, key, padding_word(lattice_verdict(l, rule)));
    snprintf(key, sizeof key, "%s_messages", what);
    evidence_integer(e, key, (int64_t)l->messages + l->blurred);
    snprintf(key, sizeof key, "%s_padded", what);
    evidence_integer(e, key, l->padded);
}

void privacy_write(const struct privacy_pair *p, const struct padding_rule *rule,
                   struct evidence *e)
{
    static const char *const versions[] = {"SSL 3.0", "1.0", "1.1", "1.2", "1.3"};
    char suite[8];

    if (p->key.transport == TRANSPORT_DOT) {
        write_side(&p->queries, rule, "query", e);
        write_side(&p->answers, rule, "answer", e);
    } else { /* frames of HTTP and QUIC share records and packets with messages */
        evidence_string(e, "query_padding", "undetermined");
        evidence_string(e, "answer_padding", "undetermined");
    }
    evidence_integer(e, "connections", p->connections);
    evidence_integer(e, "resumed", p->resumed);
    if (p->version >= SSL_3 && p->version <= TLS_13)
        evidence_string(e, "tls_version", versions[p->version - SSL_3]);
    if (!p->suite)
        return;
    snprintf(suite, sizeof suite, "0x%04x", p->suite);
    evidence_string(e, "suite", suite);
    if (suite_weakness(p->suite)[0] && p->version != TLS_13)
        evidence_string(e, "suite_weakness", suite_weakness(p->suite));
}
