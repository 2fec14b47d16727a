/* Everything behind the ring at once, under what nobody should send: hostile names and texts, a
 * clock that jumps, policies swapped in between, and a memory that somebody has edited. What is
 * said must be JSON, and harmless at a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/hash.h"
#include "conf/conf.h"
#include "engine/pipeline.h"
#include "output/output.h"

#define T0   (INT64_C(1795262400) * NSEC_S)
#define S    NSEC_S
#define DAY  (86400 * S)
#define KEPT 8192

struct storm {
    struct back *back;
    struct policy *policy;
    uint64_t dice, flow;
    size_t events, pieces, marks;
    struct memory *piece; /* KEPT of them */
};

static uint32_t roll(struct storm *s, uint32_t faces)
{
    s->dice ^= s->dice << 13;
    s->dice ^= s->dice >> 7;
    s->dice ^= s->dice << 17;
    return (uint32_t)(s->dice >> 33) % faces;
}

static bool one_in(struct storm *s, uint32_t faces)
{
    return roll(s, faces) == 0;
}

/* --- policies --------------------------------------------------------------------------------- */

static const char *const policies[] = {
    "resolvers:\n"
    "  - {id: ours, name: dns.corp.example, addresses: [10.20.0.53, 203.0.113.1], transports: "
    "[dot, doh2, do53]}\n"
    "zones:\n"
    "  - {id: office, networks: [10.20.0.0/16, '2001:db8:20::/64'], approve: [ours], cleartext: "
    "reject, unapproved: reject}\n"
    "  - {id: lab, networks: [10.30.0.0/16], approve: [ours]}\n"
    "  - {id: guests, networks: [10.40.0.0/16], unapproved: allow}\n",
    "resolvers:\n"
    "  - {id: zero, name: zero.example, addresses: [203.0.113.9], transports: [dot]}\n"
    "zones:\n"
    "  - {id: guests, networks: [10.40.0.0/16], unapproved: alert}\n",
    "resolvers:\n"
    "  - {id: other, name: other.example, addresses: [203.0.113.2], transports: [dot, doq]}\n"
    "  - {id: ours, name: dns.corp.example, addresses: [203.0.113.1], transports: [dot]}\n"
    "zones:\n"
    "  - {id: lab, networks: [10.30.0.0/16], approve: [ours, other]}\n"
    "  - {id: more, networks: [10.50.0.0/16]}\n"
    "  - {id: office, networks: [10.20.0.0/16], approve: [other], cleartext: drop}\n"};

static struct policy *policy_of(unsigned which)
{
    static const uint8_t four[4] = {10, 20, 0, 1};
    struct addr gateway = addr_v4(four);
    struct conf_source source = {.policy = {"storm", policies[which], strlen(policies[which])},
                                 .gateway = &gateway,
                                 .gateway_count = 1};
    struct conf_report report = {.to = stderr};
    struct policy *p;

    assert_int_equal(conf_load(&source, &report, &p), SD_OK);
    return p;
}

/* --- what comes out --------------------------------------------------------------------------- */

static void check_event(struct storm *s, const struct record *r)
{
    const struct output_format *text = output_format_named("text");
    char *line = eve_render(r, s->policy), *sentence;
    json_error_t e;
    json_t *eve;

    assert_non_null(line);
    eve = json_loads(line, JSON_REJECT_DUPLICATES, &e);
    if (!eve)
        fail_msg("%s: %s", e.text, line);
    sentence = text->render(eve);
    assert_non_null(sentence);
    for (const char *c = sentence; *c; c++)
        if (*c < ' ' || *c > '~')
            fail_msg("a terminal would do as it says: %s", sentence);
    free(sentence);
    json_decref(eve);
    free(line);
    s->events++;
}

