/* Makes the captures of the benchmark, the same ones for the same options, and FILE.json that says
 * what is in them. */
#include "generator.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_names[KIND_COUNT] = {"do53-udp", "dot",     "tls",    "quic",
                                                   "other",    "syn-853", "syn-443"};

struct workload {
    const char *name;
    void (*make)(struct generator *g);
    struct plan plan;
};

static const struct workload workloads[] = {
    {"dns", workload_dns, {2000000, 1, 10000, 1, 100000, 8000, 0}},
    {"mix", workload_mix, {2000000, 1, 2000, 2, 20000, 0, 2500}},
    {"flood", workload_flood_dns, {2000000, 1, 0, 1, 100000, 50000, 0}},
    {"flood-syn", workload_flood_syn, {2000000, 1, 0, 1, 1, 50000, 0}},
    {"flood-hash", workload_flood_hash, {2000000, 1, 0, 1, 100000, 50000, 0}},
    {"flood-fragments", workload_flood_fragments, {2000000, 1, 0, 1, 100000, 50000, 0}},
    {"dot", workload_dot, {2000000, 1, 2000, 2, 1, 0, 2500}},
};

static void pairs_grow(struct pairs *pairs)
{
    struct pairs bigger = {.mask = pairs->slots == NULL ? 0xffff : 2 * pairs->mask + 1};
    bigger.slots = calloc(bigger.mask + 1, sizeof *bigger.slots);
    if (bigger.slots == NULL) {
        err(1, "out of memory");
    }
    for (uint64_t i = 0; pairs->slots != NULL && i <= pairs->mask; i++) {
        uint64_t key = pairs->slots[i], at = random_mix(key) & bigger.mask;
        for (; key != 0 && bigger.slots[at] != 0; at = (at + 1) & bigger.mask) {
        }
        if (key != 0) {
            bigger.slots[at] = key;
        }
    }
    bigger.used = pairs->used;
    free(pairs->slots);
    *pairs = bigger;
}

void count_flow(struct generator *g, enum kind kind, const struct hop *hop)
{
    struct pairs *pairs = &g->pairs;
    if (pairs->slots == NULL || 2 * pairs->used > pairs->mask) {
        pairs_grow(pairs);
    }
    g->tally[kind].flows++;
    /* a fixed mixing is one to one, so different conversations have different keys but for chance
     * of 2^-64 */
    uint64_t key = random_mix((uint64_t)hop->source << 32 | hop->destination) + kind + 1;
    uint64_t at = random_mix(key) & pairs->mask;
    for (; pairs->slots[at] != 0; at = (at + 1) & pairs->mask) {
        if (pairs->slots[at] == key) {
            return;
        }
    }
    pairs->slots[at] = key;
    pairs->used++;
    g->tally[kind].conversations++;
}

void count_packet(struct generator *g, enum kind kind)
{
    g->tally[kind].packets++;
}

uint32_t client_address(uint32_t number)
{
    return 0x0a000000U | ((number + 257) & 0xffffffU);
}

uint32_t resolver_address(uint32_t number)
{
    return 0xcb007100U | ((53 + number) & 0xffU);
}

uint16_t ephemeral_port(struct random *r)
{
    return (uint16_t)(32768 + random_below(r, 28232));
}

static void write_tally(FILE *out, const struct tally *tally, const char *name)
{
    fprintf(
        out,
        "    \"%s\": {\"packets\": %" PRIu64 ", \"flows\": %" PRIu64 ", \"conversations\": %" PRIu64
        ", \"queries\": %" PRIu64 ", \"responses\": %" PRIu64 "}",
        name, tally->packets, tally->flows, tally->conversations, tally->queries, tally->responses);
}

