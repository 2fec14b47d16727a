#include "scene.h"

extern const struct detector detector_identity;

#define DAY (86400 * S)

static const uint8_t good_key[32] = {1, 2, 3}, other_key[32] = {9, 9, 9};

/* A handshake of TLS 1.2 with Quad9 that is all right. */
static struct observation good(nsec_t t, const char *client, uint64_t flow)
{
    struct observation o = scene_flow(t, client, "9.9.9.9", FLOW_ESTABLISHED, flow);
    struct tls_facts *tls = &o.flow.tls;

    tls->hello_seen = tls->server_hello_seen = tls->certificate_seen = true;
    tls->version = tls->version_offered = 0x0303;
    tls->not_before = T0 - 30 * DAY;
    tls->not_after = T0 + 30 * DAY;
    tls->chain = 2;
    memcpy(tls->spki_sha256[0], good_key, 32);
    strcpy(tls->sni, "dns.quad9.net");
    strcpy(tls->certificate_names, "*.quad9.net,9.9.9.9");
    strcpy(tls->subject, "CN=*.quad9.net");
    strcpy(tls->issuer, "C=US, O=Authority, CN=One");
    return o;
}

static struct observation probe(nsec_t t, uint32_t faults)
{
    struct observation o = {.kind = OBSERVE_PROBE,
                            .transport = TRANSPORT_DOT,
                            .server_port = 853,
                            .iface = UINT16_MAX,
                            .time = t,
                            .server = at("9.9.9.9")};
    struct probe_observation *p = &o.probe;

    p->faults = faults;
    p->encrypted = p->reached = true;
    p->version = 0x0304;
    p->versions = PROBE_VERSION(0x0303) | PROBE_VERSION(0x0304);
    memcpy(p->spki_sha256, good_key, 32);
    strcpy(p->resolver, "quad9");
    strcpy(p->expected, "dns.quad9.net");
    strcpy(p->names, "*.quad9.net");
    strcpy(p->issuer, "C=US, O=Authority, CN=One");
    return o;
}

static void open_scene(struct scene *s)
{
    scene_open(s, &detector_identity);
    s->policy->resolvers[QUAD9].from_policy = true;
}

static void see(struct scene *s, struct observation o)
{
    scene_see(s, &o);
}

static void a_name_shown_to_many_servers_pushes_no_probe_out(void **state)
{
    struct scene s;
    struct observation o = probe(T0, 0);
    char server[32];

    (void)state;
    open_scene(&s);
    scene_note(s.policy, &o);
    s.detector->probed(s.state, &o);
    for (unsigned i = 0; i < 12000; i++) {
        o = good(T0 + S, "10.20.3.4", 100 + i);
        snprintf(server, sizeof server, "198.18.%u.%u", i / 250, i % 250);
        o.server = at(server);
        see(&s, o);
    }
    assert_int_equal(s.count, 0);
    o = good(T0 + 2 * S, "10.20.3.4", 99999);
    memcpy(o.flow.tls.spki_sha256[0], other_key, 32);
    strcpy(o.flow.tls.issuer, "CN=Somebody");
    see(&s, o);
    assert_int_equal(s.count, 1);
    assert_non_null(strstr(s.found[0].evidence.text, "\"unlike_probe\":\"certificate\""));
    scene_close(&s);
}

static void probed(struct scene *s, struct observation o)
{
    scene_note(s->policy, &o);
    s->detector->probed(s->state, &o);
}

static bool says(const struct scene *s, const char *text)
{
    return s->count && strstr(s->found[s->count - 1].evidence.text, text);
}

static void nothing_of_the_right_one(void **state)
{
    struct scene s;
    struct observation o = good(T0, "10.20.1.1", 1);

    (void)state;
    open_scene(&s);
    see(&s, o);
    probed(&s, probe(T0 + S, FAULT(FAULT_NO_PADDING) | FAULT(FAULT_ACCEPTS_OLD)));
    see(&s, good(T0 + 2 * S, "10.20.1.2", 2));
    strcpy(o.flow.tls.certificate_names, "9.9.9.9"); /* whom clients know by its address */
    see(&s, o);
    o.flow.tls.certificate_names[0] = '\0'; /* more names than are kept */
    o.flow.tls.names_cut = true;
    see(&s, o);
    o = good(T0 + 3 * S, "10.20.1.3", 3); /* renewed, or another of the CDN's: the same authority */
    memcpy(o.flow.tls.spki_sha256[0], other_key, 32);
    see(&s, o);
    o = good(T0 + 4 * S, "10.20.1.3", 4); /* nobody's */
    o.server = at("192.0.2.77");
    strcpy(o.flow.tls.sni, "www.example.org");
    strcpy(o.flow.tls.certificate_names, "www.example.com");
    see(&s, o);
    assert_int_equal(s.count, 0);
    scene_close(&s);
}

