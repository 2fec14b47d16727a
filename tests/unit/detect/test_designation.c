#include "model/service.h"
#include "scene.h"

extern const struct detector detector_designation;

#define OFFICE   "10.20.3.4"
#define RESOLVER "203.0.113.1" /* corp, approved */

static struct policy_detection detection = {.id = "designation",
                                            .severity = SEVERITY_MEDIUM,
                                            .names = {"use-application-dns.net"},
                                            .name_count = 1};

static void begin(struct scene *s)
{
    scene_open(s, &detector_designation);
    s->policy->detections = &detection;
    s->policy->detection_count = 1;
    s->detector->use_policy(s->state, s->policy);
}

static void end(struct scene *s)
{
    s->policy->detections = NULL;
    s->policy->detection_count = 0;
    scene_close(s);
}

/* SVCB for _dns.resolver.arpa: target, transports, a hint. */
static struct observation ddr(const char *client, const char *target, const char *hint)
{
    struct observation o = scene_query(T0, client, RESOLVER, "_dns.resolver.arpa");
    struct svcb svcb = {.transports = 1u << TRANSPORT_DOT | 1u << TRANSPORT_DOH2, .port = 853};
    uint8_t wire[DNS_NAME_WIRE];

    if (hint)
        svcb.hint[svcb.hint_count++] = at(hint);
    o.dns.match = ANSWER_MATCHED;
    o.dns.answered = true;
    o.dns.message.flags = 0x8180;
    o.dns.message.counts[1] = 1;
    o.dns.message.qtype = DNS_TYPE_SVCB;
    service_put(&o.dns.message, cursor_over(wire, name_to_wire(target, wire)), &svcb);
    return o;
}

static size_t events_of(struct observation o)
{
    struct scene s;
    size_t count;

    begin(&s);
    scene_see(&s, &o);
    count = s.count;
    end(&s);
    return count;
}

static void a_foreign_designation_is_told(void **state)
{
    struct scene s;
    struct observation o = ddr(OFFICE, "dns.google", "8.8.8.8");

    (void)state;
    begin(&s);
    scene_see(&s, &o);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].kind, KIND_DESIGNATION);
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    assert_string_equal(s.found[0].name, "_dns.resolver.arpa");
    assert_string_equal(s.found[0].evidence.text,
                        "\"mechanism\":\"ddr\",\"designated\":\"dns.google\","
                        "\"addresses\":\"8.8.8.8\",\"transports\":\"dot doh2\"");
    end(&s);
}

static void an_approved_designation_is_silent(void **state)
{
    (void)state;
    assert_int_equal(events_of(ddr(OFFICE, "dns.quad9.net", "9.9.9.9")), 0);
    assert_int_equal(events_of(ddr(OFFICE, "dns.quad9.net", NULL)), 0);
    assert_int_equal(events_of(ddr(OFFICE, "elsewhere.example", RESOLVER)), 0); /* itself */
    assert_int_equal(events_of(ddr(OFFICE, "dns.quad9.net", "198.51.100.1")), 1);
    assert_int_equal(events_of(ddr("10.40.0.9", "dns.google", NULL)), 0); /* may choose */
    assert_int_equal(events_of(ddr("192.0.2.9", "dns.google", NULL)), 0); /* of no zone */
}

static void nothing_is_made_of_a_denial(void **state)
{
    struct observation o = ddr(OFFICE, "dns.google", NULL);

    (void)state;
    o.dns.match = ANSWER_UNASKED;
    o.dns.answered = false;
    assert_int_equal(events_of(o), 0);
    o = ddr(OFFICE, "dns.google", NULL);
    o.dns.message.services = 0;
    o.dns.message.counts[1] = 0;
    assert_int_equal(events_of(o), 0);
}

static struct observation canary(const char *name, unsigned rcode, uint16_t answers)
{
    struct observation o = scene_answer(T0, OFFICE, RESOLVER, name, "192.0.2.7");

    o.dns.message.rcode = (uint8_t)rcode;
    o.dns.message.counts[1] = answers;
    return o;
}

static void a_canary_is_told_when_it_is_answered(void **state)
{
    (void)state;
    assert_int_equal(events_of(canary("use-application-dns.net", 0, 1)), 1);
    assert_int_equal(events_of(canary("use-application-dns.net", 3, 0)), 0);
    assert_int_equal(events_of(canary("use-application-dns.net", 0, 0)), 0);
    assert_int_equal(events_of(canary("use-applicatiox-dns.net", 0, 1)), 0);
}

/* A client asks for one after the other: one event, which says all of them. */
static void canaries_of_a_client_are_told_together(void **state)
{
    static const char *const names[] = {"mask.icloud.com", "use-application-dns.net",
                                        "mask.icloud.com"};
    struct policy_detection two = detection;
    struct scene s;

    (void)state;
    begin(&s);
    strcpy(two.names[1], "mask.icloud.com");
    two.name_count = 2;
    s.policy->detections = &two;
    s.detector->use_policy(s.state, s.policy);
    for (int i = 0; i < 3; i++) {
        struct observation o = canary(names[i], 0, 1);

        o.time = T0 + i * NSEC_S / 10;
        scene_see(&s, &o);
    }
    scene_tick(&s, T0 + 3 * NSEC_S);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.found[0].key, s.found[1].key);
    assert_non_null(strstr(s.found[1].evidence.text,
                           "\"designated\":\"mask.icloud.com use-application-dns.net\""));
    end(&s);
}

