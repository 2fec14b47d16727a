#include "model/open_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "model/names.h"

#define AHEAD (3600 * NSEC_S)

bool open_event_is_sound(const struct open_event *e, nsec_t now)
{
    static const uint8_t zero[sizeof e->zero];

    return e->id != 0 && e->revision > 0 && e->revision < UINT32_MAX / 2 &&
           e->count <= INT64_MAX / 2 && e->state < STATE_COUNT && e->first > 0 &&
           e->first <= e->last && e->last <= now + AHEAD && memcmp(e->zero, zero, sizeof zero) == 0;
}

bool open_event_of(const struct event *e, struct open_event *out)
{
    const struct finding *f = &e->finding;
    char *end;

    if (f->kind == KIND_SENSOR || f->kind == KIND_ENFORCEMENT)
        return false;
    *out = (struct open_event){.rule = hash_bytes(f->rule, strnlen(f->rule, sizeof f->rule), 0),
                               .key = f->key,
                               .id = strtoull(e->id, &end, 16),
                               .count = e->count,
                               .first = e->first,
                               .last = e->last,
                               .revision = e->revision,
                               .state = e->state};
    return *end == '\0' && out->id != 0;
}