static void a_wrong_name_in_passing(void **state)
{
    static const char *const wrong[] = {
        "www.wrong.example",           "quad9.net", "*.net", "*.dns.quad9.net",
        "dns.quad9.net.wrong.example", ""};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct scene s;
        struct observation o = good(T0, "10.20.1.1", 1);

        open_scene(&s);
        strcpy(o.flow.tls.certificate_names, wrong[i]);
        see(&s, o);
        assert_int_equal(s.count, 1);
        assert_true(says(&s, "\"faults\":\"wrong-name\""));
        assert_int_equal(s.found[0].kind, KIND_RESOLVER_IDENTITY);
        assert_int_equal(s.found[0].severity, SEVERITY_HIGH);
        assert_true(addr_equal(&s.found[0].client, &o.client));
        assert_true(addr_equal(&s.found[0].server, &o.server));
        scene_close(&s);
    }
}

static void dates_and_self_signed_in_passing(void **state)
{
    struct scene s;
    struct observation o = good(T0, "10.20.1.1", 1);

    (void)state;
    open_scene(&s);
    o.flow.tls.not_after = T0 - DAY;
    see(&s, o);
    assert_true(says(&s, "\"faults\":\"expired\""));
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    o = good(T0 + S, "10.20.1.2", 2);
    o.server = at("2620:fe::fe");
    o.flow.tls.not_before = T0 + DAY;
    strcpy(o.flow.tls.issuer, o.flow.tls.subject);
    o.flow.tls.chain = 1;
    see(&s, o);
    assert_true(says(&s, "\"faults\":\"self-signed,not-yet-valid\""));
    assert_int_equal(s.found[1].severity, SEVERITY_HIGH);
    scene_close(&s);
}

static void pins_in_passing(void **state)
{
    struct scene s;
    struct observation o = good(T0, "10.20.1.1", 1);
    char pin[PIN_TEXT];

    (void)state;
    open_scene(&s);
    s.policy->resolvers[QUAD9].pins = one_text(pin_text(good_key, pin));
    s.policy->resolvers[QUAD9].pin_count = 1;
    strcpy(o.flow.tls.issuer, o.flow.tls.subject); /* self-signed, and pinned: as it should be */
    o.flow.tls.chain = 1;
    see(&s, o);
    assert_int_equal(s.count, 0);
    memcpy(o.flow.tls.spki_sha256[0], other_key, 32);
    o.flow_id = 2;
    o.flow.tls.chain = UINT8_MAX; /* the pinned one may be among those that were not read */
    see(&s, o);
    assert_int_equal(s.count, 0);
    o.flow.tls.chain = 1;
    see(&s, o);
    assert_true(says(&s, "\"faults\":\"self-signed,wrong-pin\""));
    scene_close(&s);
}

static void one_event_for_all_clients_of_a_server(void **state)
{
    struct scene s;

    (void)state;
    open_scene(&s);
    for (uint64_t i = 0; i < 1000; i++) {
        struct observation o = good(T0 + (nsec_t)i * MS, i & 1 ? "10.20.1.1" : "10.20.1.2", i);

        o.flow.tls.not_after = T0 - DAY;
        see(&s, o);
    }
    scene_flush(&s, T0 + 2 * S);
    assert_in_range(s.count, 1, 3);
    for (size_t i = 0; i < s.count; i++)
        assert_int_equal(s.found[i].key, s.found[0].key);
    scene_close(&s);
}

static void what_a_probe_finds_wrong(void **state)
{
    struct scene s;
    struct observation o = probe(T0, FAULT(FAULT_WRONG_CA) | FAULT(FAULT_EXPIRED));

    (void)state;
    open_scene(&s);
    probed(&s, o);
    assert_int_equal(s.count, 1);
    assert_true(says(&s, "\"faults\":\"wrong-ca,expired\",\"seen_by\":\"probe\""));
    assert_int_equal(s.found[0].severity, SEVERITY_HIGH);
    assert_true(addr_is_zero(&s.found[0].client));
    assert_true(addr_equal(&s.found[0].server, &o.server));
    s.policy->resolvers[QUAD9].from_policy = false; /* of the catalogue only */
    o.server = at("2620:fe::fe");
    probed(&s, o);
    assert_int_equal(s.found[1].severity, SEVERITY_LOW);
    o.server = at("192.0.2.77"); /* a stranger, of whom nobody said who it should be */
    o.probe.resolver[0] = '\0';
    probed(&s, o);
    assert_int_equal(s.count, 2);
    scene_close(&s);
}

