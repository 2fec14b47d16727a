#include "web/stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/search.h"
#include "web/access.h"
#include "web/inside.h"
#include "web/stream.h"

#define STATUS_EVERY (5 * NSEC_S)
enum { AT_ONCE = 100 };

/* A place is WAITING while its connection is suspended; whoever takes it out of that state resumes
 * it, once. */
enum stream_state { STREAM_FREE, STREAM_RUNNING, STREAM_WAITING };

struct stream {
    struct web *web;
    struct stream_place *place;
    struct web_viewer viewer;
    int64_t row; /* the last that was told */
    nsec_t status_told;
    char *text; /* to be sent */
    size_t size, sent;
};

void streams_wake(struct streams *s, bool closing)
{
    if (closing)
        atomic_store(&s->closing, true);
    for (size_t i = 0; i < STREAMS; i++) {
        int waiting = STREAM_WAITING;

        if (atomic_compare_exchange_strong(&s->place[i].state, &waiting, STREAM_RUNNING))
            MHD_resume_connection(s->place[i].connection);
    }
}

static void put(FILE *to, const struct stream *s, const char *event, int64_t row, json_t *document)
{
    char *text;

    if (!s->viewer.clients)
        access_mask(&s->web->access, document);
    text = json_dumps(document, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII);
    json_decref(document);
    if (text && row)
        fprintf(to, "id: %" PRId64 "\n", row);
    if (text)
        fprintf(to, "event: %s\ndata: %s\n\n", event, text);
    free(text);
}

struct telling {
    struct stream *stream;
    FILE *to;
    int count;
};

static int put_event(void *context, const struct event_row *row)
{
    struct telling *t = context;
    json_t *eve = web_event(row->json);

    t->stream->row = row->row;
    if (eve)
        put(t->to, t->stream, "event", row->row, eve);
    return ++t->count == AT_ONCE;
}

static void put_events(struct stream *s, FILE *to)
{
    const struct policy *p = s->web->source.policy(s->web->source.context);
    struct event_filter news = {.kind = -1, .after_row = s->row, .all_revisions = true};
    struct telling t = {.stream = s, .to = to};
    char error[STORE_ERROR];
    struct store_reader *r;

    if (p && store_reader_open(p->store_path, &r, error) == SD_OK) {
        if (s->row < 0)
            s->row = store_last_row(r);
        else
            store_events(r, &news, put_event, &t); /* what fails now is told at the next look */
        store_reader_close(r);
    }
    if (p)
        s->web->source.release(s->web->source.context, p);
}

static void put_status(struct stream *s, FILE *to)
{
    nsec_t now = s->web->source.now(s->web->source.context);
    json_t *status;

    if (!time_passed(s->status_told, STATUS_EVERY, now))
        return;
    s->status_told = now;
    status = s->web->source.status(s->web->source.context);
    if (status)
        put(to, s, "status", 0, status);
    else
        fputs(":\n\n", to);
}

static void fill(struct stream *s)
{
    FILE *to;

    free(s->text);
    s->text = NULL;
    s->size = s->sent = 0;
    if (!(to = open_memstream(&s->text, &s->size)))
        return;
    put_events(s, to);
    put_status(s, to);
    if (fclose(to) != 0)
        s->size = 0;
}

static ssize_t take(void *context, uint64_t position, char *out, size_t most)
{
    struct stream *s = context;
    size_t part;

    (void)position;
    if (atomic_load(&s->web->streams.closing))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (s->sent == s->size)
        fill(s);
    part = s->size - s->sent < most ? s->size - s->sent : most;
    if (part == 0) {
        MHD_suspend_connection(s->place->connection);
        atomic_store(&s->place->state, STREAM_WAITING);
        return 0;
    }
    memcpy(out, s->text + s->sent, part);
    s->sent += part;
    return (ssize_t)part;
}

static void end(void *context)
{
    struct stream *s = context;

    atomic_store(&s->place->state, STREAM_FREE);
    free(s->text);
    free(s);
}

static struct stream_place *take_place(struct web *w, struct MHD_Connection *c)
{
    for (size_t i = 0; i < STREAMS; i++) {
        int unused = STREAM_FREE;

        if (atomic_compare_exchange_strong(&w->streams.place[i].state, &unused, STREAM_RUNNING)) {
            w->streams.place[i].connection = c;
            return w->streams.place + i;
        }
    }
    return NULL;
}

/* The row that the browser had last; -1: it begins with what comes from now on. */
static int64_t row_of(const struct web_request *q)
{
    const char *last = MHD_lookup_connection_value(q->connection, MHD_HEADER_KIND, "Last-Event-ID");
    char *rest;
    long long row = last && *last ? strtoll(last, &rest, 10) : -1;

    return row >= 0 && *rest == '\0' ? row : -1;
}

static enum MHD_Result answer(const struct web_request *q)
{
    struct stream_place *place = take_place(q->web, q->connection);
    struct stream *s = place ? calloc(1, sizeof *s) : NULL;
    struct MHD_Response *r;

    if (!s) {
        if (place)
            atomic_store(&place->state, STREAM_FREE);
        return web_error(q, MHD_HTTP_SERVICE_UNAVAILABLE, "%d browsers follow along already",
                         STREAMS);
    }
    *s = (struct stream){.web = q->web, .place = place, .viewer = *q->viewer, .row = row_of(q)};
    r = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16384, take, s, end);
    if (!r) {
        end(s);
        return MHD_NO;
    }
    MHD_add_response_header(r, "Content-Type", "text/event-stream");
    MHD_add_response_header(r, "X-Accel-Buffering", "no");
    return web_send(q, MHD_HTTP_OK, r);
}

const struct web_route route_stream = {"/api/events/stream", .answer = answer};
