/* What the policy wants kept of the packets themselves. A plain value. */
#ifndef SEALDNS_MODEL_POLICY_EVIDENCE_H
#define SEALDNS_MODEL_POLICY_EVIDENCE_H

#include <stdint.h>

#include "model/names.h"

/* Captures of the packets around an alert. */
struct policy_evidence {
    char path[256]; /* of the folder; "": none are written */
    uint64_t ring;  /* octets of frames that an interface keeps */
    uint64_t max_size;
    uint32_t snap;                  /* octets of a frame */
    uint32_t per_event, per_minute; /* packets of a file; files */
    enum severity severity;         /* this and graver */
};

#endif