static void check_piece(struct storm *s, const struct memory *m)
{
    char text[EVIDENCE_SIZE + 3];
    json_t *all;

    assert_non_null(memchr(m->topic, 0, sizeof m->topic));
    assert_non_null(memchr(m->key, 0, sizeof m->key));
    assert_true(m->size <= sizeof m->body);
    snprintf(text, sizeof text, "{%s}", m->text.text);
    all = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    if (!all && !m->forget)
        fail_msg("%s %s: %s", m->topic, m->key, text);
    json_decref(all);
    if (s->pieces < KEPT)
        s->piece[s->pieces++] = *m;
}

static int take(void *context, const struct record *r)
{
    struct storm *s = context;

    if (one_in(s, 1000))
        return SD_ELIMIT;
    if (r->kind == RECORD_EVENT)
        check_event(s, r);
    else if (r->kind == RECORD_MARK)
        s->marks++;
    else if (r->kind == RECORD_MEMORY)
        check_piece(s, &r->memory);
    return SD_OK;
}

/* --- what goes in ----------------------------------------------------------------------------- */

static struct addr address(struct storm *s, bool inside)
{
    static const char *const servers[] = {"9.9.9.9",     "8.8.8.8",     "203.0.113.1",
                                          "203.0.113.2", "10.20.0.53",  "10.20.0.1",
                                          "1.1.1.1",     "2620:fe::fe", "2001:db8:20::53"};
    uint8_t four[4] = {10, (uint8_t)(20 + 10 * roll(s, 4)), (uint8_t)roll(s, 2),
                       (uint8_t)roll(s, 40)};
    struct addr a;

    if (one_in(s, 20)) {
        for (size_t i = 0; i < sizeof a.b; i++)
            a.b[i] = (uint8_t)roll(s, 256);
        return a;
    }
    if (inside)
        return addr_v4(four);
    assert_int_equal(addr_parse(servers[roll(s, sizeof servers / sizeof *servers)], &a), SD_OK);
    return a;
}

static const char *hostile(struct storm *s)
{
    static const char *const texts[] = {"",
                                        "dns.quad9.net",
                                        "\",\"severity\":0,\"x\":\"",
                                        "\x1b[2J\x1b]0;owned\x07",
                                        "\xff\xfe\x80",
                                        "</script>%n%s%s\\u0000\\",
                                        "{{[[\n\r\t"};

    return texts[roll(s, sizeof texts / sizeof *texts)];
}

/* The classifier escapes the texts of handshakes; what comes this way is printable. */
static void put_text(struct storm *s, char *out, size_t size)
{
    snprintf(out, size, "%s", one_in(s, 3) ? "dns.quad9.net" : "\\027[2J\",\"x\":\"\\255'<&");
    if (one_in(s, 5)) {
        memset(out, '"', size - 1);
        out[size - 1] = '\0';
    }
}

static void put_label(struct dns_message *m, const void *bytes, unsigned length)
{
    if (length == 0 || length > 63 || m->qname_length + length + 2 > DNS_NAME_WIRE)
        return;
    m->qname[m->qname_length++] = (uint8_t)length;
    memcpy(m->qname + m->qname_length, bytes, length);
    m->qname_length = (uint8_t)(m->qname_length + length);
}

static void put_name(struct storm *s, struct dns_message *m)
{
    static const char *const tails[][2] = {
        {"example", "com"}, {"resolver", "arpa"},           {"in-addr", "arpa"},
        {"co", "uk"},       {"use-application-dns", "net"}, {"corp", "example"}};
    unsigned tail = roll(s, sizeof tails / sizeof *tails), labels = roll(s, one_in(s, 9) ? 120 : 4);
    const char *text;
    uint8_t bytes[63];

    if (one_in(s, 4))
        put_label(m, "_dns", 4);
    for (unsigned i = 0; i < labels; i++) {
        unsigned length = one_in(s, 3) ? roll(s, 64) : 1 + roll(s, 9);
        bool wild = one_in(s, 3);

        for (unsigned k = 0; k < length; k++)
            bytes[k] = (uint8_t)(wild ? roll(s, 256) : 'a' + roll(s, 26));
        for (unsigned k = 0; k < length; k++) /* lower case on the wire's way */
            bytes[k] = bytes[k] >= 'A' && bytes[k] <= 'Z' ? bytes[k] | 0x20 : bytes[k];
        put_label(m, bytes, length);
    }
    text = hostile(s);
    put_label(m, text, (unsigned)strlen(text));
    for (int i = 0; i < 2; i++)
        put_label(m, tails[tail][i], (unsigned)strlen(tails[tail][i]));
    m->qname[m->qname_length++] = 0;
}

