/* Events page by page, as they stand now, and by what they are of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/search.h"

#define T0 (INT64_C(1764547200) * NSEC_S)
enum { EVENTS = 250 };

static char folder[] = "/tmp/sealdns-search-XXXXXX";
static char path[64];

/* Every tenth is a tunnel, every third of the second client; the first fifty are told twice. */
static void write_event(struct store *s, int number, uint32_t revision)
{
    struct record r = {.kind = RECORD_EVENT};
    struct event *e = &r.event;
    char json[128];

    strcpy(r.zone, number % 2 ? "office" : "guest");
    snprintf(e->id, sizeof e->id, "%016x", number);
    e->revision = revision;
    e->count = 1;
    e->first = e->last = e->finding.time = r.time = T0 + number * NSEC_S;
    e->finding.kind = number % 10 ? KIND_CLEARTEXT : KIND_TUNNEL;
    e->finding.severity = number % 10 ? SEVERITY_LOW : SEVERITY_HIGH;
    assert_int_equal(addr_parse(number % 3 ? "10.0.0.1" : "10.0.0.2", &e->finding.client), SD_OK);
    assert_int_equal(addr_parse("9.9.9.9", &e->finding.server), SD_OK);
    evidence_clear(&e->finding.evidence);
    snprintf(json, sizeof json, "{\"n\": %d, \"name\": \"%s\"}", number,
             number == 7 ? "a_b%c\\\\d.example" : "www.example.org");
    assert_int_equal(store_write(s, &r, json), SD_OK);
}

static int fill(void **state)
{
    struct store_options options;
    char error[STORE_ERROR];
    struct store *s;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s.db", folder);
    options = (struct store_options){.path = path};
    assert_int_equal(store_open(&options, &s, error), SD_OK);
    for (int i = 0; i < EVENTS; i++)
        write_event(s, i, 1);
    for (int i = 0; i < 50; i++)
        write_event(s, i, 2);
    store_close(s);
    return 0;
}

static int clean(void **state)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[80];

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    return rmdir(folder);
}

static struct store_reader *reader(void)
{
    char error[STORE_ERROR];
    struct store_reader *r;

    assert_int_equal(store_reader_open(path, &r, error), SD_OK);
    return r;
}

static unsigned char seen[EVENTS];
static int64_t row_before;

static int see(void *context, const struct event_row *row)
{
    long number = strtol(row->id, NULL, 16);

    ++*(int *)context;
    assert_in_range(number, 0, EVENTS - 1);
    seen[number]++;
    assert_true(row->row < row_before);
    row_before = row->row;
    assert_int_equal(row->revision, number < 50 ? 2 : 1);
    return 0;
}

/* How many there are, looked at in pages of this size. */
static int pages(struct event_search s)
{
    struct store_reader *r = reader();
    int64_t next;
    int count = 0;

    memset(seen, 0, sizeof seen);
    row_before = INT64_MAX;
    do {
        assert_int_equal(store_search(r, &s, &next, see, &count), SD_OK);
        s.before = next;
    } while (next);
    store_reader_close(r);
    return count;
}

static void each_event_is_on_one_page(void **state)
{
    (void)state;
    for (int limit = 1; limit < 300; limit += 37) {
        assert_int_equal(pages((struct event_search){.kind = -1, .limit = limit}), EVENTS);
        for (int i = 0; i < EVENTS; i++)
            assert_int_equal(seen[i], 1);
    }
}

static void by_what_they_are_of(void **state)
{
    (void)state;
    assert_int_equal(pages((struct event_search){.kind = KIND_TUNNEL, .limit = 7}), 25);
    assert_int_equal(pages((struct event_search){.kind = KIND_POISONING, .limit = 7}), 0);
    assert_int_equal(
        pages((struct event_search){.kind = -1, .severity = SEVERITY_MEDIUM, .limit = 7}), 25);
    assert_int_equal(pages((struct event_search){.kind = -1, .client = "10.0.0.2", .limit = 7}),
                     84);
    assert_int_equal(pages((struct event_search){.kind = KIND_TUNNEL,
                                                 .client = "10.0.0.2",
                                                 .zone = "guest",
                                                 .server = "9.9.9.9",
                                                 .limit = 7}),
                     9);
    assert_int_equal(
        pages((struct event_search){.kind = -1, .since = T0 + 200 * NSEC_S, .limit = 9}), 50);
    assert_int_equal(pages((struct event_search){.kind = -1, .until = T0 + 9 * NSEC_S, .limit = 9}),
                     10);
}

static void a_text_is_meant_as_it_stands(void **state)
{
    static const char *const found[] = {"A_B%C", "%", "\\\\D", "_"};

    (void)state;
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        assert_int_equal(pages((struct event_search){.kind = -1, .text = found[i], .limit = 5}), 1);
    assert_int_equal(pages((struct event_search){.kind = -1, .text = "WWW.", .limit = 5}), 249);
    assert_int_equal(pages((struct event_search){.kind = -1, .text = "' OR 1=1 --", .limit = 5}),
                     0);
}

static void who_takes_too_long_is_stopped(void **state)
{
    struct event_search s = {.kind = -1, .text = "nowhere", .limit = 5};
    struct store_reader *r = reader();
    int status = SD_OK, count = 0;
    int64_t next;

    (void)state;
    store_reader_budget(r, 20000);
    for (int i = 0; i < 1000 && status == SD_OK; i++)
        status = store_search(r, &s, &next, see, &count);
    assert_int_equal(status, SD_EIO);
    store_reader_budget(r, 20000);
    assert_int_equal(store_search(r, &s, &next, see, &count), SD_OK);
    store_reader_close(r);
    assert_int_equal(count, 0);
}

static int take_revision(void *context, const struct event_row *row)
{
    assert_int_equal(row->revision, ++*(uint32_t *)context);
    return 0;
}

static void an_event_has_its_revisions(void **state)
{
    struct store_reader *r = reader();
    uint32_t last = 0, none = 0;

    (void)state;
    assert_int_equal(store_event(r, "0000000000000003", take_revision, &last), SD_OK);
    assert_int_equal(last, 2);
    assert_int_equal(store_event(r, "' OR 1=1 --", take_revision, &none), SD_OK);
    assert_int_equal(none, 0);
    assert_int_equal(store_last_row(r), EVENTS + 50);
    store_reader_close(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_event_is_on_one_page),
        cmocka_unit_test(by_what_they_are_of),
        cmocka_unit_test(a_text_is_meant_as_it_stands),
        cmocka_unit_test(who_takes_too_long_is_stopped),
        cmocka_unit_test(an_event_has_its_revisions),
    };

    return cmocka_run_group_tests(tests, fill, clean);
}
