/* The status as `sealdns status --format json` prints it. */
#include "web/web.h"

static char *answer(const json_t *status)
{
    return json_dumps(status, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
}

const struct web_route route_status = {"/api/status", "application/json", false, answer};
