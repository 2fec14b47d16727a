/* The HTTP side: who may ask, and how. A plain value. */
#ifndef SEALDNS_MODEL_POLICY_WEB_H
#define SEALDNS_MODEL_POLICY_WEB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"

struct policy_web {
    bool off;
    struct addr address;
    uint16_t port;
    char token[256]; /* file: its first line is the bearer token; "": none is asked for */
    char certificate[256], key[256]; /* PEM files; "": in clear */
    char client_ca[256];             /* whose certificates clients must have; "": they need none */
};

#endif
