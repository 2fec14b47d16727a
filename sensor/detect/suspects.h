/* What a client asks below one registrable domain, kept for as long as new names come. A bounded
 * table, seeded; a full bucket gives up what brought the fewest new names lately, so that a flood
 * of names or domains that each come once pushes out its own kind and not a tunnel.
 * Worst case in bytes: capacity * (sizeof(struct suspect) + 8). */
#ifndef SEALDNS_DETECT_SUSPECTS_H
#define SEALDNS_DETECT_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

enum { SUSPECT_GAPS = 20, SUSPECT_ALL = UINT32_MAX };

struct suspect_key {
    uint64_t domain; /* note.domain_hash */
    uint32_t who;    /* note.who; SUSPECT_ALL: all clients together */
    uint32_t tenure; /* note.tenure; 0 with SUSPECT_ALL */
};

/* Counts of a window and the one before it. */
struct suspect_span {
    uint32_t number;
    uint32_t names, octets;
    uint32_t names_before, octets_before;
};

struct suspect {
    struct suspect_key key; /* first */
    struct addr client;     /* the address it was first seen with; zero with SUSPECT_ALL */
    nsec_t first, last;     /* new names */
    nsec_t answered;        /* the last answer */
    nsec_t run_first;       /* of the stream of new names that goes on */
    struct suspect_span minutes, hour;
    /* Of new names; halved with each hour. octets: information. */
    uint32_t names, octets, coded_octets, odd, exotic, carrier, service, long_labels;
    uint32_t name_octets; /* of whole names, in wire form */
    uint32_t prompt;      /* came at once after an answer */
    uint32_t repeats;     /* queries for names that were known; counted once it matters */
    /* Of answers, likewise once it matters. */
    uint32_t answers, verdicts, failures;
    float extra, extra_squared; /* octets behind the question */
    uint32_t run_best_s;
    uint32_t second, second_names, second_best; /* the densest second */
    uint32_t clients;                           /* bits, by their place: how many, about */
    uint16_t types;                             /* bits of enum suspect_type */
    uint16_t session;                           /* what may be dnscat2's */
    uint8_t session_votes;
    uint8_t longest_label, longest_name;
    uint8_t evenness;            /* hundredths, of the latest coded name */
    uint8_t tool;                /* enum tunnel_tool */
    uint8_t score;               /* when it was told last; 0: not */
    uint8_t gap_count;           /* of gaps, the latest at gap_count % SUSPECT_GAPS - 1 */
    uint16_t gaps[SUSPECT_GAPS]; /* between new names, in 0.1 s */
};

struct suspects;

/* NULL: no memory. */
struct suspects *suspects_create(size_t capacity, uint64_t seed);
void suspects_destroy(struct suspects *s);
size_t suspects_bytes(const struct suspects *s);
void suspects_prefetch(const struct suspects *s, const struct suspect_key *key);
/* NULL: there is none, or it brought fewer names than that lately. */
struct suspect *suspects_find(struct suspects *s, const struct suspect_key *key, unsigned names);
/* For a new name: the suspect, zero but for its key when it is new. *names: how many it brought
 * lately, as suspects_find() takes it. */
struct suspect *suspects_at(struct suspects *s, const struct suspect_key *key, nsec_t now,
                            unsigned *names);
uint64_t suspects_evicted(const struct suspects *s);

#endif