static void make_dns(struct storm *s, struct observation *o)
{
    static const uint16_t types[] = {1, 28, 12, 16, 10, 5, 15, 64, 65, 251, 252, 255, 65400};
    struct dns_message *m = &o->dns.message;
    bool response = one_in(s, 2);

    o->kind = OBSERVE_DNS;
    o->transport = one_in(s, 5) ? TRANSPORT_DO53_TCP : TRANSPORT_DO53_UDP;
    o->proto = o->transport == TRANSPORT_DO53_TCP ? 6 : 17;
    o->server_port = 53;
    o->ttl = (uint8_t)roll(s, 256);
    o->bytes = roll(s, 1500);
    put_name(s, m);
    m->has_question = !one_in(s, 30);
    m->id = (uint16_t)roll(s, 65536);
    m->qtype = types[roll(s, sizeof types / sizeof *types)];
    m->qclass = 1;
    m->flags = (uint16_t)(roll(s, 65536) & (one_in(s, 5) ? 0x7fff : 0x07ff));
    if (one_in(s, 3))
        m->flags = 0x0100;
    m->flags |= response ? 0x8000 : 0;
    m->rcode = response ? (uint8_t)(one_in(s, 2) ? 3 : roll(s, 16)) : 0;
    for (int i = 0; i < 4; i++)
        m->counts[i] = (uint16_t)(one_in(s, 9) ? 65535 : roll(s, 4));
    m->length = (uint16_t)(12 + roll(s, one_in(s, 4) ? 65000 : 500));
    m->soa_count = (uint8_t)roll(s, 256);
    m->foreign = one_in(s, 50);
    m->address_count = response ? (uint8_t)roll(s, DNS_ADDRESSES + 1) : 0;
    for (int i = 0; i < m->address_count; i++)
        m->address[i] = address(s, one_in(s, 2));
    o->dns.qname_hash = hash_bytes(m->qname, m->qname_length, 0);
    if (!response)
        return;
    o->dns.match = (uint8_t)(ANSWER_MATCHED + roll(s, 6));
    o->dns.answered = o->dns.match == ANSWER_MATCHED;
    o->dns.surplus = one_in(s, 2);
    o->dns.differs = one_in(s, 2);
    o->dns.latency_us = one_in(s, 9) ? UINT32_MAX : roll(s, 100000);
}

static void make_side(struct storm *s, struct record_side *side)
{
    side->records = one_in(s, 50) ? UINT32_MAX / 2 : roll(s, 200);
    side->messages = side->records;
    side->padded = side->records ? roll(s, side->records) : 0;
    side->large = side->records ? roll(s, side->records) : 0;
    side->octets = one_in(s, 50) ? UINT64_MAX / 4 : roll(s, 100000);
}

