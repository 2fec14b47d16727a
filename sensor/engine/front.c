#include <stdlib.h>

#include "base/error.h"
#include "base/trail.h"
#include "classify/classify.h"
#include "decode/decode.h"
#include "engine/pipeline.h"
#include "observe/observe.h"

struct front {
    struct decoder *decoder;
    struct classifier *classifier;
    struct observer *observer;
    struct trail *trail;
    enum glance shed;
    struct stats stats;
};

struct front *front_create(const struct bounds *bounds, bool tunnels, uint64_t seed,
                           struct observation_sink sink)
{
    struct observer_limits limits = {.flows = bounds->flows,
                                     .transactions = bounds->transactions,
                                     .stream_bytes = bounds->streams};
    struct front *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->decoder = decoder_create(tunnels, seed, bounds->fragments);
    f->classifier = classifier_create();
    if (f->classifier)
        f->observer = observer_create(&limits, &classifier_ops, f->classifier, sink, seed);
    if (!f->decoder || !f->observer) {
        front_destroy(f);
        return NULL;
    }
    return f;
}

void front_destroy(struct front *f)
{
    if (!f)
        return;
    observer_destroy(f->observer);
    classifier_destroy(f->classifier);
    decoder_destroy(f->decoder);
    free(f);
}

void front_use_policy(struct front *f, const struct policy *policy)
{
    observer_use_policy(f->observer, policy);
}

void front_keep(struct front *f, struct trail *trail)
{
    f->trail = trail;
}

void front_shunt(struct front *f, struct shunt_sink shunt)
{
    observer_use_shunt(f->observer, shunt);
}

static void keep(struct trail *trail, const struct frame *frame, const struct packet *p)
{
    struct trail_frame kept = {.time = frame->time,
                               .captured = frame->captured,
                               .length = frame->length,
                               .linktype = frame->linktype,
                               .sport = p->sport,
                               .dport = p->dport,
                               .proto = p->proto,
                               .src = p->src,
                               .dst = p->dst};

    trail_put(trail, &kept, frame->bytes);
}

void front_shed(struct front *f, enum glance level)
{
    f->shed = level;
}

static bool leaves_out(struct front *f, const struct frame *frame)
{
    enum glance g = glance(frame);

    if (g == GLANCE_KEEP || g > f->shed)
        return false;
    f->stats.shed_443 += g == GLANCE_443;
    f->stats.shed_853 += g == GLANCE_853;
    return true;
}

void front_frame(struct front *f, const struct frame *frame)
{
    struct packet packet;

    f->stats.packets++;
    f->stats.bytes += frame->length;
    if (f->shed && leaves_out(f, frame))
        return;
    if (decode_frame(f->decoder, frame, &packet, &f->stats) != SD_OK)
        return;
    if (f->trail)
        keep(f->trail, frame, &packet);
    observer_packet(f->observer, &packet, &f->stats);
}

void front_tick(struct front *f, nsec_t now)
{
    observer_tick(f->observer, now, &f->stats);
}

void front_flush(struct front *f, nsec_t now)
{
    decoder_finish(f->decoder, &f->stats);
    observer_flush(f->observer, now, &f->stats);
}

struct stats *front_stats(struct front *f)
{
    return &f->stats;
}
