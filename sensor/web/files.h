/* The pages of dashboards/web/, which are part of the program. They hold nothing secret, so they
 * are given to who shows no token, too: one of them asks for it. */
#ifndef SEALDNS_WEB_FILES_H
#define SEALDNS_WEB_FILES_H

#include <microhttpd.h>
#include <stddef.h>

struct web_bytes {
    const unsigned char *data;
    size_t length;
};
struct web_file {
    const char *path, *type, *tag; /* tag: of RFC 9110 8.8.3, in its quotes */
    struct web_bytes plain, packed;
};
extern const struct web_file web_files[];
extern const size_t web_file_count;

/* NULL: none is there. */
const struct web_file *web_file_at(const char *path);
/* Packed where the browser takes that, and not at all where it has this very file already. */
enum MHD_Result web_file_answer(struct MHD_Connection *c, const struct web_file *file);

#endif
