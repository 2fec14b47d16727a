/* Flows that the kernel counts in the sensor's place: capture/ hands them to it, observe/ says
 * which (those of whose payload nothing more is read), engine/ joins the two. */
#ifndef SEALDNS_MODEL_SHUNT_H
#define SEALDNS_MODEL_SHUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

/* Both ends in the order of their addresses as bytes, then of their ports. */
struct shunt_flow {
    struct addr low, high;
    uint16_t low_port, high_port;
    uint16_t vlan; /* innermost, 0: none */
    uint8_t proto;
    uint8_t zero;
};

struct shunt_counts {
    uint64_t packets;
    uint64_t bytes_low, bytes_high; /* that this end sent, whole frames */
    nsec_t last;                    /* of the last packet; 0: there was none */
};

/* Who keeps such flows. */
struct shunt_sink {
    /* From now on its packets stay in the kernel, but FIN, SYN and RST. False: they do not. */
    bool (*put)(void *context, const struct shunt_flow *flow);
    /* *counts: what was kept since put(). False: it is not there. */
    bool (*read)(void *context, const struct shunt_flow *flow, struct shunt_counts *counts);
    /* The same, and they come to us again. */
    bool (*take)(void *context, const struct shunt_flow *flow, struct shunt_counts *counts);
    void *context;
};

#endif
