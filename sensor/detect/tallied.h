/* What detectors have in common whose findings repeat: policy, sink and a tally of their own items.
 * A detector's state begins with struct tallied and lends these functions to its struct detector.
 */
#ifndef SEALDNS_DETECT_TALLIED_H
#define SEALDNS_DETECT_TALLIED_H

#include "detect/detect.h"
#include "detect/tally.h"

struct tallied {
    const char *rule;
    const struct policy *policy;
    struct finding_sink sink;
    struct stats *stats;
    struct tally *tally;
};

struct tallied_shape {
    const char *rule;  /* its idle_s says when an event ends */
    size_t state_size; /* of the detector's own struct, which begins with struct tallied */
    size_t item_size;  /* of its items, which begin with struct tally_item */
    size_t capacity;   /* items at most */
    /* Says item->pending things; context is the detector's state. */
    void (*tell)(void *context, struct tally_item *item, nsec_t now);
};

/* The state, zero but for the head. NULL: no memory. */
void *tallied_create(const struct tallied_shape *shape, const struct detector_setup *setup);
void tallied_destroy(void *state);
/* For a detector without thresholds of its own; others call it first. Reads idle_s. */
void tallied_use_policy(void *state, const struct policy *policy);
void tallied_tick(void *state, nsec_t now);
void tallied_flush(void *state, nsec_t now);
size_t tallied_bytes(const void *state);
void tallied_say(struct tallied *t, struct finding *f);

#endif
