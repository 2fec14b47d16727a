/* The eBPF filter of the kernel itself, on a pair of UNIX sockets in the place of an interface:
 * what is shunted is what decode/ reads as that flow, and all else passes as with the classic
 * filter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/filter.h>
#include <pcap.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "capture/filter.h"
#include "capture/shunt.h"
#include "decode/decode.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16, FRAME_MOST = 600, HOSTILE = 60000 };

/* Takes what does not begin with 0xee, in its first 100 octets: shows who was asked. */
static const struct sock_filter classic[] = {
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xee, 1, 0),
    BPF_STMT(BPF_RET | BPF_K, 100),
    BPF_STMT(BPF_RET | BPF_K, 0),
};

struct bench {
    int ends[2];
    struct shunt *shunt;
    struct decoder *decoder;
};

struct frame_made {
    uint8_t bytes[FRAME_MOST];
    size_t length;
};

/* How a frame is built. */
struct plan {
    bool six, udp, back;
    uint8_t tags, options, flags, extension;
    uint16_t vlan, fragment, port;
};

static int open_bench(struct bench *b, size_t flows, char error[CAPTURE_ERROR])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, b->ends), 0);
    b->decoder = decoder_create(true, 1, 0);
    assert_non_null(b->decoder);
    return shunt_open(b->ends[1], classic, sizeof classic / sizeof *classic, flows, &b->shunt,
                      error);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    char error[CAPTURE_ERROR];

    *state = b;
    if (open_bench(b, 4096, error) == SD_OK)
        return 0;
    print_message("%s\n", error);
    shunt_close(b->shunt);
    b->shunt = NULL;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    shunt_close(b->shunt);
    decoder_destroy(b->decoder);
    close(b->ends[0]);
    close(b->ends[1]);
    free(b);
    return 0;
}

/* A kernel that loads nothing has nothing to be tested. */
static struct bench *bench_of(void **state)
{
    struct bench *b = *state;

    if (!b->shunt)
        skip();
    return b;
}

static void put16(struct frame_made *f, unsigned n)
{
    f->bytes[f->length++] = (uint8_t)(n >> 8);
    f->bytes[f->length++] = (uint8_t)n;
}

static void put_zeros(struct frame_made *f, size_t n)
{
    memset(f->bytes + f->length, 0, n);
    f->length += n;
}

static void put_address(struct frame_made *f, bool six, bool client)
{
    put16(f, six ? 0x2001 : client ? 0x0a14 : 0xcb00);
    if (six) {
        put16(f, 0x0db8);
        put_zeros(f, 10);
    }
    put16(f, client ? 0x0907 : 0x7135);
}

static void put_transport(struct frame_made *f, const struct plan *p)
{
    static const uint8_t payload[] = "what is under way";
    unsigned client = 40000, server = p->port ? p->port : 443;

    put16(f, p->back ? server : client);
    put16(f, p->back ? client : server);
    if (p->udp) {
        put16(f, 8 + sizeof payload);
        put16(f, 0);
    } else {
        put_zeros(f, 8);
        put16(f, 0x5000u | p->flags);
        put16(f, 1000);
        put_zeros(f, 4);
    }
    memcpy(f->bytes + f->length, payload, sizeof payload);
    f->length += sizeof payload;
}

static void put_ip(struct frame_made *f, const struct plan *p)
{
    size_t at = f->length, content;
    uint8_t proto = p->udp ? 17 : 6;

    if (p->six) {
        put16(f, 0x6000);
        put_zeros(f, 4);
        f->bytes[f->length++] = p->extension ? p->extension : proto;
        f->bytes[f->length++] = 64;
    } else {
        put16(f, 0x4500u + ((5u + p->options) << 8) - 0x500u);
        put_zeros(f, 4);
        put16(f, p->fragment);
        f->bytes[f->length++] = 64;
        f->bytes[f->length++] = proto;
        put_zeros(f, 2);
    }
    put_address(f, p->six, !p->back);
    put_address(f, p->six, p->back);
    if (p->extension) {
        put16(f, (unsigned)proto << 8);
        put_zeros(f, 6);
    }
    put_zeros(f, p->six ? 0 : p->options * 4u);
    put_transport(f, p);
    content = f->length - at - (p->six ? 40 : 0);
    f->bytes[at + (p->six ? 4 : 2)] = (uint8_t)(content >> 8);
    f->bytes[at + (p->six ? 5 : 3)] = (uint8_t)content;
}

