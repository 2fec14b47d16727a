#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/time.h"
#include "store/search.h"
#include "web/inside.h"
#include "web/request.h"

enum { BUDGET = 200 * 1000 * 1000 }; /* steps of SQLite: a few seconds */

const char *web_argument(const struct web_request *q, const char *name)
{
    const char *value = MHD_lookup_connection_value(q->connection, MHD_GET_ARGUMENT_KIND, name);

    return value && *value ? value : NULL;
}

bool web_time(const struct web_request *q, const char *name, nsec_t otherwise, nsec_t *out,
              enum MHD_Result *answered)
{
    const char *text = web_argument(q, name);
    nsec_t ago;

    *out = otherwise;
    if (!text)
        return true;
    if (duration_parse(text, &ago) == SD_OK) {
        *out = q->now - ago;
        return true;
    }
    if (time_parse(text, 0, out) == SD_OK)
        return true;
    *answered = web_error(q, MHD_HTTP_BAD_REQUEST,
                          "%s is a span as 15m, 6h or 7d, or a time as 2026-01-31 or "
                          "2026-01-31T12:00:00Z",
                          name);
    return false;
}

bool web_number(const struct web_request *q, const char *name, const struct web_range *range,
                int64_t *out, enum MHD_Result *answered)
{
    const char *text = web_argument(q, name);
    char *end;

    *out = range->otherwise;
    if (!text)
        return true;
    *out = strtoll(text, &end, 10);
    if (*end == '\0' && *out >= range->least && *out <= range->most)
        return true;
    *answered = web_error(q, MHD_HTTP_BAD_REQUEST, "%s is a number from %" PRId64 " to %" PRId64,
                          name, range->least, range->most);
    return false;
}

enum MHD_Result web_send(const struct web_request *q, unsigned code, struct MHD_Response *r)
{
    static const char *const headers[][2] = {
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };
    enum MHD_Result queued;

    if (!r)
        return MHD_NO;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(r, headers[i][0], headers[i][1]);
    if (!MHD_get_response_header(r, "Content-Security-Policy"))
        MHD_add_response_header(r, "Content-Security-Policy",
                                "default-src 'none'; frame-ancestors 'none'; base-uri 'none'");
    if (!MHD_get_response_header(r, "Cache-Control"))
        MHD_add_response_header(r, "Cache-Control", "no-store");
    if (code == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
    queued = MHD_queue_response(q->connection, code, r);
    MHD_destroy_response(r);
    return queued;
}

enum MHD_Result web_text(const struct web_request *q, unsigned code, const char *type, char *body)
{
    struct MHD_Response *r =
        body ? MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE) : NULL;

    if (r)
        MHD_add_response_header(r, "Content-Type", type);
    return web_send(q, code, r);
}

enum MHD_Result web_json(const struct web_request *q, unsigned code, json_t *document)
{
    char *body;

    if (q->viewer && !q->viewer->clients)
        access_mask(&q->web->access, document);
    body = json_dumps(document, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    json_decref(document);
    return web_text(q, code, "application/json", body);
}

enum MHD_Result web_error(const struct web_request *q, unsigned code, const char *format, ...)
{
    char said[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(said, sizeof said, format, arguments);
    va_end(arguments);
    return web_json(q, code, json_pack("{s:s}", "error", said));
}

struct store_reader *web_reader(const struct web_request *q, enum MHD_Result *answered)
{
    const struct policy *p = q->source->policy(q->source->context);
    char error[STORE_ERROR] = "";
    struct store_reader *r = NULL;

    if (!p || store_reader_open(p->store_path, &r, error) != SD_OK) {
        r = NULL;
        *answered = web_error(q, MHD_HTTP_SERVICE_UNAVAILABLE, "the store cannot be read: %s",
                              p ? error : "the sensor is starting");
    }
    if (p)
        q->source->release(q->source->context, p);
    if (r)
        store_reader_budget(r, BUDGET);
    return r;
}

enum MHD_Result web_read(const struct web_request *q, struct store_reader *r, int status,
                         json_t *document)
{
    store_reader_close(r);
    if (status == SD_OK)
        return web_json(q, MHD_HTTP_OK, document);
    json_decref(document);
    return web_error(q, MHD_HTTP_SERVICE_UNAVAILABLE,
                     "the store did not answer in time; ask for less, or later");
}

json_t *web_time_json(nsec_t t)
{
    char text[TIME_TEXT];

    return t ? json_string(time_text(t, text)) : json_null();
}

json_t *web_event(const char *line)
{
    return json_loads(line, JSON_REJECT_DUPLICATES, NULL);
}

int web_add_event(void *array, const struct event_row *row)
{
    json_t *eve = web_event(row->json);

    return eve ? json_array_append_new(array, eve) : 0;
}
