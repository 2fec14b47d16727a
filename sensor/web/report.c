/* The compliance report of a period, as `sealdns report` makes it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "web/request.h"

#define DAY (86400 * NSEC_S)

static const struct report_type {
    const char *format, *type, *suffix;
} types[] = {
    {"html", "text/html; charset=utf-8", "html"}, {"pdf", "application/pdf", "pdf"},
    {"json", "application/json", "json"},         {"csv", "text/csv; charset=utf-8", "csv"},
    {"text", "text/plain; charset=utf-8", "txt"},
};

static const struct report_type *type_of(const char *format)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].format, format) == 0)
            return types + i;
    return NULL;
}

static enum MHD_Result send_report(const struct web_request *q, const struct web_report *ask,
                                   const struct report_type *t, char *body, size_t size)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    const char *view = web_argument(q, "view");
    char disposition[96], day[TIME_TEXT];

    snprintf(disposition, sizeof disposition, "attachment; filename=\"sealdns-%.10s.%s\"",
             time_text(ask->from, day), t->suffix);
    if (r) {
        MHD_add_response_header(r, "Content-Type", t->type);
        if (!view)
            MHD_add_response_header(r, "Content-Disposition", disposition);
        MHD_add_response_header(r, "Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
                                "frame-ancestors 'self'; base-uri 'none'; form-action 'none'");
    }
    return web_send(q, MHD_HTTP_OK, r);
}

static enum MHD_Result answer(const struct web_request *q)
{
    const char *format = web_argument(q, "format");
    const struct report_type *t = type_of(format ? format : "html");
    struct web_report ask = {.format = format ? format : "html"};
    enum MHD_Result answered;
    char *body = NULL;
    size_t size = 0;
    FILE *to;
    int status;

    if (!q->viewer->clients)
        return web_error(q, MHD_HTTP_FORBIDDEN, "a report names clients, which you may not see");
    if (!q->source->report)
        return web_error(q, MHD_HTTP_NOT_FOUND, "this sensor makes no reports");
    if (!t)
        return web_error(q, MHD_HTTP_BAD_REQUEST, "format is html, pdf, json, csv or text");
    if (!web_time(q, "from", q->now - 7 * DAY, &ask.from, &answered) ||
        !web_time(q, "to", q->now, &ask.to, &answered))
        return answered;
    if (ask.from >= ask.to)
        return web_error(q, MHD_HTTP_BAD_REQUEST, "from is not before to");
    if (!(to = open_memstream(&body, &size)))
        return MHD_NO;
    status = q->source->report(q->source->context, &ask, to);
    if (fclose(to) == 0 && status == SD_OK)
        return send_report(q, &ask, t, body, size);
    free(body);
    return web_error(q, MHD_HTTP_SERVICE_UNAVAILABLE, "the report could not be made: %s",
                     sd_strerror(status));
}

const struct web_route route_report = {"/api/report", .answer = answer};
