/* Captures around an alert: which frames, how many files, how much of the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/clips.h"

#define T0 (INT64_C(1795262400) * NSEC_S)

struct bench {
    struct trail *trails[2];
    struct policy_evidence policy;
    struct clips *clips;
};

static struct addr at(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(text, &a), 0);
    return a;
}

static void open_bench(struct bench *b)
{
    memset(b, 0, sizeof *b);
    b->policy = (struct policy_evidence){.ring = 1 << 20,
                                         .max_size = 1 << 20,
                                         .snap = 128,
                                         .per_event = 10,
                                         .per_minute = 3,
                                         .severity = SEVERITY_LOW};
    snprintf(b->policy.path, sizeof b->policy.path, "/tmp/test-clips.XXXXXX");
    assert_non_null(mkdtemp(b->policy.path));
    for (int i = 0; i < 2; i++)
        assert_non_null(b->trails[i] = trail_create(1 << 20, 128));
    b->clips = clips_create(b->trails, 2);
    assert_non_null(b->clips);
    clips_use_policy(b->clips, &b->policy);
}

static void close_bench(struct bench *b)
{
    char command[300];

    clips_destroy(b->clips);
    for (int i = 0; i < 2; i++)
        trail_destroy(b->trails[i]);
    snprintf(command, sizeof command, "rm -r '%s'", b->policy.path);
    assert_int_equal(system(command), 0);
}

static void frame(struct trail *t, int n, const char *src, const char *dst, uint16_t dport)
{
    uint8_t bytes[200];
    struct trail_frame f = {.time = T0 + n,
                            .captured = sizeof bytes,
                            .length = 1000,
                            .linktype = 1,
                            .proto = 17,
                            .sport = 40000,
                            .dport = dport,
                            .src = at(src),
                            .dst = at(dst)};

    memset(bytes, n, sizeof bytes);
    trail_put(t, &f, bytes);
}

static struct record alert(const char *id, const char *client, const char *server)
{
    struct record r = {.kind = RECORD_EVENT};

    snprintf(r.event.id, sizeof r.event.id, "%s", id);
    r.event.finding.severity = SEVERITY_MEDIUM;
    r.event.finding.time = T0;
    if (client)
        r.event.finding.client = at(client);
    if (server)
        r.event.finding.server = at(server);
    return r;
}

/* The first octet of each frame in a file; -1: no such file. */
static int frames_of(const struct bench *b, const char *name, uint8_t first[32])
{
    char path[600];
    uint32_t header[4], magic;
    uint8_t bytes[128];
    int count = 0;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", b->policy.path, name);
    f = fopen(path, "r");
    if (!f)
        return -1;
    assert_int_equal(fread(&magic, 4, 1, f), 1);
    assert_int_equal(magic, 0xa1b23c4d);
    assert_int_equal(fseek(f, 24, SEEK_SET), 0);
    while (fread(header, sizeof header, 1, f) == 1) {
        assert_int_equal(header[0], T0 / NSEC_S);
        assert_int_equal(header[2], 128);
        assert_int_equal(header[3], 1000);
        assert_int_equal(fread(bytes, 1, 128, f), 128);
        assert_true(count < 32);
        first[count++] = bytes[0];
    }
    fclose(f);
    return count;
}

static void frames_of_the_client_and_server_are_kept(void **state)
{
    struct bench b;
    struct record r = alert("a1", "10.0.0.5", "9.9.9.9");
    uint8_t first[32];
    char name[64];

    (void)state;
    open_bench(&b);
    frame(b.trails[0], 1, "10.0.0.5", "9.9.9.9", 853);
    frame(b.trails[0], 2, "10.0.0.6", "9.9.9.9", 853);   /* another client */
    frame(b.trails[1], 3, "9.9.9.9", "10.0.0.5", 40000); /* on the other interface */
    frame(b.trails[0], 4, "10.0.0.5", "8.8.8.8", 53);    /* where it went instead */
    frame(b.trails[0], 5, "10.0.0.5", "8.8.8.8", 443);   /* what is not DNS */
    snprintf(name, sizeof name, "%s", clips_name(b.clips, &r, T0));
    assert_string_equal(name, "sealdns-20261121T120000.000000-a1.pcap");
    clips_work(b.clips, T0 + NSEC_S / 2);
    assert_int_equal(frames_of(&b, name, first), -1);
    frame(b.trails[0], 6, "9.9.9.9", "10.0.0.5", 40000); /* right after it */
    clips_work(b.clips, T0 + NSEC_S);
    assert_int_equal(frames_of(&b, name, first), 4);
    assert_memory_equal(first, "\1\3\4\6", 4);
    r.event.revision = 2; /* a further revision names it again, and writes no other */
    assert_string_equal(clips_name(b.clips, &r, T0 + NSEC_S), name);
    clips_work(b.clips, T0 + 9 * NSEC_S);
    assert_int_equal(clips_counts(b.clips).written, 1);
    close_bench(&b);
}

