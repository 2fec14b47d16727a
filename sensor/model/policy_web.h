/* The HTTP side: who may ask, and how. A plain value. */
#ifndef SEALDNS_MODEL_POLICY_WEB_H
#define SEALDNS_MODEL_POLICY_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

enum { WEB_VIEWERS = 8, WEB_HOSTS = 4 };

struct policy_web {
    bool off;
    struct addr address;
    uint16_t port;
    char token[256]; /* file: its first line is the bearer token; "": none is asked for */
    char certificate[256], key[256]; /* PEM files; "": in clear */
    struct web_viewer_wish {
        char token[256]; /* a file as above */
        bool clients;    /* may see who is who */
    } viewers[WEB_VIEWERS];
    size_t viewer_count;
    char hosts[WEB_HOSTS]
              [256];     /* names it may be asked by on loopback, beside localhost; "" none */
    char client_ca[256]; /* whose certificates clients must have; "": they need none */
};

#endif