static void write_manifest(const struct generator *g, const char *workload, const char *capture)
{
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s.json", capture) >= sizeof path) {
        errx(1, "%s: too long a name", capture);
    }
    FILE *out = fopen(path, "w");
    if (out == NULL) {
        err(1, "%s", path);
    }
    fprintf(out,
            "{\"workload\": \"%s\", \"seed\": %" PRIu64 ", \"packets\": %" PRIu64
            ", \"bytes\": %" PRIu64 ",\n \"first_us\": %" PRIu64 ", \"last_us\": %" PRIu64
            ",\n \"dns\": {\"queries\": %" PRIu64 ", \"responses\": %" PRIu64
            ", \"malformed\": 0},\n \"malformed\": %" PRIu64
            ",\n \"counters\": {\"fragments\": %" PRIu64 ", \"fragments_joined\": %" PRIu64
            ", \"fragments_dropped\": %" PRIu64 "},\n \"transports\": {\n",
            workload, g->plan.seed, g->wire.packets, g->wire.bytes, g->wire.first_us,
            g->wire.last_us, g->tally[KIND_DO53].queries, g->tally[KIND_DO53].responses,
            g->fragments.overlaps, g->fragments.sent, g->fragments.whole,
            g->fragments.sent - g->fragments.of_whole);
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        write_tally(out, &g->tally[kind], kind_names[kind]);
        fputs(kind + 1 < KIND_COUNT ? ",\n" : "},\n", out);
    }
    /* Nothing here fails and then goes on in clear text. Without a policy no resolver is approved,
     * so every query in clear text and every flow to 853 is counted in some event. */
    fprintf(out,
            " \"events\": {\"downgrade\": 0, \"cleartext\": %" PRIu64
            ", \"unapproved-resolver\": %" PRIu64 "}}\n",
            g->tally[KIND_DO53].queries, g->tally[KIND_DOT].flows + g->tally[KIND_SYN_853].flows);
    if (fclose(out) != 0) {
        err(1, "%s", path);
    }
}

static const struct workload *find_workload(const char *name)
{
    for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; i++) {
        if (strcmp(workloads[i].name, name) == 0) {
            return &workloads[i];
        }
    }
    errx(2, "%s: no such workload; see tests/bench/README.md", name);
}

static uint64_t number_option(const char *text)
{
    char *end;
    uint64_t value = strtoull(text, &end, 10);
    if (*text == '\0' || *end != '\0' || value == 0) {
        errx(2, "%s: a number above zero would be right", text);
    }
    return value;
}

static void read_options(int argc, char **argv, struct plan *plan)
{
    static const struct option options[] = {
        {"packets", required_argument, NULL, 'p'},  {"seed", required_argument, NULL, 's'},
        {"clients", required_argument, NULL, 'c'},  {"resolvers", required_argument, NULL, 'r'},
        {"names", required_argument, NULL, 'n'},    {"rate", required_argument, NULL, 'q'},
        {"transfer", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t value = option == '?' ? 0 : number_option(optarg);
        switch (option) {
        case 'p':
            plan->packets = value;
            break;
        case 's':
            plan->seed = value;
            break;
        case 'c':
            plan->clients = (uint32_t)value;
            break;
        case 'r':
            plan->resolvers = (uint32_t)value;
            break;
        case 'n':
            plan->names = (uint32_t)value;
            break;
        case 'q':
            plan->rate = (double)value;
            break;
        case 't':
            plan->transfer = (uint32_t)value;
            break;
        default:
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        errx(2,
             "usage: generate WORKLOAD FILE [--packets N] [--seed N] [--clients N] [--resolvers N] "
             "[--names N] [--rate N] [--transfer BYTES]");
    }
    const struct workload *workload = find_workload(argv[1]);
    struct generator g = {.plan = workload->plan};
    read_options(argc - 2, argv + 2, &g.plan);
    random_seed(&g.random, g.plan.seed);
    zipf_create(&g.names, g.plan.names, 0.9);
    wire_open(&g.wire, argv[2]);
    workload->make(&g);
    wire_close(&g.wire);
    write_manifest(&g, workload->name, argv[2]);
    zipf_destroy(&g.names);
    free(g.pairs.slots);
    return 0;
}
