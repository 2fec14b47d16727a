/* The description of all this. */
#include "web/files.h"
#include "web/request.h"

static enum MHD_Result answer(const struct web_request *q)
{
    return web_file_answer(q->connection, web_file_at("/openapi.yaml"));
}

const struct web_route route_openapi = {"/api/openapi.yaml", .open = true, .answer = answer};
