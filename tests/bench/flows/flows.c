/* What a tracked flow takes after its verdict. A TLS flow of the gateway mix is taken out of a
 * capture, and seen again from as many clients as are asked for, each with an address of its own,
 * up to where nothing more is read of it; none of them ends. Printed: bytes a flow (record and its
 * share of the index), and how much memory of the process that made resident. Exit status 1: more
 * than 128 bytes a flow or more than 160 MB, or a flow was lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "capture/capture.h"
#include "classify/classify.h"
#include "decode/decode.h"
#include "observe/flows.h"

enum { PACKETS = 256, PORT = 443, MOST_BYTES = 128, MOST_MB = 160, SEED = 1 };

struct bench {
    struct decoder *decoder;
    struct stats stats;
    struct packet packets[PACKETS];
    size_t count;
};

static void ignore(void *context, struct observation *o)
{
    (void)context;
    (void)o;
}

static bool belongs(const struct bench *b, const struct packet *p)
{
    const struct packet *first = b->packets;

    return (p->sport == first->sport && addr_equal(&p->src, &first->src)) ||
           (p->dport == first->sport && addr_equal(&p->dst, &first->src));
}

/* The first connection to port 443 that brings its client more than a page. */
static void take(void *context, const struct frame *frame)
{
    struct bench *b = context;
    struct packet *p = &b->packets[b->count];
    uint8_t *payload;

    if (b->count == PACKETS || decode_frame(b->decoder, frame, p, &b->stats) != SD_OK ||
        p->proto != IP_PROTO_TCP)
        return;
    if (b->count == 0 ? p->dport != PORT || p->tcp_flags != TCP_SYN : !belongs(b, p))
        return;
    if (p->tcp_flags & (TCP_FIN | TCP_RST)) {
        b->count = 0; /* too short a flow: another */
        return;
    }
    payload = malloc(p->payload_length + 1);
    if (!payload)
        exit(1);
    memcpy(payload, p->payload, p->payload_length);
    p->payload = payload;
    b->count++;
}

static int read_flow(struct bench *b, char *path)
{
    char error[CAPTURE_ERROR] = "";
    struct capture *c;
    int got, status = capture_files_open(&path, 1, NULL, &c, error);

    if (status != SD_OK) {
        fprintf(stderr, "flows: %s\n", error);
        return status;
    }
    b->decoder = decoder_create(true, SEED, 0);
    do
        got = c->ops->read(c, take, b);
    while ((got > 0 || got == SD_EAGAIN) && b->count < PACKETS);
    c->ops->destroy(c);
    return b->count == PACKETS ? SD_OK : SD_EFORMAT;
}

static double resident_mb(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    unsigned long size, resident = 0;

    if (f && fscanf(f, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static void play(struct bench *b, struct observer *o, uint32_t number)
{
    const uint8_t bytes[4] = {11, (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
    struct addr client = addr_v4(bytes);

    for (size_t i = 0; i < b->count; i++) {
        struct packet p = b->packets[i];

        *(p.dport == PORT ? &p.src : &p.dst) = client;
        p.time = b->packets[0].time + (nsec_t)number * 100 * NSEC_US;
        observer_packet(o, &p, &b->stats);
        if (i > 2 && o->cold.live == 0)
            return; /* its verdict has come */
    }
}

int main(int argc, char **argv)
{
    struct bench b = {.count = 0};
    size_t flows = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
    struct observer_limits limits = {.flows = flows};
    struct classifier *classifier = classifier_create();
    struct observer *o;
    double before, share, took;

    if (argc != 3 || flows == 0 || flows > 1 << 24) {
        fprintf(stderr, "usage: flows CAPTURE FLOWS\n");
        return 2;
    }
    if (!classifier || read_flow(&b, argv[1]) != SD_OK) {
        fprintf(stderr, "flows: no connection of %d packets in it\n", PACKETS);
        return 1;
    }
    o = observer_create(&limits, &classifier_ops, classifier,
                        (struct observation_sink){.put = ignore, .context = &b}, SEED);
    if (!o)
        return 1;
    before = resident_mb();
    for (size_t i = 0; i < flows; i++)
        play(&b, o, (uint32_t)i);
    took = resident_mb() - before;
    share = (double)(flows * sizeof(struct flow) + o->flows.slots * sizeof *o->flows.index) /
            (double)flows;
    printf("%zu flows after their verdict: %.1f bytes each, %zu with payload still read, %.1f MB "
           "resident (%.1f the process), %llu evicted\n",
           o->flows.count, share, o->cold.live, took, took + before,
           (unsigned long long)b.stats.flows_evicted);
    return o->flows.count == flows && o->cold.live == 0 && b.stats.flows_evicted == 0 &&
                   share <= MOST_BYTES && took + before <= MOST_MB
               ? 0
               : 1;
}
