/* What the sensor tells of what it left out (engine/shed.h): an event when it cannot keep up, which
 * grows, and one when all is looked at again, each with the numbers from the beginning on. */
#ifndef SEALDNS_ENGINE_OVERLOAD_H
#define SEALDNS_ENGINE_OVERLOAD_H

#include "engine/sensor.h"
#include "model/finding.h"

/* Plain memory, zeroed. */
struct overload {
    nsec_t from, told;           /* from 0: nothing is left out */
    uint64_t port_443, port_853; /* frames left out before that */
    uint64_t kernel_drops;
};

/* Looks at the board; true: *f is to be told now. */
bool overload_look(struct overload *o, const struct wiring *w, nsec_t now, struct finding *f);

#endif
