/* State for each client: whose it is, and parts of one record beside each other. */
#include "scene.h"

struct entry {
    struct slot slot;
    uint32_t value[5];
};

static struct observation_note note(uint32_t who, uint32_t tenure)
{
    return (struct observation_note){.who = who, .tenure = tenure};
}

static void a_place_is_a_new_clients_own(void **state)
{
    struct slots_shape shape = {.entry_size = sizeof(struct entry)};
    struct slots *s = slots_create(&shape, NULL);
    struct observation_note one = note(7, 100), another = note(7, 101);
    struct entry *e;
    size_t position = 0;
    bool fresh;

    (void)state;
    assert_non_null(s);
    e = slots_at(s, &one, &fresh);
    assert_true(fresh);
    e->value[4] = 5;
    assert_ptr_equal(slots_at(s, &one, &fresh), e);
    assert_false(fresh);
    assert_ptr_equal(slots_find(s, 7, 100), e);
    assert_null(slots_find(s, 7, 101));
    e = slots_at(s, &another, &fresh);
    assert_true(fresh);
    assert_int_equal(e->value[4], 0);
    assert_ptr_equal(slots_next(s, &position), e);
    assert_null(slots_next(s, &position));
    slots_destroy(s);
}

static void parts_of_a_record_leave_each_other_alone(void **state)
{
    struct slots_shape shape = {.entry_size = sizeof(struct entry)};
    struct slots_record record = {.parts = 0};
    struct slots *part[3];
    struct observation_note last = note(CLIENTS_MOST - 1, 100), next = note(CLIENTS_MOST - 1, 101);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_non_null(part[i] = slots_create(&shape, &record));
    assert_true(slots_record_open(&record));
    assert_int_equal(record.stride % SLOTS_LINE, 0);
    slots_record_prefetch(&record, last.who);
    for (uint32_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 5; k++)
            ((struct entry *)slots_at(part[i], &last, NULL))->value[k] = i;
    assert_int_equal(((struct entry *)slots_at(part[1], &next, NULL))->value[0], 0);
    for (uint32_t i = 0; i < 3; i += 2)
        assert_int_equal(((struct entry *)slots_find(part[i], last.who, 100))->value[4], i);
    assert_null(slots_find(part[1], last.who, 100));
    for (size_t i = 0; i < 3; i++)
        slots_destroy(part[i]);
    slots_record_close(&record);
}

static void a_full_record_takes_no_more(void **state)
{
    struct slots_shape shape = {.entry_size = sizeof(struct entry)};
    struct slots_record record = {.parts = 0};
    struct slots *part[SLOTS_PARTS];

    (void)state;
    for (size_t i = 0; i < SLOTS_PARTS; i++)
        assert_non_null(part[i] = slots_create(&shape, &record));
    assert_null(slots_create(&shape, &record));
    for (size_t i = 0; i < SLOTS_PARTS; i++)
        slots_destroy(part[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_place_is_a_new_clients_own),
                                       cmocka_unit_test(parts_of_a_record_leave_each_other_alone),
                                       cmocka_unit_test(a_full_record_takes_no_more)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
