/* The document itself. */
#include "base/error.h"
#include "report/report.h"

static int write_json(const json_t *report, FILE *to)
{
    int failed = json_dumpf(report, to, JSON_INDENT(1) | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);

    return failed || fputc('\n', to) == EOF ? SD_EIO : SD_OK;
}

const struct report_format report_format_json = {"json", "application/json", "json", write_json};
