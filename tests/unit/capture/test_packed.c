/* Captures packed by gzip, zstd and lz4, whole, cut, damaged. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "capture/capture.h"

#define PACKETS 5000
#define EACH    40

struct bytes {
    size_t length;
    uint8_t *at;
};

static char path[] = "/tmp/test_packedXXXXXX";

/* A pcap whose packets do not pack well, so that there is something to cut. */
static struct bytes capture(void)
{
    uint32_t head[] = {0xa1b2c3d4, 0x00040002, 0, 0, 65535, 101};
    struct bytes b = {sizeof head, malloc(sizeof head + PACKETS * (16 + EACH))};
    uint32_t noise = 1;

    assert_non_null(b.at);
    memcpy(b.at, head, sizeof head);
    for (uint32_t i = 0; i < PACKETS; i++) {
        uint32_t record[] = {i, 0, EACH, EACH};

        memcpy(b.at + b.length, record, sizeof record);
        b.length += sizeof record;
        for (size_t k = 0; k < EACH; k++) {
            noise = noise * 1664525 + 1013904223;
            b.at[b.length++] = (uint8_t)(noise >> 24);
        }
    }
    return b;
}

static struct bytes by_gzip(struct bytes b)
{
    struct bytes out = {b.length + 4096, malloc(b.length + 4096)};
    z_stream z = {.next_in = b.at,
                  .avail_in = (unsigned)b.length,
                  .next_out = out.at,
                  .avail_out = (unsigned)out.length};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.length = z.total_out;
    deflateEnd(&z);
    return out;
}

static struct bytes by_zstd_window(struct bytes b, int window_log)
{
    struct bytes out = {ZSTD_compressBound(b.length), malloc(ZSTD_compressBound(b.length))};
    ZSTD_CCtx *z = ZSTD_createCCtx();
    ZSTD_inBuffer in = {b.at, b.length, 0};
    ZSTD_outBuffer to = {out.at, out.length, 0};

    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, window_log);
    while (in.pos < in.size) /* a stream of unknown length states the window that was asked for */
        assert_false(ZSTD_isError(ZSTD_compressStream2(z, &to, &in, ZSTD_e_continue)));
    assert_int_equal(ZSTD_compressStream2(z, &to, &in, ZSTD_e_end), 0);
    out.length = to.pos;
    ZSTD_freeCCtx(z);
    return out;
}

static struct bytes by_zstd(struct bytes b)
{
    return by_zstd_window(b, 20);
}

static struct bytes by_lz4(struct bytes b)
{
    LZ4F_preferences_t how = {.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled};
    size_t room = LZ4F_compressFrameBound(b.length, &how);
    struct bytes out = {room, malloc(room)};

    out.length = LZ4F_compressFrame(out.at, room, b.at, b.length, &how);
    assert_false(LZ4F_isError(out.length));
    return out;
}

static const struct form {
    const char *name;
    struct bytes (*pack)(struct bytes b);
} forms[] = {{"gzip", by_gzip}, {"zstd", by_zstd}, {"lz4", by_lz4}};

#define FORMS (sizeof forms / sizeof *forms)

static void write_file(struct bytes first, struct bytes then)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(first.at, 1, first.length, f), first.length);
    if (then.length)
        assert_int_equal(fwrite(then.at, 1, then.length, f), then.length);
    assert_int_equal(fclose(f), 0);
}

static void on_frame(void *context, const struct frame *frame)
{
    unsigned *count = context;

    (void)frame;
    ++*count;
}

static void on_right_frame(void *context, const struct frame *frame)
{
    unsigned *count = context;

    assert_int_equal(frame->captured, EACH);
    assert_int_equal(frame->time, *count * NSEC_S);
    ++*count;
}

struct outcome {
    int opened, ended;
    unsigned frames;
    char text[CAPTURE_ERROR]; /* the error of either, else the notice */
};

static struct outcome read_by(capture_frame_fn fn)
{
    struct outcome o = {0};
    struct capture *c = NULL;
    const char *notice;

    o.opened = capture_files_open((char *[]){path}, 1, NULL, &c, o.text);
    if (o.opened != SD_OK)
        return o;
    do
        o.ended = c->ops->read(c, fn, &o.frames);
    while (o.ended > 0);
    notice = c->ops->notice(c);
    snprintf(o.text, sizeof o.text, "%s", notice ? notice : c->ops->error(c));
    c->ops->destroy(c);
    return o;
}

static struct outcome read_it(void)
{
    return read_by(on_right_frame);
}

