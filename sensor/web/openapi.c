/* The description of all this. */
#include "web/inside.h"

static enum MHD_Result answer(const struct web_request *q)
{
    return web_send_file(q, web_file_of("/openapi.yaml"));
}

const struct web_route route_openapi = {"/api/openapi.yaml", .open = true, .answer = answer};
