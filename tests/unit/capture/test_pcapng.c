#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "capture/pcapng.h"

/* A file under construction, in either byte order. */
struct file {
    uint8_t bytes[4096];
    size_t length;
    bool big;
    FILE *stream;
    struct pcapng *reader;
};

static void put32(struct file *f, uint32_t n)
{
    n = f->big ? __builtin_bswap32(n) : n;
    memcpy(f->bytes + f->length, &n, 4);
    f->length += 4;
}

static void put16(struct file *f, uint16_t n)
{
    n = f->big ? __builtin_bswap16(n) : n;
    memcpy(f->bytes + f->length, &n, 2);
    f->length += 2;
}

static void section(struct file *f)
{
    put32(f, 0x0a0d0d0a);
    put32(f, 28);
    put32(f, 0x1a2b3c4d);
    put32(f, 1);
    put32(f, 0xffffffff);
    put32(f, 0xffffffff);
    put32(f, 28);
}

/* resolution < 0: without the option; offset: seconds. */
static void interface(struct file *f, uint16_t linktype, uint32_t snap, int resolution,
                      int64_t offset)
{
    uint32_t total = 20 + (resolution >= 0 ? 8 + 12 + 4 : 0);

    put32(f, 1);
    put32(f, total);
    put16(f, linktype);
    put16(f, 0);
    put32(f, snap);
    if (resolution >= 0) {
        uint64_t n = (uint64_t)offset;

        put16(f, 9);
        put16(f, 1);
        memset(f->bytes + f->length, 0, 4);
        f->bytes[f->length] = (uint8_t)resolution;
        f->length += 4;
        put16(f, 14);
        put16(f, 8);
        put32(f, (uint32_t)(f->big ? n >> 32 : n));
        put32(f, (uint32_t)(f->big ? n : n >> 32));
        put32(f, 0);
    }
    put32(f, total);
}

static void packet(struct file *f, uint32_t number, uint64_t time, const char *text, uint32_t wire)
{
    uint32_t length = (uint32_t)strlen(text), padded = (length + 3) / 4 * 4;

    put32(f, 6);
    put32(f, 32 + padded);
    put32(f, number);
    put32(f, (uint32_t)(time >> 32));
    put32(f, (uint32_t)time);
    put32(f, length);
    put32(f, wire);
    memset(f->bytes + f->length, 0, padded);
    memcpy(f->bytes + f->length, text, length);
    f->length += padded;
    put32(f, 32 + padded);
}

static int start(struct file *f)
{
    f->stream = fmemopen(f->bytes, f->length, "rb");
    assert_non_null(f->stream);
    return pcapng_open(f->stream, &f->reader);
}

static void finish(struct file *f)
{
    pcapng_close(f->reader);
    fclose(f->stream);
}

static void assert_next(struct file *f, int linktype, nsec_t time, const char *text)
{
    struct frame frame;

    assert_int_equal(pcapng_next(f->reader, &frame), SD_OK);
    assert_int_equal(frame.linktype, linktype);
    assert_int_equal(frame.time, time);
    assert_int_equal(frame.captured, strlen(text));
    assert_memory_equal(frame.bytes, text, strlen(text));
}

static void interfaces_that_differ(void **state)
{
    (void)state;
    for (int big = 0; big < 2; big++) {
        struct file f = {.big = big};
        struct frame frame;

        section(&f);
        interface(&f, 1, 65535, -1, 0);
        interface(&f, 113, 96, 9, 0);
        interface(&f, 101, 0, 0x80 | 10, 100);
        packet(&f, 1, 5000000001, "cooked", 2000);
        packet(&f, 0, 6000001, "ether", 5);
        packet(&f, 2, 7 * 1024 + 512, "raw!", 4);
        assert_int_equal(start(&f), SD_OK);
        assert_int_equal(pcapng_next(f.reader, &frame), SD_OK);
        assert_int_equal(frame.linktype, 113);
        assert_int_equal(frame.time, 5000000001);
        assert_int_equal(frame.length, 2000);
        assert_next(&f, 1, 6000001000, "ether");
        assert_next(&f, 101, 107500000000, "raw!");
        assert_int_equal(pcapng_next(f.reader, &frame), SD_EEND);
        finish(&f);
    }
}

