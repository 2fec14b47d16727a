/* Server-sent events (WHATWG HTML 9.2): those who follow along. A stream that has nothing to say is
 * suspended, and woken by web_wake(). */
#ifndef SEALDNS_WEB_STREAM_H
#define SEALDNS_WEB_STREAM_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { STREAMS = 16 };

struct streams {
    atomic_bool closing;
    struct stream_place {
        atomic_int state; /* enum stream_state of stream.c */
        struct MHD_Connection *connection;
    } place[STREAMS];
};

/* Everybody who waits goes on; with closing for the last time. */
void streams_wake(struct streams *s, bool closing);

#endif
