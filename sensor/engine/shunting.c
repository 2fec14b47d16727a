#include "engine/shunting.h"

#include <time.h>

#include "base/error.h"
#include "capture/capture.h"
#include "capture/shunt.h"
#include "engine/gateway.h"

static bool put(void *context, const struct shunt_flow *flow)
{
    return shunt_put(context, flow) == SD_OK;
}

/* The kernel's clock is not ours. */
static void translate_time(struct shunt_counts *counts)
{
    struct timespec t;

    if (counts->last != 0 && clock_gettime(CLOCK_MONOTONIC, &t) == 0)
        counts->last = clock_now() - (t.tv_sec * NSEC_S + t.tv_nsec - counts->last);
}

static bool look(void *context, const struct shunt_flow *flow, struct shunt_counts *counts)
{
    if (shunt_read(context, flow, counts) != SD_OK)
        return false;
    translate_time(counts);
    return true;
}

static bool take(void *context, const struct shunt_flow *flow, struct shunt_counts *counts)
{
    if (shunt_take(context, flow, counts) != SD_OK)
        return false;
    translate_time(counts);
    return true;
}

struct shunt_sink shunting_sink(struct capture *c, const char **why)
{
    struct shunt *s = capture_live_shunt(c);
    struct shunt_sink sink = {put, look, take, s};

    *why = s ? "" : capture_live_unshunted(c);
    if (s && shunt_try(s) != SD_OK) {
        *why = "this kernel, or what confines us, lets only the privileged use the map";
        s = NULL;
    }
    return s ? sink : (struct shunt_sink){.put = NULL};
}

void shunting_show(const struct capture *c, struct stats *s)
{
    struct shunt *shunt = capture_live_shunt(c);
    struct shunt_total total;

    if (!shunt || shunt_total(shunt, &total) != SD_OK)
        return;
    s->shunted_packets = total.packets;
    s->shunted_bytes = total.bytes;
}
