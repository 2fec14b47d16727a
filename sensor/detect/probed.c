#include "detect/probed.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum { BODY_VERSION = 1, AT_ONCE = 64 };

/* Of a memory, as it lies in the store. */
struct body {
    uint8_t version;
    struct probed_key key;
    struct probed_proof proof;
};

struct table *probed_create(uint64_t seed)
{
    struct table_shape shape = {.entry_size = sizeof(struct probed_server),
                                .key_size = sizeof(struct probed_key),
                                .capacity = PROBED_SERVERS,
                                .seed = seed};

    _Static_assert(sizeof(struct body) <= MEMORY_BODY, "fits a memory");
    return table_create(&shape);
}

static struct probed_key key_of(const struct observation *o)
{
    return (struct probed_key){
        .server = o->server, .port = o->server_port, .transport = o->transport};
}

struct probed_server *probed_find(struct table *t, const struct observation *o)
{
    struct probed_key key = key_of(o);

    return table_find(t, &key);
}

struct probed_server *probed_at(struct table *t, const struct observation *o)
{
    struct probed_key key = key_of(o);
    bool fresh;

    return table_insert(t, &key, &fresh);
}

bool probed_knows_key(const struct probed_proof *p, const uint8_t spki[32])
{
    for (uint8_t i = 0; i < p->keys; i++)
        if (memcmp(p->spki[i], spki, 32) == 0)
            return true;
    return false;
}

/* Both sides cut a long name, each where its field ends. */
bool probed_knows_issuer(const struct probed_proof *p, const char *issuer)
{
    for (uint8_t i = 0; i < p->issuers; i++)
        if (strncmp(p->issuer[i], issuer, PROBED_ISSUER - 8) == 0)
            return true;
    return false;
}

static void learn(struct probed_proof *p, const struct observation *o)
{
    const struct probe_observation *found = &o->probe;

    p->time = o->time;
    p->versions |= found->versions;
    p->alpn_known = 1;
    text_copy(p->alpn, sizeof p->alpn, found->alpn);
    if (!probed_knows_key(p, found->spki_sha256)) {
        memcpy(p->spki[p->next_key], found->spki_sha256, 32);
        p->next_key = (uint8_t)((p->next_key + 1) % PROBED_KEYS);
        p->keys = (uint8_t)(p->keys < PROBED_KEYS ? p->keys + 1 : PROBED_KEYS);
    }
    if (!probed_knows_issuer(p, found->issuer)) {
        text_copy(p->issuer[p->next_issuer], PROBED_ISSUER, found->issuer);
        p->next_issuer = (uint8_t)((p->next_issuer + 1) % PROBED_ISSUERS);
        p->issuers = (uint8_t)(p->issuers < PROBED_ISSUERS ? p->issuers + 1 : PROBED_ISSUERS);
    }
}

void probed_note(struct probed_server *s, const struct observation *o)
{
    s->last = o->probe;
    s->time = o->time;
    s->untold = true;
    if (o->probe.encrypted && !(o->probe.faults & FAULTS_OF_IDENTITY) && !o->probe.chain_unchecked)
        learn(&s->proof, o);
}

static void put_certificate(struct evidence *e, const struct probe_observation *o)
{
    char text[TIME_TEXT], pin[PIN_TEXT];

    evidence_string(e, "tls_version", o->version == 0x0304 ? "1.3" : "1.2");
    evidence_string(e, "cipher", o->cipher);
    if (o->alpn[0])
        evidence_string(e, "alpn", o->alpn);
    evidence_string(e, "certificate_for", o->names);
    evidence_string(e, "issuer", o->issuer);
    evidence_string(e, "not_after", time_text(o->not_after, text));
    evidence_string(e, "pin", pin_text(o->spki_sha256, pin));
    evidence_integer(e, "handshake_us", o->handshake_us);
}

/* For people, and for the report. */
static void put_text(const struct probed_server *s, struct evidence *e)
{
    const struct probe_observation *o = &s->last;
    char text[ADDR_TEXT], faults[256];

    evidence_clear(e);
    evidence_string(e, "server", addr_text(&s->key.server, text));
    evidence_integer(e, "port", s->key.port);
    evidence_string(e, "transport", transport_name(s->key.transport));
    evidence_string(e, "resolver", o->resolver);
    evidence_string(e, "expected", o->expected);
    evidence_string(e, "faults", probe_fault_words(o->faults, faults, sizeof faults));
    if (o->error[0])
        evidence_string(e, "error", o->error);
    evidence_boolean(e, "reached", o->reached);
    evidence_integer(e, "connect_us", o->connect_us);
    evidence_integer(e, "answer_us", o->answer_us);
    evidence_integer(e, "padding", o->padding);
    if (o->encrypted)
        put_certificate(e, o);
    if (o->designated[0])
        evidence_string(e, "designated", o->designated);
}

static int tell(const struct probed_server *s, struct memory_sink sink)
{
    struct memory m = {.topic = PROBED_TOPIC, .time = s->time, .size = sizeof(struct body)};
    struct body body;
    char text[ADDR_TEXT];

    memset(&body, 0, sizeof body);
    body.version = BODY_VERSION;
    body.key = s->key;
    body.proof = s->proof;
    memcpy(m.body, &body, sizeof body);
    snprintf(m.key, sizeof m.key, "%s %u %s", addr_text(&s->key.server, text), s->key.port,
             transport_name(s->key.transport));
    put_text(s, &m.text);
    return sink.put(sink.context, &m);
}

void probed_remember(struct table *t, struct memory_sink sink)
{
    struct probed_server *s;
    size_t position = 0, told = 0;

    while (told < AT_ONCE && (s = table_next(t, &position))) {
        if (!s->untold)
            continue;
        if (tell(s, sink) < 0)
            return;
        s->untold = false;
        told++;
    }
}

void probed_recall(struct table *t, const struct memory *m)
{
    struct probed_server *s;
    struct body body;
    bool fresh;

    if (strcmp(m->topic, PROBED_TOPIC) != 0 || m->size != sizeof body || m->body[0] != BODY_VERSION)
        return;
    memcpy(&body, m->body, sizeof body);
    if (body.proof.keys > PROBED_KEYS || body.proof.next_key >= PROBED_KEYS ||
        body.proof.issuers > PROBED_ISSUERS || body.proof.next_issuer >= PROBED_ISSUERS)
        return;
    for (int i = 0; i < PROBED_ISSUERS; i++)
        body.proof.issuer[i][PROBED_ISSUER - 1] = '\0';
    body.proof.alpn[sizeof body.proof.alpn - 1] = '\0';
    memset(body.key.zero, 0, sizeof body.key.zero);
    s = table_insert(t, &body.key, &fresh);
    s->proof = body.proof;
}
