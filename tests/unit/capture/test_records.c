/* A pcap file in this host's byte order is read by records.c, one in the other by libpcap: both
 * must give the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/hash.h"
#include "capture/capture.h"

enum { MICRO = 0xa1b2c3d4, NANO = 0xa1b23c4d, PACKET_MAX = 262144, ETHERNET = 1 };

struct packet {
    uint32_t seconds, fraction, captured, length;
};

struct file {
    uint32_t magic, snapshot;
    const struct packet *packets;
    size_t count, cut; /* octets taken off the end */
};

static char directory[] = "/tmp/test_recordsXXXXXX";

static void put32(FILE *f, uint32_t n, bool swapped)
{
    n = swapped ? __builtin_bswap32(n) : n;
    assert_int_equal(fwrite(&n, sizeof n, 1, f), 1);
}

static void write_packet(FILE *f, const struct packet *p, uint8_t first, bool swapped)
{
    put32(f, p->seconds, swapped);
    put32(f, p->fraction, swapped);
    put32(f, p->captured, swapped);
    put32(f, p->length, swapped);
    for (uint32_t i = 0; i < p->captured && i <= PACKET_MAX; i++)
        putc((uint8_t)(first + i), f);
}

static const char *write_file(const struct file *what, bool swapped)
{
    static char path[128];
    FILE *f;

    snprintf(path, sizeof path, "%s/file", directory);
    f = fopen(path, "wb");
    assert_non_null(f);
    put32(f, what->magic, swapped);
    put32(f, swapped ? 0x04000200 : 0x00040002, false); /* 2 and 4, of 16 bits each */
    put32(f, 0, swapped);
    put32(f, 0, swapped);
    put32(f, what->snapshot, swapped);
    put32(f, ETHERNET, swapped);
    for (size_t i = 0; i < what->count; i++)
        write_packet(f, &what->packets[i], (uint8_t)i, swapped);
    fflush(f);
    assert_int_equal(ftruncate(fileno(f), ftell(f) - (long)what->cut), 0);
    fclose(f);
    return path;
}

struct heard {
    size_t frames;
    uint64_t hash; /* of all that was given */
    char notice[CAPTURE_ERROR];
};

static void on_frame(void *context, const struct frame *frame)
{
    struct heard *h = context;
    uint64_t numbers[] = {frame->captured, frame->length, (uint64_t)frame->time,
                          (uint64_t)frame->linktype, frame->iface};

    h->frames++;
    h->hash = hash_bytes(numbers, sizeof numbers, h->hash);
    h->hash = hash_bytes(frame->bytes, frame->captured, h->hash);
}

static struct heard heard_of(const struct file *what, bool swapped)
{
    struct heard h = {0};
    struct capture *c = NULL;
    char error[CAPTURE_ERROR];
    const char *notice;
    char *paths[] = {(char *)(uintptr_t)write_file(what, swapped)};

    assert_int_equal(capture_files_open(paths, 1, NULL, &c, error), SD_OK);
    while (c->ops->read(c, on_frame, &h) > 0)
        ;
    notice = c->ops->notice(c);
    snprintf(h.notice, sizeof h.notice, "%s", notice ? notice : "");
    assert_string_equal(c->ops->error(c), "");
    c->ops->destroy(c);
    return h;
}

static struct heard both(const struct file *what)
{
    struct heard ours = heard_of(what, false), theirs = heard_of(what, true);

    assert_int_equal(ours.frames, theirs.frames);
    assert_int_equal(ours.hash, theirs.hash);
    assert_string_equal(ours.notice, theirs.notice);
    return ours;
}

static void odd_numbers(void **state)
{
    static const struct packet packets[] = {
        {1, 2, 3, 4},
        {0x7fffffff, 999999, 0, 0},
        {7, 2000000000, 60, 60}, /* more than a second of them */
        {8, 0x7fffffff, 60, 10}, /* longer than it was */
        {9, 1, 101, 200},        /* beyond the snapshot length */
        {10, 999999999, 100, 0xffffffff},
    };
    struct file what = {MICRO, 100, packets, 6, 0};

    (void)state;
    assert_int_equal(both(&what).frames, 6);
    what.magic = NANO;
    assert_int_equal(both(&what).frames, 6);
    what.snapshot = 0;
    assert_int_equal(both(&what).frames, 6);
}

/* The longest packets, and every place where a block may end in a record. */
static void blocks(void **state)
{
    struct packet packets[3000];
    struct file what = {MICRO, PACKET_MAX, packets, 3000, 0};

    (void)state;
    for (size_t i = 0; i < what.count; i++)
        packets[i] = (struct packet){(uint32_t)i, 0, (uint32_t)(i % 900), 900};
    packets[0].captured = PACKET_MAX;
    packets[1].captured = PACKET_MAX - 1;
    packets[what.count - 1].captured = PACKET_MAX;
    assert_int_equal(both(&what).frames, 3000);
}

static void ends_early(void **state)
{
    static const struct packet packets[] = {{1, 2, 30, 40}, {2, 3, 5, 5}};
    struct file what = {MICRO, 65535, packets, 2, 0};

    (void)state;
    assert_string_equal(both(&what).notice, "");
    for (what.cut = 1; what.cut < 21; what.cut++) {
        struct heard h = both(&what);

        assert_int_equal(h.frames, 1);
        assert_non_null(strstr(h.notice, "in the middle of a packet"));
    }
    assert_string_equal(both(&what).notice, "");
    what.cut = 21 + 46;
    assert_int_equal(both(&what).frames, 0);
}

static void damaged(void **state)
{
    static const struct packet packets[] = {
        {1, 2, 30, 40}, {2, 3, PACKET_MAX + 1, 5}, {3, 4, 5, 5}};
    struct file what = {MICRO, 65535, packets, 3, 0};
    struct heard h = both(&what);

    (void)state;
    assert_int_equal(h.frames, 1);
    assert_non_null(strstr(h.notice, "is damaged"));
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/file", directory);
    unlink(path);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_numbers),
        cmocka_unit_test(blocks),
        cmocka_unit_test(ends_early),
        cmocka_unit_test(damaged),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
