/* What the policy wants written of queries, and how clients are named in what is written. */
#ifndef SEALDNS_MODEL_POLICY_PRIVACY_H
#define SEALDNS_MODEL_POLICY_PRIVACY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "model/names.h"

struct policy_query_log {
    enum query_mode mode;
    uint32_t sample; /* sampled: one in so many pairs of client and name */
    nsec_t interval; /* aggregated: a line stands for so long */
    enum client_form clients;
    enum name_form names;
    bool answers;
    bool store;
    bool some_zones; /* those whose `logged` is set; else all */
    nsec_t retention;
};

struct policy_privacy {
    enum client_form clients; /* plain or pseudonym */
    uint32_t in;              /* bits 1 << enum privacy_place */
    nsec_t rotate;
    char key[256]; /* file of base/pseudonym.h; "": none */
};

#endif