static void lease(struct scene *s, nsec_t t, uint64_t giver, const char *server,
                  const char *resolver, const char *name)
{
    struct observation o = {
        .kind = OBSERVE_LEASE,
        .time = t,
        .station = 9,
        .client = at(OFFICE),
        .server = at(server),
        .lease = {
            .step = LEASE_GIVEN, .giver = giver, .address_count = 1, .address = {at(OFFICE)}}};

    if (resolver)
        o.lease.resolver[o.lease.resolver_count++] = at(resolver);
    if (name)
        snprintf(o.lease.designation[o.lease.designation_count++].name, DESIGNATION_NAME, "%s",
                 name);
    scene_note(s->policy, &o);
    s->detector->leased(s->state, &o);
}

static void offers_are_held_against_the_zone(void **state)
{
    struct scene s;
    struct addr office = at(OFFICE);

    (void)state;
    begin(&s);
    lease(&s, T0, 1, "10.20.0.1", "10.20.0.1", NULL); /* the gateway itself */
    lease(&s, T0 + S, 1, "10.20.0.1", RESOLVER, "dns.quad9.net");
    assert_int_equal(s.count, 0);
    lease(&s, T0 + 2 * S, 1, "10.20.0.1", "8.8.8.8", NULL);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    assert_non_null(strstr(s.found[0].evidence.text, "\"mechanism\":\"dns-server\""));
    assert_non_null(strstr(s.found[0].evidence.text, "\"addresses\":\"8.8.8.8\""));
    assert_true(addr_equal(&s.found[0].client, &office));
    lease(&s, T0 + 3 * S, 1, "10.20.0.1", NULL, "dns.google");
    assert_int_equal(s.count, 2);
    assert_non_null(strstr(s.found[1].evidence.text, "\"designated\":\"dns.google\""));
    end(&s);
}

static void another_station_that_offers_its_own_is_rogue(void **state)
{
    struct scene s;

    (void)state;
    begin(&s);
    lease(&s, T0, 1, "10.20.0.1", RESOLVER, NULL);
    lease(&s, T0 + S, 2, "10.20.0.66", RESOLVER, NULL); /* a second one that offers the same */
    assert_int_equal(s.count, 0);
    lease(&s, T0 + 2 * S, 2, "10.20.0.66", "10.20.0.66", NULL);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_HIGH);
    assert_non_null(strstr(s.found[0].evidence.text, "\"station\":\"00:00:00:00:00:02\""));
    assert_non_null(strstr(s.found[0].evidence.text, "\"known_station\":\"00:00:00:00:00:01\""));
    end(&s);
}

/* A flood of invented servers is one event a zone in the end. */
static void a_flood_is_bounded(void **state)
{
    struct scene s;
    char server[ADDR_TEXT];

    (void)state;
    begin(&s);
    for (unsigned i = 0; i < 60000; i++) {
        snprintf(server, sizeof server, "10.21.%u.%u", i >> 8 & 255, i & 255);
        lease(&s, T0 + (nsec_t)i, i, server, "8.8.8.8", NULL);
        s.count = s.count > 200 ? 200 : s.count;
    }
    assert_true(s.detector->bytes(s.state) < 8u << 20);
    end(&s);
}

static int keep(void *context, const struct memory *m)
{
    *(struct memory *)context = *m;
    return 0;
}

static void the_known_giver_survives_a_restart(void **state)
{
    struct scene s;
    struct memory m;

    (void)state;
    begin(&s);
    lease(&s, T0, 1, "10.20.0.1", RESOLVER, NULL);
    s.detector->remember(s.state, (struct memory_sink){keep, &m}, T0);
    end(&s);
    begin(&s);
    s.detector->recall(s.state, &m);
    lease(&s, T0 + 60 * S, 2, "10.20.0.66", "10.20.0.66", NULL);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.found[0].severity, SEVERITY_HIGH);
    end(&s);
}

/* The body of a giver as it lies in the store: a flag that is none, and times that are none. */
static void an_edited_giver_is_not_taken(void **state)
{
    struct scene s;
    struct memory m, edited;

    (void)state;
    begin(&s);
    lease(&s, T0, 1, "10.20.0.1", RESOLVER, NULL);
    s.detector->remember(s.state, (struct memory_sink){keep, &m}, T0);
    end(&s);
    for (unsigned at = 1; at < m.size; at++) {
        edited = m;
        memset(edited.body + at, 0x80, m.size - at < 8 ? m.size - at : 8);
        begin(&s);
        s.detector->recall(s.state, &edited);
        lease(&s, T0 + 60 * S, 1, "10.20.0.1", RESOLVER, NULL);
        s.detector->remember(s.state, (struct memory_sink){keep, &edited}, T0 + 60 * S);
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_foreign_designation_is_told),
        cmocka_unit_test(an_approved_designation_is_silent),
        cmocka_unit_test(nothing_is_made_of_a_denial),
        cmocka_unit_test(a_canary_is_told_when_it_is_answered),
        cmocka_unit_test(canaries_of_a_client_are_told_together),
        cmocka_unit_test(offers_are_held_against_the_zone),
        cmocka_unit_test(another_station_that_offers_its_own_is_rogue),
        cmocka_unit_test(a_flood_is_bounded),
        cmocka_unit_test(the_known_giver_survives_a_restart),
        cmocka_unit_test(an_edited_giver_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