static void sections_begin_anew(void **state)
{
    struct file f = {0};
    struct frame frame;

    (void)state;
    section(&f);
    interface(&f, 1, 0, 6, 0);
    packet(&f, 0, 1, "one", 3);
    f.big = true;
    section(&f);
    interface(&f, 101, 0, 3, -1);
    packet(&f, 0, 2500, "two", 3);
    packet(&f, 1, 3, "no such interface", 3);
    assert_int_equal(start(&f), SD_OK);
    assert_next(&f, 1, 1000, "one");
    assert_next(&f, 101, 1500000000, "two");
    assert_int_equal(pcapng_next(f.reader, &frame), SD_EMALF);
    finish(&f);
}

static void other_blocks(void **state)
{
    struct file f = {0};
    struct frame frame;

    (void)state;
    section(&f);
    interface(&f, 1, 4, 9, 0);
    put32(&f, 0x0a); /* secrets: skipped */
    put32(&f, 16);
    put32(&f, 1);
    put32(&f, 16);
    packet(&f, 0, 77, "full", 4);
    put32(&f, 3); /* simple: no time of its own, cut at the snap length */
    put32(&f, 20);
    put32(&f, 9);
    memcpy(f.bytes + f.length, "abcd", 4);
    f.length += 4;
    put32(&f, 20);
    put32(&f, 2); /* the old kind */
    put32(&f, 36);
    put16(&f, 0);
    put16(&f, 0);
    put32(&f, 0);
    put32(&f, 88);
    put32(&f, 4);
    put32(&f, 4);
    memcpy(f.bytes + f.length, "wxyz", 4);
    f.length += 4;
    put32(&f, 36);
    assert_int_equal(start(&f), SD_OK);
    assert_next(&f, 1, 77, "full");
    assert_int_equal(pcapng_next(f.reader, &frame), SD_OK);
    assert_int_equal(frame.captured, 4);
    assert_int_equal(frame.length, 9);
    assert_int_equal(frame.time, 77);
    assert_next(&f, 1, 88, "wxyz");
    assert_int_equal(pcapng_next(f.reader, &frame), SD_EEND);
    finish(&f);
}

/* Cut anywhere: the whole packets before the cut, then SD_ETRUNC or the end. */
static void cut_anywhere(void **state)
{
    struct file whole = {0};
    size_t first;

    (void)state;
    section(&whole);
    interface(&whole, 1, 0, 6, 0);
    first = whole.length;
    packet(&whole, 0, 1, "12345", 5);
    for (size_t length = 1; length < whole.length; length++) {
        struct file f = whole;
        struct frame frame;

        f.length = length;
        if (length < 28) {
            assert_int_equal(start(&f), SD_EFORMAT);
            fclose(f.stream);
            continue;
        }
        assert_int_equal(start(&f), SD_OK);
        assert_int_equal(pcapng_next(f.reader, &frame),
                         length == 28 || length == first ? SD_EEND : SD_ETRUNC);
        finish(&f);
    }
}

static void damaged(void **state)
{
    struct file f = {0};
    struct frame frame;

    (void)state;
    section(&f);
    interface(&f, 1, 0, 6, 0);
    packet(&f, 0, 1, "12345678", 8);
    f.bytes[f.length - 4] ^= 1; /* the second length */
    assert_int_equal(start(&f), SD_OK);
    assert_int_equal(pcapng_next(f.reader, &frame), SD_EMALF);
    finish(&f);
    f.bytes[f.length - 4] ^= 1;
    f.bytes[f.length - 40 + 20] = 200; /* captured length beyond the block */
    assert_int_equal(start(&f), SD_OK);
    assert_int_equal(pcapng_next(f.reader, &frame), SD_EMALF);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces_that_differ),
        cmocka_unit_test(sections_begin_anew),
        cmocka_unit_test(other_blocks),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