static struct frame_made make(const struct plan *p)
{
    struct frame_made f = {.length = 0};

    put_zeros(&f, 12);
    for (int i = p->tags; i-- > 0;) {
        put16(&f, i ? 0x88a8 : 0x8100);
        put16(&f, i ? 3 : p->vlan);
    }
    put16(&f, p->six ? 0x86dd : 0x0800);
    put_ip(&f, p);
    return f;
}

static struct shunt_flow flow_of(const struct plan *p)
{
    static const uint8_t client[] = {10, 20, 9, 7}, server[] = {203, 0, 113, 53};
    struct shunt_flow flow = {.vlan = p->tags ? p->vlan : 0, .proto = p->udp ? 17 : 6};

    flow.low = p->six ? addr_v6((uint8_t[16]){0x20, 1, 0x0d, 0xb8, [14] = 9, 7}) : addr_v4(client);
    flow.high =
        p->six ? addr_v6((uint8_t[16]){0x20, 1, 0x0d, 0xb8, [14] = 0x71, 0x35}) : addr_v4(server);
    flow.low_port = 40000;
    flow.high_port = p->port ? p->port : 443;
    return flow;
}

/* Octets that came through; 0: none. */
static size_t pass(const struct bench *b, const uint8_t *bytes, size_t length)
{
    uint8_t got[FRAME_MOST];
    ssize_t n;

    /* a datagram that a filter does not take is gone, and says so to its sender */
    if (send(b->ends[0], bytes, length, 0) != (ssize_t)length)
        return 0;
    n = recv(b->ends[1], got, sizeof got, 0);
    return n > 0 ? (size_t)n : 0;
}

static size_t pass_plan(const struct bench *b, const struct plan *p)
{
    struct frame_made f = make(p);

    return pass(b, f.bytes, f.length);
}

static void test_counts_what_it_keeps(void **state)
{
    struct bench *b = bench_of(state);
    struct plan p = {.flags = ACK}, back = {.flags = ACK, .back = true};
    struct shunt_flow flow = flow_of(&p);
    size_t length = make(&p).length;
    struct shunt_counts counts;
    struct shunt_total total;

    assert_int_equal(pass_plan(b, &p), length);
    assert_int_equal(shunt_put(b->shunt, &flow), SD_OK);
    assert_int_equal(pass_plan(b, &p), 0);
    assert_int_equal(pass_plan(b, &back), 0);
    assert_int_equal(pass_plan(b, &back), 0);
    assert_int_equal(shunt_total(b->shunt, &total), SD_OK);
    assert_int_equal(total.packets, 3);
    assert_int_equal(total.bytes, 3 * length);
    assert_int_equal(shunt_read(b->shunt, &flow, &counts), SD_OK);
    assert_int_equal(counts.packets, 3);
    assert_int_equal(pass_plan(b, &back), 0);
    assert_int_equal(shunt_take(b->shunt, &flow, &counts), SD_OK);
    assert_int_equal(counts.packets, 4);
    assert_int_equal(counts.bytes_low, length);
    assert_int_equal(counts.bytes_high, 3 * length);
    assert_true(counts.last > 0);
    assert_int_equal(pass_plan(b, &p), length);
    assert_int_equal(shunt_read(b->shunt, &flow, &counts), SD_ENOENT);
    assert_int_equal(shunt_take(b->shunt, &flow, &counts), SD_ENOENT);
}

static void test_every_form_of_a_flow(void **state)
{
    struct bench *b = bench_of(state);
    struct shunt_counts counts;

    for (unsigned i = 0; i < 48; i++) {
        struct plan p = {.six = i & 1,
                         .udp = i & 2,
                         .back = i & 4,
                         .flags = ACK,
                         .options = i & 8 ? 3 : 0,
                         .tags = (uint8_t)(i / 16),
                         .vlan = 7};
        struct shunt_flow flow = flow_of(&p);

        assert_int_equal(shunt_put(b->shunt, &flow), SD_OK);
        assert_int_equal(pass_plan(b, &p), 0);
        assert_int_equal(shunt_take(b->shunt, &flow, &counts), SD_OK);
        assert_int_equal(counts.packets, 1);
        assert_int_equal(p.back ? counts.bytes_high : counts.bytes_low, make(&p).length);
    }
}

