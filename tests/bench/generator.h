/* What every workload gets, and the account it keeps of what it made: the manifest that a run is
 * checked against. */
#ifndef BENCH_GENERATOR_H
#define BENCH_GENERATOR_H

#include "random.h"
#include "wire.h"

#include <stdint.h>

#define BENCH_START_US 1767225600000000U /* 2026-01-01 00:00:00 UTC */

enum kind {
    KIND_DO53,
    KIND_DOT,
    KIND_TLS,
    KIND_QUIC,
    KIND_OTHER,
    KIND_SYN_853,
    KIND_SYN_443,
    KIND_COUNT
};

struct plan {
    uint64_t packets;
    uint64_t seed;
    uint32_t clients;
    uint32_t resolvers;
    uint32_t names;
    double rate;       /* of queries a second, where the workload has one */
    uint32_t transfer; /* bytes of the smallest answer of the web */
};

struct tally {
    uint64_t packets;
    uint64_t flows;
    uint64_t conversations; /* distinct client, server, port */
    uint64_t queries;
    uint64_t responses;
};

/* Distinct pairs of a client and a server, for each kind. */
struct pairs {
    uint64_t *slots;
    uint64_t used;
    uint64_t mask;
};

/* What was sent in pieces; whole datagrams are queries. */
struct fragments {
    uint64_t sent;
    uint64_t whole;
    uint64_t of_whole; /* pieces of whole datagrams */
    uint64_t overlaps;
};

struct generator {
    struct plan plan;
    struct wire wire;
    struct random random;
    struct zipf names;
    struct pairs pairs;
    struct tally tally[KIND_COUNT];
    struct fragments fragments;
};

/* Counts a flow, and its conversation when it is a new one. */
void count_flow(struct generator *g, enum kind kind, const struct hop *hop);
void count_packet(struct generator *g, enum kind kind);

/* 10.0.0.0/8; distinct for distinct numbers below 2^24. */
uint32_t client_address(uint32_t number);
/* 203.0.113.53 and its neighbours: the clear-text resolvers. */
uint32_t resolver_address(uint32_t number);
uint16_t ephemeral_port(struct random *r);

void workload_dns(struct generator *g);
void workload_mix(struct generator *g);
void workload_flood_dns(struct generator *g);
void workload_flood_syn(struct generator *g);
void workload_flood_hash(struct generator *g);
void workload_flood_fragments(struct generator *g);
void workload_dot(struct generator *g);

#endif
