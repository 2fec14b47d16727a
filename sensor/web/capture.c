/* The packets of an event, where the policy has them kept (evidence.pcap). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "store/search.h"
#include "web/request.h"

enum { NAME = 128 };

/* The name that the event's evidence has; it was made by us, and is looked at all the same. */
static int take_name(void *context, const struct event_row *row)
{
    json_t *eve = web_event(row->json);
    const json_t *evidence = json_object_get(json_object_get(eve, "sealdns"), "evidence");
    const char *name = json_string_value(json_object_get(evidence, "pcap"));
    char *out = context;

    if (name && !strchr(name, '/') && name[0] != '.')
        snprintf(out, NAME, "%s", name);
    json_decref(eve);
    return 0;
}

static int open_capture(const struct web_request *q, const char *name)
{
    const struct policy *p = q->source->policy(q->source->context);
    int folder, file = -1;

    if (!p)
        return -1;
    folder = open(p->evidence.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    q->source->release(q->source->context, p);
    if (folder >= 0) {
        file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        close(folder);
    }
    return file;
}

static enum MHD_Result send_capture(const struct web_request *q, int file, const char *name)
{
    char disposition[NAME + 40];
    struct MHD_Response *r;
    struct stat s;

    if (fstat(file, &s) != 0 || !S_ISREG(s.st_mode)) {
        close(file);
        return web_error(q, MHD_HTTP_NOT_FOUND, "the capture is gone");
    }
    r = MHD_create_response_from_fd((uint64_t)s.st_size, file);
    if (!r)
        close(file);
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"", name);
    if (r) {
        MHD_add_response_header(r, "Content-Type", "application/vnd.tcpdump.pcap");
        MHD_add_response_header(r, "Content-Disposition", disposition);
    }
    return web_send(q, MHD_HTTP_OK, r);
}

static enum MHD_Result answer(const struct web_request *q)
{
    enum MHD_Result answered;
    struct store_reader *r;
    char name[NAME] = "";
    int file;

    if (!q->viewer->clients)
        return web_error(q, MHD_HTTP_FORBIDDEN, "packets name clients, which you may not see");
    if (!(r = web_reader(q, &answered)))
        return answered;
    store_event(r, q->rest, take_name, name);
    store_reader_close(r);
    if (!name[0])
        return web_error(q, MHD_HTTP_NOT_FOUND, "no packets were kept of that event");
    file = open_capture(q, name);
    if (file < 0)
        return web_error(q, MHD_HTTP_NOT_FOUND, "the capture %s is gone", name);
    return send_capture(q, file, name);
}

const struct web_route route_capture = {"/api/captures/", .answer = answer};