static void test_what_passes_all_the_same(void **state)
{
    static const struct plan plans[] = {
        {.flags = ACK | FIN},
        {.flags = SYN},
        {.flags = RST},
        {.flags = ACK, .fragment = 0x2000},
        {.flags = ACK, .fragment = 1},
        {.flags = ACK, .tags = 1, .vlan = 8},
        {.flags = ACK, .six = true, .extension = 60},
        {.flags = ACK, .six = true, .extension = 44},
        {.flags = ACK, .port = 853},
        {.udp = true, .port = 853},
        {.udp = true, .port = 53},
    };
    struct bench *b = bench_of(state);

    for (unsigned i = 0; i < 8; i++) {
        struct shunt_flow flow =
            flow_of(&(struct plan){.six = i & 1, .udp = i & 2, .tags = i & 4 ? 1 : 0, .vlan = 7});

        assert_int_equal(shunt_put(b->shunt, &flow), SD_OK);
    }
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
        assert_int_not_equal(pass_plan(b, &plans[i]), 0);
}

/* The other filter is asked of whatever is not shunted, and cuts as it says. */
static void test_the_classic_filter_behind_it(void **state)
{
    struct bench *b = bench_of(state);
    uint8_t bytes[200] = {0xee};

    assert_int_equal(pass(b, bytes, sizeof bytes), 0);
    bytes[0] = 0;
    assert_int_equal(pass(b, bytes, sizeof bytes), 100);
    assert_int_equal(pass(b, bytes, 1), 1);
}

