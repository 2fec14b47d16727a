/* For whoever only wants to know whether it lives. */
#include <string.h>

#include "web/web.h"

static char *answer(const json_t *status)
{
    (void)status;
    return strdup("ok\n");
}

const struct web_route route_health = {"/healthz", "text/plain; charset=utf-8", true, answer};
