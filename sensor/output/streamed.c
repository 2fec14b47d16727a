#include "output/streamed.h"

#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "output/connection.h"

#define PACE 32 /* datagrams: a receiver's buffer usually holds a hundred */

struct streamed {
    struct policy_output config;
    streamed_frame *frame;
    struct connection *connection; /* NULL: none */
};

void *streamed_open(const struct policy_output *config, streamed_frame *frame,
                    char error[OUTPUT_ERROR])
{
    struct streamed *s;

    if (connection_check(config, error) != SD_OK)
        return NULL;
    s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->config = *config;
    s->frame = frame;
    return s;
}

static void hang_up(struct streamed *s)
{
    connection_close(s->connection);
    s->connection = NULL;
}

void streamed_close(void *state)
{
    hang_up(state);
    free(state);
}

static bool is_datagram(const struct streamed *s)
{
    return s->config.server[0] && s->config.transport == SYSLOG_UDP;
}

/* A datagram holds one line, a stream as many as there are. */
static int send_lines(struct streamed *s, const struct output_batch *b, size_t count)
{
    char *octets = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&octets, &size);
    int status = SD_EMEM;

    if (!to)
        return SD_EMEM;
    for (size_t i = 0; i < count; i++)
        s->frame(to, &s->config, &b->lines[b->taken + i]);
    if (fclose(to) == 0)
        status = connection_send(s->connection, &b->patience, octets, size);
    free(octets);
    return status;
}

static int send_all(struct streamed *s, struct output_batch *b)
{
    static const struct timespec breath = {.tv_nsec = 1000 * 1000};
    size_t at_once = is_datagram(s) ? 1 : b->count;
    int status = SD_OK;

    while (b->taken < b->count && (status = send_lines(s, b, at_once)) == SD_OK) {
        b->taken += at_once;
        if (is_datagram(s) && b->taken % PACE == 0)
            nanosleep(&breath, NULL);
    }
    return status;
}

int streamed_deliver(void *state, struct output_batch *b)
{
    struct streamed *s = state;
    int status = SD_OK;

    if (s->connection && connection_is_broken(s->connection)) {
        hang_up(s); /* what was sent lately may not have been read: the caller goes back */
        snprintf(b->error, sizeof b->error, "the receiver hung up");
        return SD_EIO;
    }
    if (!s->connection)
        status = connection_open(&s->config, &b->patience, &s->connection, b->error);
    if (status != SD_OK)
        return status;
    status = send_all(s, b);
    if (status == SD_OK)
        return SD_OK;
    hang_up(s);
    snprintf(b->error, sizeof b->error, "the receiver takes nothing");
    return status;
}

bool streamed_finish(void *state)
{
    struct streamed *s = state;
    bool read = s->connection && !is_datagram(s) && connection_finish(s->connection);

    hang_up(s);
    return read;
}