static void make_flow(struct storm *s, struct observation *o, nsec_t now)
{
    static const uint8_t transports[] = {TRANSPORT_DOT,     TRANSPORT_DOT, TRANSPORT_DOQ,
                                         TRANSPORT_DOH2,    TRANSPORT_TLS, TRANSPORT_QUIC,
                                         TRANSPORT_DO53_TCP};
    struct flow_observation *f = &o->flow;
    struct tls_facts *tls = &f->tls;

    o->kind = OBSERVE_FLOW;
    o->transport = transports[roll(s, sizeof transports)];
    o->proto = o->transport == TRANSPORT_DOQ || o->transport == TRANSPORT_QUIC ? 17 : 6;
    o->server_port = o->transport == TRANSPORT_DOT || o->transport == TRANSPORT_DOQ ? 853 : 443;
    o->flow_id = one_in(s, 2) ? ++s->flow : s->flow - (s->flow ? roll(s, 20) % s->flow : 0);
    f->phase = (uint8_t)roll(s, FLOW_BEHAVIOUR + 1);
    f->cause = f->phase == FLOW_FAILED ? (uint8_t)roll(s, CAUSE_COUNT) : 0;
    f->origin = (uint8_t)roll(s, ORIGIN_COUNT);
    f->confidence = (uint8_t)roll(s, 101);
    f->identified_by = (uint8_t)roll(s, 32);
    f->from_client = one_in(s, 2);
    f->alert = (uint8_t)roll(s, 256);
    f->ttl_fault = (uint8_t)roll(s, 256);
    f->ttl_server = (uint8_t)roll(s, 256);
    f->signs = (uint8_t)roll(s, 128);
    f->bulky = one_in(s, 5);
    f->handshake_us = one_in(s, 9) ? UINT32_MAX : roll(s, 100000);
    f->rtt_us = roll(s, 100000);
    f->gap_us = roll(s, 100000);
    f->icmp_source = address(s, one_in(s, 2));
    f->first = one_in(s, 3) ? 0 : now - (nsec_t)roll(s, 100) * S;
    f->last = one_in(s, 3) ? 0 : now;
    f->queries = one_in(s, 50) ? UINT32_MAX : roll(s, 50);
    f->responses = roll(s, 50);
    make_side(s, &f->shape.client);
    make_side(s, &f->shape.server);
    f->shape.exact = one_in(s, 2);
    for (int i = 0; i < FEATURE_COUNT; i++)
        f->behaviour.feature[i] = one_in(s, 20) ? INT32_MIN : (int32_t)roll(s, 1500);
    tls->hello_seen = tls->server_hello_seen = one_in(s, 2);
    tls->certificate_seen = tls->server_hello_seen && one_in(s, 2);
    tls->chain = (uint8_t)roll(s, 256);
    tls->sni_outer = one_in(s, 5);
    tls->resumed = one_in(s, 5);
    tls->version = one_in(s, 3) ? (uint16_t)roll(s, 65536) : (uint16_t)(0x0301 + roll(s, 4));
    tls->version_offered = 0x0304;
    tls->cipher = (uint16_t)roll(s, 65536);
    tls->not_before = one_in(s, 9) ? INT64_MIN : T0;
    tls->not_after = one_in(s, 9) ? INT64_MAX : T0;
    put_text(s, tls->sni, sizeof tls->sni);
    put_text(s, tls->alpn, sizeof tls->alpn);
    put_text(s, tls->issuer, sizeof tls->issuer);
    put_text(s, tls->subject, sizeof tls->subject);
    put_text(s, tls->certificate_names, sizeof tls->certificate_names);
}

static void make_lease(struct storm *s, struct observation *o)
{
    struct lease_observation *l = &o->lease;

    o->kind = OBSERVE_LEASE;
    l->source = (uint8_t)roll(s, LEASE_SOURCE_COUNT);
    l->step = (uint8_t)roll(s, LEASE_GIVEN + 1);
    l->giver = roll(s, 5);
    l->lifetime_s = one_in(s, 3) ? UINT32_MAX : roll(s, 90000);
    l->address_count = (uint8_t)roll(s, LEASE_ADDRESSES + 1);
    for (int i = 0; i < l->address_count; i++)
        l->address[i] = address(s, true);
    l->resolver_count = (uint8_t)roll(s, LEASE_RESOLVERS + 1);
    for (int i = 0; i < l->resolver_count; i++)
        l->resolver[i] = address(s, false);
    l->designation_count = (uint8_t)roll(s, LEASE_DESIGNATIONS + 1);
    for (int i = 0; i < l->designation_count; i++) {
        put_text(s, l->designation[i].name, sizeof l->designation[i].name);
        l->designation[i].service.transports = roll(s, UINT32_MAX);
        l->designation[i].service.hint_count = (uint8_t)roll(s, SVCB_HINTS + 1);
    }
    put_text(s, l->host, sizeof l->host);
}

