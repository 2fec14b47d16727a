/* A probe from its beginning to its end: the first question decides, then come the remarks. */
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/dns.h"
#include "probe/http2.h"
#include "probe/quic.h"
#include "probe/session.h"

static const struct probe_transport *ops_of(unsigned transport)
{
    for (size_t i = 0; probe_transports[i]; i++)
        if (probe_transports[i]->transport == transport)
            return probe_transports[i];
    return NULL;
}

bool probe_speaks(enum transport transport)
{
    return ops_of(transport) != NULL;
}

void session_end(struct session *s)
{
    quic_close(s);
    tls_close(s);
    http2_destroy(s->http2);
    wire_close(&s->wire);
}

static bool is_sealed(const struct session *s)
{
    return s->target->transport >= TRANSPORT_DOT;
}

static uint16_t next_id(void)
{
    uint16_t id = 0;

    return RAND_bytes((unsigned char *)&id, sizeof id) == 1 ? id : 0;
}

static int ask(struct session *s, const struct probe_transport *ops, const char *name,
               uint16_t type, struct answer *a)
{
    struct question q = {.name = name, .type = type, .id = next_id(), .padded = is_sealed(s)};

    return ops->ask(s, &q, a);
}

/* The root's name servers: everybody's question, which every recursive resolver answers and which
 * tells nobody anything. */
static int ask_first(struct session *s, const struct probe_transport *ops)
{
    struct answer a = {0};
    int status = ask(s, ops, "", DNS_TYPE_NS, &a);

    if (status != SD_OK)
        return status;
    if (a.rcode != 0)
        session_fail(s, FAULT_BAD_ANSWER, "it answers, but with rcode %u", a.rcode);
    if (is_sealed(s) && !a.padded) /* RFC 8467 4.1: who is asked with padding pads */
        s->out->faults |= FAULT(FAULT_NO_PADDING);
    return SD_OK;
}

static uint8_t meaning_of(const struct answer *a)
{
    if (a->rcode != 0 && a->rcode != 3)
        return CANARY_FAILED;
    return a->records ? CANARY_POSITIVE : CANARY_NEGATIVE;
}

/* On a session that works; what goes wrong from here on is no fault, the canary stays unanswered.
 */
static void ask_canaries(struct session *s, const struct probe_transport *ops)
{
    static const struct {
        const char *name;
        uint16_t type;
    } questions[CANARIES] = {
        [CANARY_FIREFOX] = {"use-application-dns.net", DNS_TYPE_A},
        [CANARY_RELAY] = {"mask.icloud.com", DNS_TYPE_A},
        [CANARY_RELAY_H2] = {"mask-h2.icloud.com", DNS_TYPE_A},
        [CANARY_DESIGNATION] = {"_dns.resolver.arpa", DNS_TYPE_SVCB}, /* RFC 9462 4 */
    };
    struct probe_observation before = *s->out;

    for (int c = 0; c < CANARIES; c++) {
        struct answer a = {0};
        int status = ask(s, ops, questions[c].name, questions[c].type, &a);

        before.canary[c] = status == SD_OK ? meaning_of(&a) : CANARY_FAILED;
        if (status != SD_OK)
            break;
        if (c == CANARY_DESIGNATION)
            text_copy(before.designated, sizeof before.designated, a.target);
    }
    *s->out = before;
}

static void try_versions(const struct probe_target *t, const struct wire *terms,
                         struct probe_observation *out)
{
    for (unsigned v = TLS1_VERSION; v <= TLS1_3_VERSION; v++)
        if (!(out->versions & PROBE_VERSION(v)) && tls_accepts(t, terms, v))
            out->versions |= PROBE_VERSION(v);
    if (out->versions & (PROBE_VERSION(TLS1_VERSION) | PROBE_VERSION(TLS1_1_VERSION)))
        out->faults |= FAULT(FAULT_ACCEPTS_OLD);
    if (tls_accepts_weak(t, terms, out->weak_cipher, sizeof out->weak_cipher))
        out->faults |= FAULT(FAULT_ACCEPTS_WEAK);
}

static void probe(struct session *s, const struct probe_transport *ops,
                  const struct probe_terms *terms)
{
    bool remarks = ops->open(s) == SD_OK && ask_first(s, ops) == SD_OK && !s->target->stranger;

    s->wire.deadline = wire_now(&s->wire) + terms->timeout;
    if (remarks)
        ask_canaries(s, ops);
    session_end(s);
    s->wire.deadline = wire_now(&s->wire) + terms->timeout;
    if (s->out->encrypted && !s->target->stranger && !ops->one_version)
        try_versions(s->target, &s->wire, s->out);
}

int probe_run(const struct probe_target *t, const struct probe_terms *terms,
              struct probe_observation *out)
{
    const struct probe_transport *ops = ops_of(t->transport);
    struct session *s;

    memset(out, 0, sizeof *out);
    text_copy(out->resolver, sizeof out->resolver, t->resolver);
    if (t->name_count)
        text_copy(out->expected, sizeof out->expected, t->name[0]);
    if (!ops) {
        text_copy(out->error, sizeof out->error, "no probe speaks this transport");
        return SD_EUNSUP;
    }
    s = calloc(1, sizeof *s);
    if (!s)
        return SD_EMEM;
    session_start(s, t, terms, out);
    probe(s, ops, terms);
    free(s);
    return SD_OK;
}
