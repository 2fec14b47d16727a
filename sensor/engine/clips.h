/* Captures of the packets around an alert, as the policy's `evidence.pcap` wants them: the recorder
 * picks the client's frames out of the trails that the capture threads leave, and writes a file
 * that the event names. Off unless asked for.
 * Bounds: max_size octets of files (the oldest go), per_minute files, WAITING alerts at a time. */
#ifndef SEALDNS_ENGINE_CLIPS_H
#define SEALDNS_ENGINE_CLIPS_H

#include "engine/sensor.h"
#include "model/record.h"

struct clips;

/* NULL: no memory. Without trails it never writes anything. */
struct clips *clips_create(struct trail *const *trails, size_t count);
/* Writes what still waits. */
void clips_destroy(struct clips *c);
void clips_use_policy(struct clips *c, const struct policy_evidence *policy);

/* The name of the file that a revision of an event has or gets, "" when it has none; valid until
 * the next call. */
const char *clips_name(struct clips *c, const struct record *r, nsec_t now);
/* Writes the files of alerts that are a moment old: what came right after belongs to them. */
void clips_work(struct clips *c, nsec_t now);

struct clips_counts {
    uint64_t written, failed;
    uint64_t refused; /* alerts beyond per_minute or WAITING */
};
struct clips_counts clips_counts(const struct clips *c);

#endif
