#include "scene.h"

#include "detect/privacy.h"
#include "detect/services.h"

extern const struct detector detector_privacy;

enum { KEPT = 64 };

struct kept {
    size_t count;
    struct memory memory[KEPT];
};

static int keep(void *context, const struct memory *m)
{
    struct kept *k = context;

    assert_true(k->count < KEPT);
    k->memory[k->count++] = *m;
    return 0;
}

static const struct memory *kept(const struct kept *k, const char *topic, const char *key)
{
    for (size_t i = 0; i < k->count; i++)
        if (strcmp(k->memory[i].topic, topic) == 0 && strcmp(k->memory[i].key, key) == 0)
            return &k->memory[i];
    return NULL;
}

/* A connection under TLS 1.3 with so many queries and answers, of which so many are padded. */
static struct observation connection(const char *client, uint64_t id, uint32_t messages,
                                     uint32_t queries_padded, uint32_t answers_padded)
{
    struct observation o = scene_flow(T0 + (nsec_t)id * S, client, "9.9.9.9", FLOW_ESTABLISHED, id);
    struct record_shape *shape = &o.flow.shape;

    o.flow.queries = o.flow.responses = messages;
    o.flow.handshake_us = 5000;
    o.flow.tls.version = 0x0304;
    o.flow.tls.cipher = 0x1301;
    shape->exact = true;
    shape->client.records = shape->client.messages = messages;
    shape->server.records = shape->server.messages = messages;
    shape->client.padded = queries_padded;
    shape->server.padded = answers_padded;
    return o;
}

static bool says(const struct scene *s, size_t i, const char *member)
{
    assert_true(i < s->count);
    return strstr(s->found[i].evidence.text, member) != NULL;
}

static void verdicts(void **state)
{
    static const struct padding_rule rule = {20, 950, 50};
    static const struct {
        struct lattice lattice;
        enum padding verdict;
    } cases[] = {
        {{19, 19, 0}, PADDING_FEW},      {{20, 20, 0}, PADDING_PADDED},
        {{20, 19, 0}, PADDING_PADDED},   {{100, 94, 0}, PADDING_PARTIAL},
        {{100, 5, 0}, PADDING_PARTIAL},  {{100, 4, 0}, PADDING_UNPADDED},
        {{20, 0, 0}, PADDING_UNPADDED},  {{0, 0, 19}, PADDING_FEW},
        {{0, 0, 20}, PADDING_BLURRED},   {{19, 0, 400}, PADDING_BLURRED},
        {{20, 20, 400}, PADDING_PADDED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(lattice_verdict(&cases[i].lattice, &rule), cases[i].verdict);
}

static void an_unpadded_client_is_one_event_that_grows(void **state)
{
    struct scene s;
    struct observation o = connection("10.20.1.1", 1, 10, 0, 0);

    (void)state;
    scene_open(&s, &detector_privacy);
    scene_see(&s, &o);
    assert_int_equal(s.count, 0); /* too few */
    o = connection("10.20.1.1", 2, 10, 0, 0);
    scene_see(&s, &o);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].kind, KIND_PRIVACY_WEAK);
    assert_int_equal(s.found[0].severity, SEVERITY_INFORMATIONAL);
    assert_int_equal(s.found[0].count, 1);
    assert_true(says(&s, 0, "\"weak\":\"queries-not-padded\""));
    assert_true(says(&s, 0, "\"query_padding\":\"unpadded\",\"query_messages\":20"));
    for (uint64_t id = 3; id < 100; id++) {
        o = connection("10.20.1.1", id, 1, 0, 0);
        scene_see(&s, &o);
    }
    scene_flush(&s, T0 + 100 * S);
    assert_in_range(s.count, 2, 4);
    for (size_t i = 1; i < s.count; i++)
        assert_int_equal(s.found[i].key, s.found[0].key);
    scene_close(&s);
}

/* A server pads only for clients that do (RFC 8467 4.2). */
static void a_server_is_judged_by_clients_that_pad(void **state)
{
    struct scene s;
    struct observation o = connection("10.20.1.1", 1, 40, 40, 40);

    (void)state;
    scene_open(&s, &detector_privacy);
    scene_see(&s, &o);
    assert_int_equal(s.count, 0);
    o = connection("10.20.1.2", 2, 40, 0, 0);
    scene_see(&s, &o);
    assert_int_equal(s.count, 1);
    assert_true(says(&s, 0, "\"weak\":\"queries-not-padded\""));
    o = connection("10.20.1.3", 3, 40, 40, 1);
    scene_see(&s, &o);
    assert_int_equal(s.count, 2);
    assert_true(says(&s, 1, "\"weak\":\"answers-not-padded\""));
    o = connection("10.20.1.4", 4, 40, 20, 20);
    scene_see(&s, &o);
    assert_int_equal(s.count, 3);
    assert_true(says(&s, 2, "\"query_padding\":\"partial\""));
    scene_close(&s);
}

