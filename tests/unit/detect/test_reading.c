/* Which observations a detector gets by what it reads, and that nothing else reaches it. */
#include "scene.h"

static unsigned reading(struct observation *o, uint8_t inside, bool approved)
{
    o->note.inside = inside;
    o->note.approved = approved;
    return reading_of(o);
}

static void a_query_is_read_by_what_it_may_teach(void **state)
{
    struct observation o = scene_query(T0, "10.30.1.1", "9.9.9.9", "www.example");

    (void)state;
    assert_int_equal(reading(&o, INSIDE_CLIENT, true), READ_QUERIES);
    assert_int_equal(reading(&o, INSIDE_CLIENT, false), READ_QUERIES | READ_UNAPPROVED);
    assert_int_equal(reading(&o, INSIDE_SERVER, true), READ_QUERIES | READ_STRANGERS);
    o.dns.message.flags = 0; /* as resolvers ask */
    assert_int_equal(reading(&o, 0, true), READ_QUERIES | READ_ITERATIVE);
    o.dns.message.qtype = DNS_TYPE_AXFR;
    assert_int_equal(reading(&o, 0, true), READ_QUERIES | READ_ITERATIVE | READ_TRANSFERS);
    o.dns.message.qtype = DNS_TYPE_A;
    o.dns.message.flags = 0x2900; /* UPDATE (RFC 2136) */
    assert_int_equal(reading(&o, 0, true), READ_QUERIES | READ_TRANSFERS);
    o.dns.message.flags = 0x0100;
    o.note.roles = ROLE_SEVERAL;
    assert_int_equal(reading(&o, 0, true), READ_QUERIES | READ_SEVERAL);
}

static void a_response_is_read_by_how_it_met_its_query(void **state)
{
    struct observation o = scene_answer(T0, "10.30.1.1", "9.9.9.9", "www.example", "192.0.2.1");

    (void)state;
    o.dns.message.counts[1] = 1;
    assert_int_equal(reading(&o, INSIDE_CLIENT, true),
                     READ_RESPONSES | READ_ANSWERED | READ_DATA | READ_ADDRESSES);
    assert_true(reading(&o, INSIDE_CLIENT | INSIDE_SERVER, false) & READ_NEIGHBOURS);
    o.dns.mixed_case = true;
    assert_true(reading(&o, INSIDE_CLIENT, true) & READ_DOUBTFUL);
    o.dns.mixed_case = false;
    o.dns.message.counts[1] = o.dns.message.address_count = 0;
    o.dns.message.rcode = 3;
    assert_int_equal(reading(&o, INSIDE_CLIENT, true),
                     READ_RESPONSES | READ_ANSWERED | READ_FAILED);
    o.dns.answered = false;
    o.dns.match = ANSWER_UNASKED;
    assert_int_equal(reading(&o, INSIDE_CLIENT, true), READ_RESPONSES | READ_DOUBTFUL);
    o.transport = TRANSPORT_DO53_TCP; /* the second message of a zone */
    o.dns.message.has_question = false;
    assert_true(reading(&o, INSIDE_CLIENT, true) & READ_TRANSFERS);
}

static void a_detector_reads_more_while_something_goes_on(void **state)
{
    struct readers readers = {.of = {0}};
    struct reader one = {&readers, 1}, two = {&readers, 2};
    unsigned query = READ_QUERIES | READ_UNAPPROVED;

    (void)state;
    assert_int_equal(readers_of(&readers, query), 0);
    reader_adds(one, READ_QUERIES | READ_FLOWS);
    assert_int_equal(readers_of(&readers, query), 1);
    reader_adds(two, READ_UNAPPROVED);
    assert_int_equal(readers_of(&readers, query), 3);
    assert_int_equal(readers_of(&readers, READ_QUERIES), 1);
    reader_drops(one, READ_QUERIES);
    assert_int_equal(readers_of(&readers, query), 2);
    assert_int_equal(readers_of(&readers, READ_FLOWS), 1);
    assert_int_equal(readers_of(&readers, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_is_read_by_what_it_may_teach),
        cmocka_unit_test(a_response_is_read_by_how_it_met_its_query),
        cmocka_unit_test(a_detector_reads_more_while_something_goes_on)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
