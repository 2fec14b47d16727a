/* features CAPTURE [SESSION]: how each TLS or QUIC flow of a capture behaves, one line of CSV for
 * each FLOW_BEHAVIOUR, and one for each flow that ended as bulk, or undecided. tests/doh/README.md
 * says what the columns are. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "capture/capture.h"
#include "engine/pipeline.h"

#define TICK (100 * NSEC_MS)

enum { MOST_TICKS = 1000 }; /* over one silence */

struct run {
    struct front *front;
    const char *session;
    nsec_t ticked; /* 0: nothing came yet */
};

static const char *outcome_of(const struct observation *o)
{
    if (o->flow.phase == FLOW_BEHAVIOUR)
        return "behaviour";
    return o->flow.bulky ? "bulk" : "end";
}

static void put_observation(void *context, struct observation *o)
{
    struct run *r = context;
    char client[ADDR_TEXT], server[ADDR_TEXT];

    if (o->kind != OBSERVE_FLOW ||
        (o->transport != TRANSPORT_TLS && o->transport != TRANSPORT_QUIC))
        return;
    if (o->flow.phase != FLOW_BEHAVIOUR && o->flow.phase != FLOW_CLOSED)
        return;
    printf("%s,%s,%" PRId64 ",%" PRIx64 ",%s,%s,%u,%s", r->session, outcome_of(o),
           o->time / NSEC_MS, o->flow_id, addr_text(&o->client, client),
           addr_text(&o->server, server), o->server_port, o->flow.tls.sni);
    for (int i = 0; i < FEATURE_COUNT; i++)
        printf(",%" PRId32, o->flow.behaviour.feature[i]);
    putchar('\n');
}

static void put_frame(void *context, const struct frame *frame)
{
    struct run *r = context;

    if (!r->ticked)
        r->ticked = frame->time;
    for (int i = 0; i < MOST_TICKS && frame->time - r->ticked >= TICK; i++)
        front_tick(r->front, r->ticked += TICK);
    if (frame->time > r->ticked)
        r->ticked = frame->time;
    front_frame(r->front, frame);
}

static void print_head(void)
{
    printf("session,outcome,time_ms,flow,client,server,port,sni");
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        printf(",%s", feature_name(i));
    putchar('\n');
}

int main(int argc, char **argv)
{
    struct run r = {.session = argc > 2 ? argv[2] : "0"};
    char error[CAPTURE_ERROR];
    struct capture *c = NULL;
    int got;

    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: features CAPTURE [SESSION]\n");
        return 2;
    }
    if (capture_files_open(argv + 1, 1, NULL, &c, error) != SD_OK) {
        fprintf(stderr, "features: %s\n", error);
        return 1;
    }
    r.front = front_create(bounds_of(PROFILE_STANDARD), true, 1,
                           (struct observation_sink){.put = put_observation, .context = &r});
    if (!r.front)
        return 1;
    print_head();
    do
        got = c->ops->read(c, put_frame, &r);
    while (got > 0 || got == SD_EAGAIN);
    front_flush(r.front, r.ticked);
    front_destroy(r.front);
    c->ops->destroy(c);
    return got == SD_EEND || got == 0 ? 0 : 1;
}
