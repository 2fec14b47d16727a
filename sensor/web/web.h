/* HTTP: what the sensor tells whoever asks. A thread of the library's own serves it; every answer
 * is made of the last status that was published, so a browser delays nobody and nobody's lock is
 * held. */
#ifndef SEALDNS_WEB_WEB_H
#define SEALDNS_WEB_WEB_H

#include <jansson.h>

#include "model/policy_web.h"

#define WEB_ERROR 256

struct web;

/* Where the thread gets the status: the document of `sealdns status --format json`, to be given
 * back by json_decref(). NULL: there is none yet. */
struct web_source {
    json_t *(*status)(void *context);
    void *context;
};

/* SD_EIO: error says why. SD_ECONF: a file cannot be read. SD_EMEM. */
int web_open(const struct policy_web *config, const struct web_source *source, struct web **out,
             char error[WEB_ERROR]);
/* Waits for the thread. */
void web_close(struct web *w);

/* One path: a file of its own, and a word in ROUTES of sensor/CMakeLists.txt. */
struct web_route {
    const char *path, *type;
    bool open;                             /* for who shows no token, too */
    char *(*answer)(const json_t *status); /* to be freed; NULL: no memory */
};
extern const struct web_route *const web_routes[]; /* NULL-terminated */

#endif
