/* What the files of web/ share of the server itself. */
#ifndef SEALDNS_WEB_INSIDE_H
#define SEALDNS_WEB_INSIDE_H

#include <microhttpd.h>

#include "web/access.h"
#include "web/stream.h"
#include "web/web.h"

struct web {
    struct MHD_Daemon *daemon;
    struct web_source source;
    struct access access;
    struct streams streams;
    bool secure; /* over TLS */
    char *certificate, *key, *client_ca;
};

#endif