static void lengths_in_steps_are_not_measurable(void **state)
{
    struct scene s;
    struct kept k = {0};
    struct observation o = connection("10.20.1.1", 1, 40, 0, 0);

    (void)state;
    scene_open(&s, &detector_privacy);
    o.flow.tls.version = 0x0303;
    o.flow.tls.cipher = 0xc027;
    o.flow.shape.exact = false;
    scene_see(&s, &o);
    assert_int_equal(s.count, 1);
    assert_true(says(&s, 0, "\"weak\":\"dated-suite\""));
    assert_true(says(&s, 0, "\"query_padding\":\"not measurable\""));
    assert_true(says(&s, 0, "\"suite_weakness\":\"block chaining\""));
    detector_privacy.remember(s.state, (struct memory_sink){keep, &k}, T0);
    assert_non_null(kept(&k, "privacy", "10.20.1.1 9.9.9.9 dot"));
    scene_close(&s);
}

static void old_versions_and_broken_suites_are_graver(void **state)
{
    struct scene s;
    struct observation o = connection("10.20.1.1", 1, 1, 1, 1);

    (void)state;
    scene_open(&s, &detector_privacy);
    o.flow.tls.version = 0x0302;
    o.flow.tls.cipher = 0xc012;
    scene_see(&s, &o);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
    assert_true(says(&s, 0, "\"weak\":\"old-version,broken-suite\""));
    assert_true(says(&s, 0, "\"tls_version\":\"1.1\",\"suite\":\"0xc012\""));
    o = connection("10.20.1.2", 2, 1, 1, 1); /* sound, and so is one that failed */
    scene_see(&s, &o);
    o.flow.phase = FLOW_FAILED;
    o.flow.tls.version = 0x0301;
    scene_see(&s, &o);
    assert_int_equal(s.count, 1);
    scene_close(&s);
}

static void many_clients_of_a_server_share_an_event(void **state)
{
    struct scene s;
    size_t servers = 0;
    char client[16];

    (void)state;
    scene_open(&s, &detector_privacy);
    for (unsigned i = 1; i <= 200; i++) {
        struct observation o;

        snprintf(client, sizeof client, "10.20.1.%u", i);
        o = connection(client, i, 30, 0, 0);
        scene_see(&s, &o);
    }
    scene_flush(&s, T0 + 300 * S);
    assert_true(s.count < 20);
    for (size_t i = 0; i < s.count; i++)
        servers += addr_is_zero(&s.found[i].client);
    assert_true(servers > 0);
    assert_true(addr_is_zero(&s.found[s.count - 1].client));
    assert_false(addr_is_zero(&s.found[s.count - 1].server));
    assert_true(says(&s, s.count - 1, "\"clients\":200"));
    assert_false(says(&s, s.count - 1, "beyond"));
    scene_close(&s);
}

static struct observation answer(uint32_t latency_us, const char *server)
{
    struct observation o = scene_answer(T0, "10.20.1.1", server, "a.example", "192.0.2.1");

    o.dns.match = ANSWER_MATCHED;
    o.dns.answered = true;
    o.dns.latency_us = latency_us;
    return o;
}

/* Frames of HTTP and QUIC share records and packets with messages: nothing is claimed. */
static void padding_of_doq_and_doh_is_undetermined(void **state)
{
    static const uint8_t transport[] = {TRANSPORT_DOQ, TRANSPORT_DOH2};
    struct scene s;
    struct kept k = {0};

    (void)state;
    scene_open(&s, &detector_privacy);
    for (uint64_t i = 0; i < 60; i++) {
        struct observation o = connection("10.20.1.1", i, 5, 0, 0);

        o.transport = transport[i % 2];
        scene_see(&s, &o);
    }
    scene_flush(&s, T0 + 100 * S);
    assert_int_equal(s.count, 0);
    detector_privacy.remember(s.state, (struct memory_sink){keep, &k}, T0);
    assert_non_null(
        strstr(kept(&k, "privacy", "10.20.1.1 9.9.9.9 doq")->text.text,
               "\"query_padding\":\"undetermined\",\"answer_padding\":\"undetermined\""));
    assert_non_null(strstr(kept(&k, "privacy", "10.20.1.1 9.9.9.9 doh2")->text.text,
                           "\"query_padding\":\"undetermined\""));
    scene_close(&s);
}