static void make_probe(struct storm *s, struct observation *o)
{
    struct probe_observation *p = &o->probe;

    o->kind = OBSERVE_PROBE;
    o->transport = TRANSPORT_DOT;
    o->server_port = 853;
    o->iface = UINT16_MAX;
    o->client = (struct addr){0};
    p->faults = roll(s, 1U << FAULT_COUNT);
    p->encrypted = one_in(s, 2);
    p->reached = true;
    p->version = 0x0304;
    p->versions = (uint8_t)roll(s, 16);
    p->spki_sha256[0] = (uint8_t)roll(s, 3);
    p->not_before = T0;
    p->not_after = one_in(s, 9) ? INT64_MAX : T0;
    snprintf(p->resolver, sizeof p->resolver, "%s", one_in(s, 2) ? "ours" : "gone");
    put_text(s, p->names, sizeof p->names);
    put_text(s, p->issuer, sizeof p->issuer);
    put_text(s, p->error, sizeof p->error);
}

static void make_cut(struct storm *s, struct observation *o)
{
    static const char *const rules[] = {"office/cleartext-udp", "gone/unapproved-dot", "", "/",
                                        "guests/redirect-udp-ip4"};

    o->kind = OBSERVE_MET;
    o->transport = (uint8_t)roll(s, TRANSPORT_COUNT);
    o->server_port = one_in(s, 2) ? 53 : 853;
    o->met.acted = one_in(s, 2);
    snprintf(o->met.rule, sizeof o->met.rule, "%s", rules[roll(s, 5)]);
}

static void send_one(struct storm *s, nsec_t now)
{
    struct observation o;

    memset(&o, 0, sizeof o);
    o.time = now;
    o.client = address(s, true);
    o.server = address(s, false);
    o.client_port = (uint16_t)roll(s, 65536);
    o.station = one_in(s, 2) ? 0 : 1 + roll(s, 50);
    o.iface = (uint16_t)roll(s, 2);
    o.vlan = (uint16_t)(one_in(s, 20) ? roll(s, 4096) : 0);
    o.flow_id = 1;
    if (one_in(s, 50))
        make_lease(s, &o);
    else if (one_in(s, 200))
        make_probe(s, &o);
    else if (one_in(s, 20))
        make_cut(s, &o);
    else if (one_in(s, 2))
        make_flow(s, &o, now);
    else
        make_dns(s, &o);
    back_observation(s->back, &o);
    if (one_in(s, 10))
        back_tick(s->back, now);
}

static void reload(struct storm *s, unsigned which)
{
    struct policy *old = s->policy;

    s->policy = policy_of(which);
    back_use_policy(s->back, s->policy, which ? MODE_ENFORCE : MODE_MONITOR, true);
    policy_destroy(old);
}

/* --- */

static void begin(struct storm *s, uint64_t seed)
{
    struct back_options options = {
        .points = true, .bounds = bounds_of(PROFILE_STANDARD), .seed = seed, .sink = {take, s}};

    s->dice = seed | 1;
    s->policy = policy_of(0);
    s->back = back_create(&options, s->policy, MODE_MONITOR);
    assert_non_null(s->back);
}

static void end(struct storm *s, nsec_t now)
{
    back_flush(s->back, now);
    back_destroy(s->back);
    policy_destroy(s->policy);
}