static uint32_t noise(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void spoil(struct frame_made *f, uint32_t *seed)
{
    for (unsigned n = noise(seed) % 4; n > 0; n--)
        f->bytes[12 + noise(seed) % (f->length - 12)] = (uint8_t)noise(seed);
    if (noise(seed) % 4 == 0)
        f->length -= noise(seed) % (f->length - 1);
}

/* Whether decode/ reads the frame as a packet that says nothing more than its length. */
static bool is_of(struct decoder *d, const struct frame_made *f, const struct shunt_flow *flow)
{
    struct frame frame = {.bytes = f->bytes,
                          .captured = (uint32_t)f->length,
                          .length = (uint32_t)f->length,
                          .linktype = 1};
    struct stats stats = {0};
    struct packet p;

    return decode_frame(d, &frame, &p, &stats) == SD_OK && stats.fragments == 0 && p.tunnel == 0 &&
           p.proto == flow->proto && p.vlan == flow->vlan && p.payload_length + p.tcp_flags > 0 &&
           !(p.tcp_flags & (FIN | SYN | RST)) &&
           ((addr_equal(&p.src, &flow->low) && addr_equal(&p.dst, &flow->high) &&
             p.sport == flow->low_port && p.dport == flow->high_port) ||
            (addr_equal(&p.src, &flow->high) && addr_equal(&p.dst, &flow->low) &&
             p.sport == flow->high_port && p.dport == flow->low_port));
}

/* Frames with octets that are wrong, cut anywhere: what is kept must be the flow's. */
static void test_hostile_frames(void **state)
{
    struct bench *b = bench_of(state);
    struct shunt_total before = {0}, after;
    uint32_t seed = 5;
    unsigned kept = 0;

    for (unsigned i = 0; i < HOSTILE; i++) {
        uint32_t r = noise(&seed);
        struct plan p = {.six = r & 1,
                         .udp = r & 2,
                         .back = r & 4,
                         .flags = ACK,
                         .options = r & 8 ? (uint8_t)(r >> 4 & 7) : 0,
                         .tags = (uint8_t)(r >> 8 & 3),
                         .vlan = 7};
        struct shunt_flow flow = flow_of(&p);
        struct frame_made f = make(&p);
        struct shunt_counts counts;

        spoil(&f, &seed);
        assert_int_equal(shunt_put(b->shunt, &flow), SD_OK);
        pass(b, f.bytes, f.length);
        assert_int_equal(shunt_total(b->shunt, &after), SD_OK);
        assert_int_equal(shunt_take(b->shunt, &flow, &counts), SD_OK);
        assert_int_equal(counts.packets, after.packets - before.packets);
        if (counts.packets)
            assert_true(is_of(b->decoder, &f, &flow));
        kept += (unsigned)counts.packets;
        before = after;
    }
    assert_true(kept > HOSTILE / 10);
    assert_true(kept < HOSTILE);
}

static void test_a_full_map_refuses(void **state)
{
    struct bench *b = bench_of(state), small = {.shunt = NULL};
    struct plan p = {.flags = ACK};
    struct shunt_flow flow = flow_of(&p);
    struct shunt_counts counts;
    char error[CAPTURE_ERROR];

    (void)b;
    assert_int_equal(open_bench(&small, 64, error), SD_OK);
    for (uint16_t i = 0; i < 64; i++) {
        flow.low_port = (uint16_t)(40000 + i);
        assert_int_equal(shunt_put(small.shunt, &flow), SD_OK);
    }
    flow.low_port = 39999;
    assert_int_equal(shunt_put(small.shunt, &flow), SD_ELIMIT);
    assert_int_equal(pass_plan(&small, &p), 0);
    flow.low_port = 40000;
    assert_int_equal(shunt_take(small.shunt, &flow, &counts), SD_OK);
    assert_int_equal(counts.packets, 1);
    assert_int_equal(shunt_try(small.shunt), SD_OK);
    shunt_close(small.shunt);
    decoder_destroy(small.decoder);
    close(small.ends[0]);
    close(small.ends[1]);
}

/* The filter of a live interface, NULL: this user may not have one. */
static bool live_filter(struct bpf_program *out)
{
    static const uint16_t ports[] = {8443};
    struct capture_live_options options = {.ports = ports, .port_count = 1, .tunnels = true};
    char text[PCAP_ERRBUF_SIZE];
    pcap_t *pcap = pcap_create("lo", text);
    bool made = pcap && pcap_activate(pcap) >= 0 && filter_build(pcap, &options, out) == SD_OK;

    if (pcap)
        pcap_close(pcap);
    return made;
}

static void spread(struct frame_made *f, uint32_t *seed)
{
    static const uint16_t ports[] = {53, 853, 443, 8443, 4500, 67, 4789, 1194, 5353, 80};
    uint32_t r = noise(seed);
    struct plan p = {.six = r & 1,
                     .udp = r & 2,
                     .back = r & 4,
                     .flags = ACK,
                     .options = r & 8 ? 3 : 0,
                     .tags = (uint8_t)(r >> 8 & 3),
                     .fragment = r >> 10 & 15 ? 0 : 0x2000,
                     .port = ports[(r >> 14) % (sizeof ports / sizeof *ports)]};

    *f = make(&p);
    if (r >> 18 & 1)
        spoil(f, seed);
}

/* Ours, as it stands behind the shunt, and the same attached as it is: one answer, octet by octet.
 */
static void test_the_sensors_own_filter_behind_it(void **state)
{
    struct bench *b = bench_of(state), plain = {.shunt = NULL}, ours = {.shunt = NULL};
    struct bpf_program program;
    char error[CAPTURE_ERROR] = "";
    unsigned passed = 0;
    uint32_t seed = 9;

    (void)b;
    if (!live_filter(&program))
        skip();
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, plain.ends), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ours.ends), 0);
    assert_int_equal(
        setsockopt(plain.ends[1], SOL_SOCKET, SO_ATTACH_FILTER,
                   &(struct sock_fprog){(unsigned short)program.bf_len, (void *)program.bf_insns},
                   sizeof(struct sock_fprog)),
        0);
    assert_int_equal(shunt_open(ours.ends[1], (const void *)program.bf_insns, program.bf_len, 64,
                                &ours.shunt, error),
                     SD_OK);
    for (unsigned i = 0; i < HOSTILE; i++) {
        struct frame_made f;
        size_t by_classic;

        spread(&f, &seed);
        by_classic = pass(&plain, f.bytes, f.length);
        assert_int_equal(pass(&ours, f.bytes, f.length), by_classic);
        passed += by_classic > 0;
    }
    assert_true(passed > HOSTILE / 4 && passed < HOSTILE);
    free(program.bf_insns);
    shunt_close(ours.shunt);
    for (int i = 0; i < 2; i++) {
        close(plain.ends[i]);
        close(ours.ends[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counts_what_it_keeps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_form_of_a_flow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_passes_all_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_classic_filter_behind_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_sensors_own_filter_behind_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hostile_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_map_refuses, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
