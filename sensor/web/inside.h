/* What the files of web/ share of the server itself. */
#ifndef SEALDNS_WEB_INSIDE_H
#define SEALDNS_WEB_INSIDE_H

#include <microhttpd.h>

#include "web/access.h"
#include "web/stream.h"
#include "web/web.h"

struct web {
    struct MHD_Daemon *daemon;
    struct web_source source;
    struct access access;
    struct streams streams;
    bool secure; /* over TLS */
    char *certificate, *key, *client_ca;
};

/* A file of the pages, as it was built in. */
struct web_file {
    const char *path, *type;
    const unsigned char *plain, *packed; /* packed: gzip; NULL where that saves nothing */
    size_t size, packed_size;
    const char *tag; /* of its content, as an ETag */
};
extern const struct web_file web_files[]; /* ends with path NULL */

/* A file of the pages; NULL path: not one of them. */
const struct web_file *web_file_of(const char *path);
enum MHD_Result web_send_file(const struct web_request *q, const struct web_file *f);

#endif