static void latencies_and_reuse_are_remembered(void **state)
{
    struct scene s, again;
    struct kept k = {0}, second = {0};
    const struct memory *m;

    (void)state;
    scene_open(&s, &detector_privacy);
    for (uint64_t i = 1; i <= 100; i++) {
        struct observation o = connection("10.20.1.1", i, 5, 5, 5);

        o.flow.handshake_us = i <= 50 ? 1000 : 20000;
        o.flow.tls.resumed = i <= 25;
        o.flow.shape.answer[latency_bucket(3000)] = 4;
        scene_see(&s, &o);
        o = answer(i <= 95 ? 500 : 100000, "9.9.9.9");
        scene_see(&s, &o);
    }
    detector_privacy.remember(s.state, (struct memory_sink){keep, &k}, T0);
    m = kept(&k, "latency", "quad9 dot");
    assert_non_null(m);
    assert_non_null(strstr(m->text.text, "\"connections\":100,\"resumed\":25,\"queries\":500"));
    assert_non_null(strstr(m->text.text, "\"handshakes\":100,\"handshake_p50_us\":1024,"
                                         "\"handshake_p90_us\":24576"));
    assert_non_null(strstr(m->text.text, "\"answers\":400,\"answer_p50_us\":3072"));
    m = kept(&k, "latency", "quad9 do53-udp");
    assert_non_null(m);
    assert_non_null(strstr(m->text.text, "\"answer_p50_us\":512,\"answer_p90_us\":512,"
                                         "\"answer_p99_us\":131072"));
    m = kept(&k, "privacy", "10.20.1.1 9.9.9.9 dot");
    assert_non_null(m);
    assert_non_null(strstr(m->text.text, "\"query_padding\":\"padded\",\"query_messages\":500"));
    scene_open(&again, &detector_privacy);
    for (size_t i = 0; i < k.count; i++)
        detector_privacy.recall(again.state, &k.memory[i]);
    detector_privacy.remember(again.state, (struct memory_sink){keep, &second}, T0);
    assert_int_equal(second.count, 0); /* nothing new */
    struct observation o = connection("10.20.1.1", 101, 1, 1, 1);
    scene_see(&again, &o);
    detector_privacy.remember(again.state, (struct memory_sink){keep, &second}, T0);
    m = kept(&second, "latency", "quad9 dot");
    assert_non_null(m);
    assert_non_null(strstr(m->text.text, "\"connections\":101,\"resumed\":25,\"queries\":501"));
    scene_close(&again);
    scene_close(&s);
}

/* Anybody may have written the store. */
static void a_strange_memory_is_ignored(void **state)
{
    struct scene s;
    struct kept k = {0}, none = {0};
    struct observation o = connection("10.20.1.1", 1, 40, 40, 40);

    (void)state;
    scene_open(&s, &detector_privacy);
    scene_see(&s, &o);
    detector_privacy.remember(s.state, (struct memory_sink){keep, &k}, T0);
    scene_close(&s);
    assert_int_equal(k.count, 2);
    scene_open(&s, &detector_privacy);
    for (size_t i = 0; i < k.count; i++) {
        struct memory m = k.memory[i];

        memset(m.body, 0xff, sizeof m.body);
        detector_privacy.recall(s.state, &m);
        m.body[0] = 1;
        detector_privacy.recall(s.state, &m);
        m = k.memory[i];
        m.size--;
        detector_privacy.recall(s.state, &m);
        m = k.memory[i];
        snprintf(m.key, sizeof m.key, "nobody");
        if (strcmp(m.topic, "latency") == 0)
            detector_privacy.recall(s.state, &m);
    }
    o = connection("10.20.1.1", 2, 1, 1, 1);
    scene_see(&s, &o);
    detector_privacy.remember(s.state, (struct memory_sink){keep, &none}, T0);
    assert_non_null(strstr(kept(&none, "latency", "quad9 dot")->text.text, "\"connections\":1,"));
    scene_close(&s);
}

/* Under another policy resolvers have other places. */
static void a_new_policy_keeps_what_was_measured(void **state)
{
    struct scene s;
    struct kept k = {0};
    struct policy *other = scene_policy(), *old;
    struct policy_resolver first = other->resolvers[QUAD9];
    struct observation o = connection("10.20.1.1", 1, 1, 1, 1);

    (void)state;
    other->resolvers[QUAD9] = other->resolvers[OTHER];
    other->resolvers[OTHER] = first;
    scene_open(&s, &detector_privacy);
    scene_see(&s, &o);
    old = s.policy;
    s.policy = other;
    detector_privacy.use_policy(s.state, other);
    policy_destroy(old);
    detector_privacy.remember(s.state, (struct memory_sink){keep, &k}, T0);
    assert_non_null(kept(&k, "latency", "quad9 dot"));
    assert_null(kept(&k, "latency", "google dot"));
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(an_unpadded_client_is_one_event_that_grows),
        cmocka_unit_test(a_server_is_judged_by_clients_that_pad),
        cmocka_unit_test(lengths_in_steps_are_not_measurable),
        cmocka_unit_test(old_versions_and_broken_suites_are_graver),
        cmocka_unit_test(many_clients_of_a_server_share_an_event),
        cmocka_unit_test(padding_of_doq_and_doh_is_undetermined),
        cmocka_unit_test(latencies_and_reuse_are_remembered),
        cmocka_unit_test(a_strange_memory_is_ignored),
        cmocka_unit_test(a_new_policy_keeps_what_was_measured),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
