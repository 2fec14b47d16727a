#include "scene.h"

extern const struct detector detector_cleartext;

static void tells_a_query_against_the_policy_at_once(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &detector_cleartext);
    scene_clear(&s, T0, "10.20.1.1", "8.8.8.8", "www.example.org");
    assert_int_equal(s.count, 1);
    assert_string_equal(s.found[0].rule, "cleartext");
    assert_string_equal(s.found[0].name, "www.example.org");
    assert_int_equal(s.found[0].severity, SEVERITY_MEDIUM);
    assert_int_equal(s.found[0].cut, ACTION_REJECT);
    assert_int_equal(s.found[0].count, 1);
    assert_true(s.found[0].query);
    assert_non_null(strstr(s.found[0].evidence.text, "\"server_is\":\"google\""));
    scene_close(&s);
}

static void counts_repeats_and_tells_them_once_a_minute(void **state)
{
    struct scene s;
    uint64_t sum = 0;

    (void)state;
    scene_open(&s, &detector_cleartext);
    for (int i = 0; i < 1000; i++)
        scene_clear(&s, T0 + i * 300 * MS, "10.30.1.1", "8.8.8.8",
                    i % 2 ? "a.example" : "b.example");
    scene_flush(&s, T0 + 300 * S);
    assert_in_range(s.count, 5, 7);
    for (size_t i = 0; i < s.count; i++) {
        sum += s.found[i].count;
        assert_true(s.found[i].key == s.found[0].key);
    }
    assert_int_equal(sum, 1000);
    assert_int_equal(s.found[0].severity, SEVERITY_LOW);
    assert_non_null(strstr(s.found[s.count - 1].evidence.text, "b.example a.example"));
    scene_close(&s);
}

static void a_tick_tells_what_waits(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &detector_cleartext);
    scene_clear(&s, T0, "10.30.1.1", "8.8.8.8", "a.example");
    scene_clear(&s, T0 + MS, "10.30.1.1", "8.8.8.8", "a.example");
    assert_int_equal(s.count, 1);
    scene_tick(&s, T0 + 59 * S);
    assert_int_equal(s.count, 1);
    scene_tick(&s, T0 + 60 * S);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.found[1].count, 1);
    scene_tick(&s, T0 + 180 * S);
    assert_int_equal(s.count, 2);
    scene_close(&s);
}

static void what_comes_after_a_long_silence_begins_anew(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &detector_cleartext);
    scene_clear(&s, T0, "10.30.1.1", "8.8.8.8", "a.example");
    scene_clear(&s, T0 + 7200 * S, "10.30.1.1", "8.8.8.8", "b.example");
    assert_int_equal(s.count, 2);
    assert_true(s.found[1].first == T0 + 7200 * S);
    assert_string_equal(s.found[1].name, "b.example");
    assert_non_null(strstr(s.found[1].evidence.text, "\"queries\":1,"));
    assert_true(s.found[1].key == s.found[0].key);
    scene_close(&s);
}

static void says_nothing_where_the_policy_allows_it(void **state)
{
    struct scene s;
    struct observation o;

    (void)state;
    scene_open(&s, &detector_cleartext);
    scene_clear(&s, T0, "10.40.1.1", "8.8.8.8", "a.example");     /* zone allows */
    scene_clear(&s, T0, "10.20.1.1", "203.0.113.1", "a.example"); /* corp serves do53 */
    scene_clear(&s, T0, "10.20.1.1", "10.20.0.1", "a.example");   /* the gateway's own resolver */
    scene_clear(&s, T0, "10.20.1.1", "8.8.8.8", "dns.quad9.net"); /* bootstrap */
    o = scene_answer(T0, "10.20.1.1", "8.8.8.8", "a.example", "192.0.2.1");
    scene_see(&s, &o); /* a response alone */
    scene_flush(&s, T0 + 60 * S);
    assert_int_equal(s.count, 0);
    scene_clear(&s, T0, "10.20.1.1", "8.8.8.8", "dns.google"); /* no approved resolver's name */
    assert_int_equal(s.count, 1);
    scene_close(&s);
}

static void an_excepted_client_is_told_once_for_all_servers(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &detector_cleartext);
    scene_clear(&s, T0, "10.20.9.9", "8.8.8.8", "a.example");
    scene_clear(&s, T0 + MS, "10.20.9.9", "1.1.1.1", "b.example");
    scene_flush(&s, T0 + 2 * S);
    assert_int_equal(s.count, 2);
    assert_true(s.found[0].key == s.found[1].key);
    assert_true(s.found[1].excepted);
    assert_int_equal(s.found[1].severity, SEVERITY_INFORMATIONAL);
    scene_clear(&s, T0 + 86401 * S, "10.20.9.9", "8.8.8.8", "a.example"); /* it has ended */
    assert_int_equal(s.count, 3);
    assert_false(s.found[2].excepted);
    assert_int_equal(s.found[2].severity, SEVERITY_MEDIUM);
    scene_close(&s);
}

static void the_gateway_and_the_default_zone_are_shown(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, &detector_cleartext);
    scene_clear(&s, T0, "10.20.0.1", "8.8.8.8", "a.example");
    scene_clear(&s, T0, "172.16.0.9", "8.8.8.8", "a.example");
    assert_int_equal(s.count, 2);
    assert_int_equal(s.found[0].zone, ZONE_GATEWAY);
    assert_int_equal(s.found[0].severity, SEVERITY_INFORMATIONAL);
    assert_int_equal(s.found[1].zone, ZONE_DEFAULT);
    assert_int_equal(s.found[1].severity, SEVERITY_LOW);
    assert_int_equal(s.found[1].cut, ACTION_ALERT);
    scene_close(&s);
}

static void a_flood_of_invented_clients_is_counted_not_told_one_by_one(void **state)
{
    static struct finding last;
    struct scene s;
    uint64_t told = 0;

    (void)state;
    scene_open(&s, &detector_cleartext);
    for (uint32_t i = 0; i < 100000; i++) {
        struct observation o = scene_query(T0 + i * NSEC_US, "11.0.0.1", "8.8.8.8", "a.example");

        memcpy(o.client.b + 13, &i, 3);
        scene_see(&s, &o);
        for (size_t k = 0; k < s.count; k++) {
            told += s.found[k].count;
            last = s.found[k];
        }
        s.count = 0;
    }
    scene_flush(&s, T0 + S);
    for (size_t k = 0; k < s.count; k++) {
        told += s.found[k].count;
        last = s.found[k];
    }
    assert_int_equal(told, 100000);
    assert_true(addr_is_zero(&last.client));
    assert_true(last.count > 50000);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_a_query_against_the_policy_at_once),
        cmocka_unit_test(counts_repeats_and_tells_them_once_a_minute),
        cmocka_unit_test(a_tick_tells_what_waits),
        cmocka_unit_test(what_comes_after_a_long_silence_begins_anew),
        cmocka_unit_test(says_nothing_where_the_policy_allows_it),
        cmocka_unit_test(an_excepted_client_is_told_once_for_all_servers),
        cmocka_unit_test(the_gateway_and_the_default_zone_are_shown),
        cmocka_unit_test(a_flood_of_invented_clients_is_counted_not_told_one_by_one)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
