/* A request as the file of its path sees it, and how it is answered. */
#ifndef SEALDNS_WEB_REQUEST_H
#define SEALDNS_WEB_REQUEST_H

#include <jansson.h>
#include <microhttpd.h>

#include "store/store.h"
#include "web/web.h"

struct web_viewer {
    bool clients; /* may see who is who; else pseudonyms */
};

struct web_request {
    struct MHD_Connection *connection;
    struct web *web;
    const struct web_source *source;
    const struct web_viewer *viewer;
    const char *rest; /* of the path, behind that of the route; "" */
    const char *body; /* of a POST, with a NUL behind it */
    size_t size;
    nsec_t now;
};

/* One path: a file of its own, and a word in ROUTES of sensor/CMakeLists.txt. */
struct web_route {
    const char *path; /* ends in /: what is below is its, too */
    bool open;        /* for who shows no token, too */
    bool takes_body;  /* POST, else GET */
    enum MHD_Result (*answer)(const struct web_request *q);
};
extern const struct web_route *const web_routes[]; /* NULL-terminated */

/* Arguments of the address, NULL where there is none or it is empty. */
const char *web_argument(const struct web_request *q, const char *name);
/* Those of a form; otherwise where there is none. False: it was answered with an error. Times: "7d"
 * ago, a date, or a date and time in UTC. */
bool web_time(const struct web_request *q, const char *name, nsec_t otherwise, nsec_t *out,
              enum MHD_Result *answered);
struct web_range {
    int64_t least, most, otherwise;
};
bool web_number(const struct web_request *q, const char *name, const struct web_range *range,
                int64_t *out, enum MHD_Result *answered);

/* Take body or document over. */
enum MHD_Result web_text(const struct web_request *q, unsigned code, const char *type, char *body);
/* Names of clients become pseudonyms where the viewer may not see them. */
enum MHD_Result web_json(const struct web_request *q, unsigned code, json_t *document);
enum MHD_Result web_error(const struct web_request *q, unsigned code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts the headers on that every answer has, and sends it. */
enum MHD_Result web_send(const struct web_request *q, unsigned code, struct MHD_Response *r);

/* A reader that gives up on what takes too long; NULL: it was answered with an error. */
struct store_reader *web_reader(const struct web_request *q, enum MHD_Result *answered);
/* The document, unless the store could not be read. Closes the reader. */
enum MHD_Result web_read(const struct web_request *q, struct store_reader *r, int status,
                         json_t *document);

json_t *web_time_json(nsec_t t);
/* An event's line as a document; NULL: it is none. */
json_t *web_event(const char *line);
/* The event of a row behind those of the array; what is none is left out. For the store's readers.
 */
int web_add_event(void *array, const struct event_row *row);

#endif
