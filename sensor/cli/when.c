#include "cli/when.h"

#include "base/error.h"
#include "engine/gateway.h"

int when_parse(const char *text, nsec_t *out)
{
    nsec_t ago;

    if (duration_parse(text, &ago) != SD_OK)
        return time_parse(text, 0, out);
    *out = clock_now() - ago;
    return SD_OK;
}
