/* A socket that never blocks beyond a deadline. */
#ifndef SEALDNS_PROBE_WIRE_H
#define SEALDNS_PROBE_WIRE_H

#include <stddef.h>

#include "base/addr.h"
#include "base/time.h"

struct wire {
    int descriptor; /* -1: none */
    nsec_t deadline;
    nsec_t (*clock)(void *context);
    void *context;
};

static inline nsec_t wire_now(const struct wire *w)
{
    return w->clock(w->context);
}

/* type: SOCK_STREAM, which is connected when it returns SD_OK, or SOCK_DGRAM. SD_EAGAIN: the
 * deadline; SD_ENET: errno says why. */
int wire_open(struct wire *w, const struct addr *server, uint16_t port, int type);
void wire_close(struct wire *w);
/* Until one of the poll events, or SD_EAGAIN at the deadline. */
int wire_wait(const struct wire *w, short events);
/* At most size octets; 0: the end. SD_EAGAIN, SD_ENET as above. */
int wire_read(const struct wire *w, void *to, size_t size);
int wire_write(const struct wire *w, const void *from, size_t length);

#endif
