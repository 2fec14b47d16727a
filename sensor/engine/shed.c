#include "engine/shed.h"

/* A step back that lasted less than this was too early. */
#define SETTLED (10 * NSEC_S)

static void raise(struct shed *s, nsec_t now)
{
    bool early = s->lowered && now - s->lowered < SETTLED;

    s->patience = early ? 2 * s->patience : SHED_CALM;
    if (s->patience > SHED_MOST)
        s->patience = SHED_MOST;
    s->lowered = 0;
    s->raised = now;
    s->level++;
}

bool shed_look(struct shed *s, unsigned fill, bool lost, nsec_t now)
{
    if (fill >= SHED_FULL || lost) {
        s->calm = 0;
        if (s->level == GLANCE_853 || !time_passed(s->raised, SHED_STEP, now))
            return false;
        raise(s, now);
        return true;
    }
    if (s->level == GLANCE_KEEP || fill >= SHED_ROOM) {
        s->calm = 0;
        return false;
    }
    if (!s->calm)
        s->calm = now;
    if (!time_passed(s->calm, s->patience, now))
        return false;
    s->calm = s->lowered = now;
    s->level--;
    return true;
}

unsigned backlog_fill(struct backlog *b, uint64_t received, bool drained, uint64_t size,
                      uint64_t ring)
{
    uint64_t waiting = received > b->read + b->ahead ? received - b->read - b->ahead : 0, octets;

    if (drained) {
        b->ahead = received > b->read ? received - b->read : 0;
        return 0;
    }
    octets = waiting * size;
    return octets >= ring ? 1000 : (unsigned)(octets * 1000 / ring);
}
