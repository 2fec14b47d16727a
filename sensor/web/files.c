#include "web/files.h"

#include <stdbool.h>
#include <string.h>

/* No script, style or frame but of these files themselves; the report is shown in a frame. */
#define POLICY                                                                                     \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "              \
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "                  \
    "frame-ancestors 'none'"

const struct web_file *web_file_at(const char *path)
{
    for (size_t i = 0; i < web_file_count; i++)
        if (strcmp(web_files[i].path, path) == 0)
            return web_files + i;
    return NULL;
}

static bool header_has(struct MHD_Connection *c, const char *name, const char *word)
{
    const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);

    return value && strstr(value, word);
}

enum MHD_Result web_file_answer(struct MHD_Connection *c, const struct web_file *file)
{
    bool known = header_has(c, "If-None-Match", file->tag);
    bool packed = header_has(c, "Accept-Encoding", "gzip");
    struct web_bytes bytes = packed ? file->packed : file->plain;
    struct MHD_Response *r = MHD_create_response_from_buffer(
        known ? 0 : bytes.length, (void *)(known ? (const unsigned char *)"" : bytes.data),
        MHD_RESPMEM_PERSISTENT);
    enum MHD_Result queued;

    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, "Content-Type", file->type);
    if (packed && !known)
        MHD_add_response_header(r, "Content-Encoding", "gzip");
    MHD_add_response_header(r, "Vary", "Accept-Encoding");
    MHD_add_response_header(r, "ETag", file->tag);
    MHD_add_response_header(r, "Cache-Control", "no-cache");
    MHD_add_response_header(r, "Content-Security-Policy", POLICY);
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(r, "Cross-Origin-Opener-Policy", "same-origin");
    queued = MHD_queue_response(c, known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, r);
    MHD_destroy_response(r);
    return queued;
}
