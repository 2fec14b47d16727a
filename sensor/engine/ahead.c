#include "engine/ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "engine/relay.h"

#define OCTETS (1 << 20) /* of frames, at a time */

struct ahead {
    struct capture_frames from;
    struct relay *relay;
    pthread_t thread;
    int status; /* why it ended; the relay's end tells when it may be read */
};

struct item {
    struct frame frame; /* its bytes follow */
    uint8_t bytes[];
};

static void *read_frames(void *context)
{
    struct ahead *a = context;
    struct frame frame;

    while ((a->status = a->from.next(a->from.of, &frame)) == SD_OK) {
        struct item *item = relay_put(a->relay, sizeof *item + frame.captured);

        if (!item) {
            a->status = SD_EMEM; /* or nobody asks any more */
            break;
        }
        item->frame = frame;
        memcpy(item->bytes, frame.bytes, frame.captured);
    }
    relay_end(a->relay);
    return NULL;
}

static void *start(struct capture_frames from)
{
    struct ahead *a = calloc(1, sizeof *a);

    if (!a)
        return NULL;
    a->from = from;
    a->relay = relay_create(OCTETS);
    if (a->relay && pthread_create(&a->thread, NULL, read_frames, a) == 0)
        return a;
    relay_destroy(a->relay);
    free(a);
    return NULL;
}

static int next(void *ahead, struct frame *out)
{
    struct ahead *a = ahead;
    const struct item *item = relay_take(a->relay);

    if (!item)
        return a->status;
    *out = item->frame;
    out->bytes = item->bytes;
    return SD_OK;
}

static void stop(void *ahead)
{
    struct ahead *a = ahead;

    relay_leave(a->relay);
    pthread_join(a->thread, NULL);
    relay_destroy(a->relay);
    free(a);
}

const struct capture_ahead reading_ahead = {true, start, next, stop};
