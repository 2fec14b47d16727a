/* The pipe, joined. This is the one place that reads as the drawing in README.md does:
 *
 *   frame -> decode -> classify -> observe ==ring==> account, detect -> decide ==ring==> records
 *
 * `front` is what a capture thread runs, `back` what the engine thread runs. In the sensor a ring
 * stands between them; analyze calls the back directly. Same code, same answers. */
#ifndef SEALDNS_ENGINE_PIPELINE_H
#define SEALDNS_ENGINE_PIPELINE_H

#include <stdbool.h>

#include "account/account.h"
#include "decode/glance.h"
#include "model/bounds.h"
#include "model/frame.h"
#include "model/observation.h"
#include "model/open_event.h"
#include "model/pair.h"
#include "model/policy.h"
#include "model/record.h"
#include "model/shunt.h"
#include "model/stats.h"

struct front;
struct trail;

/* NULL: out of memory, or nDPI did not start. */
struct front *front_create(const struct bounds *bounds, bool tunnels, uint64_t seed,
                           struct observation_sink sink);
void front_destroy(struct front *f);
void front_use_policy(struct front *f, const struct policy *policy);
/* Every frame that is a packet leaves its trail there from now on; NULL: nowhere. */
void front_keep(struct front *f, struct trail *trail);
/* Flows that are decided go there from now on. */
void front_shunt(struct front *f, struct shunt_sink shunt);
void front_frame(struct front *f, const struct frame *frame);
/* Frames up to this are only counted from now on; GLANCE_KEEP: none. */
void front_shed(struct front *f, enum glance level);
void front_tick(struct front *f, nsec_t now);
/* The end of the capture: every flow says what it still has to say. */
void front_flush(struct front *f, nsec_t now);
struct stats *front_stats(struct front *f);

struct back;

struct back_options {
    bool points; /* live: what a second interface or VLAN shows of a packet is not counted again.
                    A capture is counted as it stands */
    const struct bounds *bounds;
    uint64_t seed;
    nsec_t flush; /* conversations go to the sink so often; 0: as an onlooker wants it */
    struct record_sink sink;
    struct pair_sink pairs;      /* put NULL: nothing is cut */
    struct latencies *latencies; /* how long what is observed took; NULL: nobody asks */
};

struct back *back_create(const struct back_options *options, const struct policy *policy,
                         enum mode mode);
void back_destroy(struct back *b);
/* installed: the rules of this policy stand in the kernel. The old policy may be destroyed after.
 */
void back_use_policy(struct back *b, const struct policy *policy, enum mode mode, bool installed);
/* Before the first observation: a piece of what an earlier run learned. */
void back_recall(struct back *b, const struct memory *m);
/* In order of time. Observations are worked on in batches, so that the tables' memory is waited for
 * once a batch; back_tick(), back_flush() and a new hour end a batch. */
void back_observation(struct back *b, const struct observation *o);
/* Where the next observation is best written: from there back_observation() need not copy it. Until
 * the next call of any of these, which may give away the place. */
struct observation *back_room(struct back *b);
void back_tick(struct back *b, nsec_t now);
/* The end: open events become final, the account is told to the sink, and a RECORD_MARK. */
void back_flush(struct back *b, nsec_t now);
/* A finding of the sensor about itself (kinds sensor and enforcement): the same way as the others.
 */
void back_finding(struct back *b, const struct finding *f);
/* Events that are open at the other gateway. */
void back_adopt(struct back *b, const struct open_event_batch *batch, nsec_t now);
const struct account *back_account(const struct back *b);
struct stats *back_stats(struct back *b);

#endif
