/* Who asks, and what for: the first question of every page. */
#include "web/inside.h"

static enum MHD_Result answer(const struct web_request *q)
{
    json_t *status = q->source->status(q->source->context);
    const json_t *name = json_object_get(status, "name"), *mode = json_object_get(status, "mode");
    json_t *me = json_pack("{s:s,s:O?,s:O?,s:s,s:b,s:b,s:b}", "version", SEALDNS_VERSION, "host",
                           name, "mode", mode, "role", q->viewer->clients ? "analyst" : "auditor",
                           "clients", q->viewer->clients, "login", q->web->access.asked, "report",
                           q->source->report != NULL);

    json_decref(status);
    return web_json(q, MHD_HTTP_OK, me);
}

const struct web_route route_me = {"/api/me", .answer = answer};
