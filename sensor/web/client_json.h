/* A client as the pages have it. */
#ifndef SEALDNS_WEB_CLIENT_JSON_H
#define SEALDNS_WEB_CLIENT_JSON_H

#include "store/search.h"
#include "web/request.h"

json_t *client_json(const struct client_seen *seen);

#endif