static void whole(void **state)
{
    struct bytes plain = capture();

    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        struct bytes packed = forms[i].pack(plain);
        struct outcome o;

        write_file(packed, (struct bytes){0});
        o = read_it();
        assert_int_equal(o.frames, PACKETS);
        assert_int_equal(o.ended, SD_EEND);
        assert_string_equal(o.text, "");
        free(packed.at);
    }
    free(plain.at);
}

/* Two that stand alone, the second one beginning inside a packet; behind gzip the zeros of a tape.
 */
static void in_two_pieces(void **state)
{
    struct bytes plain = capture();
    struct bytes first = {plain.length / 2 + 3, plain.at};
    struct bytes second = {plain.length - first.length, plain.at + first.length};

    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        struct bytes a = forms[i].pack(first), b = forms[i].pack(second);
        struct outcome o;

        if (i == 0) {
            b.at = realloc(b.at, b.length + 512);
            assert_non_null(b.at);
            memset(b.at + b.length, 0, 512);
            b.length += 512;
        }
        write_file(a, b);
        o = read_it();
        assert_int_equal(o.frames, PACKETS);
        assert_string_equal(o.text, "");
        free(a.at);
        free(b.at);
    }
    free(plain.at);
}

/* Wherever it is cut, what is left is read, and it is said. */
static void cut(void **state)
{
    struct bytes plain = capture();

    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        struct bytes packed = forms[i].pack(plain);
        size_t length = packed.length;
        unsigned before = 0;

        for (size_t part = 1; part <= 8; part++) {
            struct outcome o;

            packed.length = part == 8 ? length - 1 : length * part / 8;
            write_file(packed, (struct bytes){0});
            o = read_it();
            if (o.opened == SD_OK) {
                assert_int_equal(o.ended, SD_EEND);
                assert_non_null(strstr(o.text, "; read to the last whole packet ("));
            }
            assert_non_null(strstr(o.text, "ends in the middle of its "));
            assert_non_null(strstr(o.text, forms[i].name));
            assert_true(o.frames >= before && o.frames <= PACKETS);
            before = o.frames;
        }
        assert_true(before > PACKETS * 9 / 10);
        free(packed.at);
    }
    free(plain.at);
}

static void damaged(void **state)
{
    struct bytes plain = capture();

    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        struct bytes packed = forms[i].pack(plain);
        struct outcome o;

        memset(packed.at + packed.length / 2, 0xff, 64);
        write_file(packed, (struct bytes){0});
        o = read_by(on_frame);
        /* Only the checksum behind it all says so of a literal, if the packets stay packets. */
        assert_int_equal(o.ended, o.opened == SD_OK ? SD_EEND : 0);
        assert_non_null(strstr(o.text, "is damaged"));
        free(packed.at);
    }
    free(plain.at);
}

static void garbage_behind(void **state)
{
    struct bytes plain = capture(), text = {8, (uint8_t *)(char[]){"garbage"}};

    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        struct bytes packed = forms[i].pack(plain);
        struct outcome o;

        write_file(packed, text);
        o = read_it();
        assert_int_equal(o.frames, PACKETS);
        assert_non_null(strstr(o.text, "is damaged as "));
        assert_non_null(strstr(o.text, "(5000)"));
        free(packed.at);
    }
    free(plain.at);
}

static void no_capture_inside(void **state)
{
    struct bytes text = {17, (uint8_t *)(char[]){"a text, no packet"}}, nothing = {0, text.at};

    (void)state;
    for (size_t i = 0; i < 2 * FORMS; i++) {
        struct bytes packed = forms[i / 2].pack(i % 2 ? text : nothing);
        struct outcome o;

        write_file(packed, (struct bytes){0});
        o = read_it();
        assert_int_equal(o.opened, SD_EFORMAT);
        assert_non_null(strstr(o.text, "what is packed in "));
        free(packed.at);
    }
}

static void a_window_too_large(void **state)
{
    struct bytes plain = capture();
    struct bytes packed = by_zstd_window(plain, 28);
    struct outcome o;

    (void)state;
    write_file(packed, (struct bytes){0});
    o = read_it();
    assert_int_equal(o.opened, SD_ELIMIT);
    assert_non_null(strstr(o.text, "window of more than 128 MiB"));
    free(packed.at);
    free(plain.at);
}

static int set_up(void **state)
{
    int file = mkstemp(path);

    (void)state;
    return file < 0 ? -1 : close(file);
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(in_two_pieces),
        cmocka_unit_test(cut),
        cmocka_unit_test(damaged),
        cmocka_unit_test(garbage_behind),
        cmocka_unit_test(no_capture_inside),
        cmocka_unit_test(a_window_too_large),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