static void the_newest_frames_of_many(void **state)
{
    struct bench b;
    struct record r = alert("a1", NULL, "9.9.9.9");
    uint8_t first[32];

    (void)state;
    open_bench(&b);
    for (int n = 1; n <= 40; n++)
        frame(b.trails[n % 2], n, "10.0.0.5", "9.9.9.9", 853);
    assert_string_not_equal(clips_name(b.clips, &r, T0), "");
    clips_work(b.clips, T0 + NSEC_S);
    assert_int_equal(frames_of(&b, "sealdns-20261121T120000.000000-a1.pcap", first), 10);
    for (int i = 0; i < 10; i++)
        assert_int_equal(first[i], 31 + i);
    close_bench(&b);
}

static void what_asks_for_none_gets_none(void **state)
{
    struct bench b;
    struct record r = alert("a1", "10.0.0.5", NULL);

    (void)state;
    open_bench(&b);
    r.event.finding.severity = SEVERITY_INFORMATIONAL;
    assert_string_equal(clips_name(b.clips, &r, T0), "");
    r.event.finding.severity = SEVERITY_HIGH;
    r.event.finding.kind = KIND_SENSOR;
    assert_string_equal(clips_name(b.clips, &r, T0), "");
    r = alert("a2", NULL, NULL);
    assert_string_equal(clips_name(b.clips, &r, T0), "");
    for (int i = 0; i < 5; i++) {
        char id[8];

        snprintf(id, sizeof id, "b%d", i);
        r = alert(id, "10.0.0.5", NULL);
        assert_int_equal(clips_name(b.clips, &r, T0)[0] != '\0', i < 3);
    }
    assert_int_equal(clips_counts(b.clips).refused, 2);
    r = alert("c1", "10.0.0.5", NULL);
    assert_string_not_equal(clips_name(b.clips, &r, T0 + 61 * NSEC_S), "");
    close_bench(&b);
}

/* The oldest files go; what is not ours stays. */
static void the_folder_is_bounded(void **state)
{
    struct bench b;
    struct record r = alert("new", "10.0.0.5", NULL);
    char path[400];
    uint8_t first[32];

    (void)state;
    open_bench(&b);
    for (int i = 0; i < 4; i++) {
        FILE *f;

        snprintf(path, sizeof path, "%s/%s%d.pcap", b.policy.path,
                 i < 3 ? "sealdns-2020010" : "mine", i);
        f = fopen(path, "w");
        assert_non_null(f);
        assert_int_equal(ftruncate(fileno(f), 400 << 10), 0);
        fclose(f);
    }
    clips_use_policy(b.clips, &b.policy); /* 1200 KiB of 1 MiB */
    snprintf(path, sizeof path, "%s/sealdns-20200100.pcap", b.policy.path);
    assert_int_equal(access(path, F_OK), -1);
    snprintf(path, sizeof path, "%s/sealdns-20200101.pcap", b.policy.path);
    assert_int_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/mine3.pcap", b.policy.path);
    assert_int_equal(access(path, F_OK), 0);
    frame(b.trails[0], 1, "10.0.0.5", "9.9.9.9", 853);
    assert_string_not_equal(clips_name(b.clips, &r, T0), "");
    clips_work(b.clips, INT64_MAX);
    assert_int_equal(frames_of(&b, "sealdns-20261121T120000.000000-new.pcap", first), 1);
    close_bench(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(frames_of_the_client_and_server_are_kept),
                                       cmocka_unit_test(the_newest_frames_of_many),
                                       cmocka_unit_test(what_asks_for_none_gets_none),
                                       cmocka_unit_test(the_folder_is_bounded)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