static void a_sighting_unlike_the_probe(void **state)
{
    struct scene s;
    struct observation o = good(T0 + S, "10.20.1.1", 1);

    (void)state;
    open_scene(&s);
    probed(&s, probe(T0, 0));
    memcpy(o.flow.tls.spki_sha256[0], other_key, 32);
    strcpy(o.flow.tls.issuer, "CN=Somebody Else");
    see(&s, o);
    assert_int_equal(s.count, 1);
    assert_true(says(&s, "\"unlike_probe\":\"certificate\""));
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    o = good(T0 + 2 * S, "10.20.1.1", 2); /* the client knows TLS 1.3 and did not get it */
    o.flow.tls.version_offered = 0x0304;
    see(&s, o);
    scene_flush(&s, T0 + 3 * S);
    assert_true(says(&s, "\"unlike_probe\":\"certificate version\""));
    scene_close(&s);
}

static void a_probe_unlike_the_sighting_before(void **state)
{
    struct scene s;
    struct observation o = good(T0, "10.20.1.1", 1);

    (void)state;
    open_scene(&s);
    memcpy(o.flow.tls.spki_sha256[0], other_key, 32);
    strcpy(o.flow.tls.issuer, "CN=Somebody Else");
    see(&s, o);
    assert_int_equal(s.count, 0); /* nobody knows better */
    probed(&s, probe(T0 + S, 0));
    assert_int_equal(s.count, 1);
    assert_true(says(&s, "\"unlike_probe\":\"certificate\""));
    assert_true(addr_equal(&s.found[0].client, &o.client));
    scene_close(&s);
}

static void a_probe_that_is_old_or_failed_proves_nothing(void **state)
{
    struct scene s;
    struct observation o = good(T0 + 8 * DAY, "10.20.1.1", 1), failed = probe(T0, 0);

    (void)state;
    open_scene(&s);
    strcpy(o.flow.tls.issuer, "CN=Somebody Else");
    memcpy(o.flow.tls.spki_sha256[0], other_key, 32);
    probed(&s, probe(T0, 0));
    see(&s, o);
    assert_int_equal(s.count, 0);
    failed.server = o.server = at("2620:fe::fe");
    failed.probe.encrypted = false;
    probed(&s, failed);
    o.time = T0 + S;
    see(&s, o);
    assert_int_equal(s.count, 0);
    scene_close(&s);
}

struct kept {
    size_t count;
    struct memory last;
};

static int keep(void *context, const struct memory *m)
{
    struct kept *k = context;

    k->count++;
    k->last = *m;
    return 0;
}

static void what_probes_learned_survives(void **state)
{
    struct scene first, second;
    struct kept kept = {0};
    struct observation o = good(T0 + S, "10.20.1.1", 1);

    (void)state;
    open_scene(&first);
    probed(&first, probe(T0, FAULT(FAULT_NO_PADDING)));
    detector_identity.remember(first.state, (struct memory_sink){keep, &kept}, T0 + S);
    detector_identity.remember(first.state, (struct memory_sink){keep, &kept}, T0 + 2 * S);
    assert_int_equal(kept.count, 1); /* once is enough */
    assert_string_equal(kept.last.topic, "probe");
    assert_string_equal(kept.last.key, "9.9.9.9 853 dot");
    assert_non_null(strstr(kept.last.text.text, "\"faults\":\"no-padding\""));
    assert_false(kept.last.text.truncated);
    scene_close(&first);

    open_scene(&second);
    detector_identity.recall(second.state, &kept.last);
    memcpy(o.flow.tls.spki_sha256[0], other_key, 32);
    strcpy(o.flow.tls.issuer, "CN=Somebody Else");
    see(&second, o);
    assert_true(says(&second, "\"unlike_probe\":\"certificate\""));
    kept.last.size--;
    detector_identity.recall(second.state, &kept.last);
    kept.last.size++;
    memset(kept.last.body + 1, 0xff, sizeof kept.last.body - 1);
    detector_identity.recall(second.state, &kept.last); /* anybody may have written it */
    scene_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_shown_to_many_servers_pushes_no_probe_out),
        cmocka_unit_test(nothing_of_the_right_one),
        cmocka_unit_test(a_wrong_name_in_passing),
        cmocka_unit_test(dates_and_self_signed_in_passing),
        cmocka_unit_test(pins_in_passing),
        cmocka_unit_test(one_event_for_all_clients_of_a_server),
        cmocka_unit_test(what_a_probe_finds_wrong),
        cmocka_unit_test(a_sighting_unlike_the_probe),
        cmocka_unit_test(a_probe_unlike_the_sighting_before),
        cmocka_unit_test(a_probe_that_is_old_or_failed_proves_nothing),
        cmocka_unit_test(what_probes_learned_survives),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
