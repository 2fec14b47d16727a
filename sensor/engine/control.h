/* The control socket: one JSON object a line in, one out, then it closes. `status` is for everybody
 * who may open the socket; what changes something is for root and the sensor's own user. */
#ifndef SEALDNS_ENGINE_CONTROL_H
#define SEALDNS_ENGINE_CONTROL_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>

#include "base/time.h"

enum { CONTROL_CLIENTS = 16, CONTROL_REQUEST = 4096 };

struct control;

struct control_peer {
    bool trusted; /* it may change things */
    uint32_t uid;
    int32_t pid;
};

/* The answer to a request, a new reference. */
typedef json_t *(*control_answer_fn)(void *context, const char *command, const json_t *request,
                                     const struct control_peer *peer);

/* SD_EIO: error (256 bytes) says why. A socket file that nobody listens on is replaced. */
int control_open(const char *path, control_answer_fn answer, void *context, struct control **out,
                 char *error);
void control_close(struct control *c);
/* Fills wait[1 + CONTROL_CLIENTS]; returns how many. */
nfds_t control_poll(struct control *c, struct pollfd *wait);
/* After poll(): serves what is ready, gives up on clients that are too slow. Never blocks. */
void control_serve(struct control *c, const struct pollfd *wait, nsec_t now);

/* The client's side: one request, one answer, within timeout_ms. NULL: nobody answered. */
json_t *control_ask(const char *path, const json_t *request, int timeout_ms);

#endif