static void all_kinds_in_any_order_and_clocks_that_jump(void **state)
{
    static const nsec_t clocks[] = {T0, T0 + 365 * DAY, T0 - DAY, 0, T0 + 30 * S, INT64_MAX / 2};
    struct storm s = {.piece = calloc(KEPT, sizeof(struct memory))};

    (void)state;
    begin(&s, 88172645463325252);
    for (size_t c = 0; c < sizeof clocks / sizeof *clocks; c++)
        for (unsigned i = 0; i < 6000; i++) {
            send_one(&s, clocks[c] + (nsec_t)i * 50 * NSEC_MS);
            if (i % 1500 == 1499)
                reload(&s, (unsigned)(c + i / 1500) % 3);
        }
    end(&s, T0 + 400 * DAY);
    assert_true(s.events > 100);
    assert_true(s.pieces > 50);
    free(s.piece);
}

/* As a machine does that starts with a wrong clock. */
static void a_clock_that_was_set_back_stops_nothing(void **state)
{
    struct storm s = {.piece = calloc(KEPT, sizeof(struct memory))};
    size_t events, pieces, marks;

    (void)state;
    begin(&s, 1234567891234567);
    for (unsigned i = 0; i < 3000; i++)
        send_one(&s, T0 + (nsec_t)i * 100 * NSEC_MS);
    events = s.events;
    pieces = s.pieces;
    marks = s.marks;
    assert_true(events > 100 && pieces > 50 && marks > 3);
    for (unsigned i = 0; i < 3000; i++)
        send_one(&s, T0 - DAY + (nsec_t)i * 100 * NSEC_MS);
    assert_true(s.events > events + events / 4);
    assert_true(s.pieces > pieces + pieces / 4);
    assert_true(s.marks > marks + 3); /* once a minute, among so many */
    end(&s, T0 - DAY / 2);
    free(s.piece);
}

/* Octets turned, sizes cut, times at the ends of time. */
static void damage(struct storm *s, struct memory *m)
{
    unsigned turned = roll(s, 8);

    for (unsigned i = 0; i < turned && m->size; i++)
        m->body[1 + roll(s, m->size) % (sizeof m->body - 1)] = (uint8_t)roll(s, 256);
    if (one_in(s, 4)) /* a word of one bits, or the least number there is */
        memset(m->body + roll(s, sizeof m->body / 8 - 1) * 8, one_in(s, 2) ? 0xff : 0x80, 8);
    if (one_in(s, 10))
        m->size = (uint16_t)roll(s, sizeof m->body + 1);
    if (one_in(s, 10))
        m->time = one_in(s, 2) ? INT64_MIN : INT64_MAX;
    if (one_in(s, 20))
        put_text(s, m->key, sizeof m->key);
}

static void a_memory_that_somebody_edited_does_no_harm(void **state)
{
    struct storm first = {.piece = calloc(KEPT, sizeof(struct memory))}, next;

    (void)state;
    begin(&first, 521288629);
    for (unsigned i = 0; i < 8000; i++)
        send_one(&first, T0 + (nsec_t)i * 100 * NSEC_MS);
    end(&first, T0 + DAY);
    assert_true(first.pieces > 50);
    for (unsigned round = 0; round < 6; round++) {
        next = (struct storm){.piece = calloc(KEPT, sizeof(struct memory))};
        begin(&next, 362436069 + round);
        for (size_t i = 0; i < first.pieces; i++)
            for (int k = 0; k < 3; k++) {
                struct memory m = first.piece[i];

                damage(&next, &m);
                back_recall(next.back, &m);
            }
        for (unsigned i = 0; i < 3000; i++)
            send_one(&next, T0 + DAY + (nsec_t)i * 100 * NSEC_MS);
        reload(&next, 1 + round % 2);
        end(&next, T0 + 2 * DAY);
        free(next.piece);
    }
    free(first.piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_in_any_order_and_clocks_that_jump),
        cmocka_unit_test(a_clock_that_was_set_back_stops_nothing),
        cmocka_unit_test(a_memory_that_somebody_edited_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
