#include "web/web.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "web/files.h"
#include "web/inside.h"

#define CONNECTIONS 128
#define CONNECTIONS_EACH                                                                           \
    48 /* of one address: a browser opens six, and behind a proxy there are many */
#define THREADS   4
#define PATIENCE  10         /* s */
#define MEMORY    (32 << 10) /* of a connection: the longest request line and headers */
#define FILE_MOST (64 << 10)
#define BODY_MOST (1 << 20)

/* Between the calls for one request. */
struct upload {
    char *body;
    size_t size;
    bool too_large;
};

/* What is behind the route's path, NULL: the path is not of this route. */
static const char *rest_of(const struct web_route *route, const char *path)
{
    size_t length = strlen(route->path);

    if (route->path[length - 1] != '/')
        return strcmp(path, route->path) == 0 ? "" : NULL;
    if (strncmp(path, route->path, length) == 0)
        return path + length;
    return strncmp(path, route->path, length - 1) == 0 && !path[length - 1] ? "" : NULL;
}

/* Those of one path alone go first in the list. */
static const struct web_route *route_of(const char *path)
{
    for (size_t i = 0; web_routes[i]; i++)
        if (rest_of(web_routes[i], path))
            return web_routes[i];
    return NULL;
}

static enum MHD_Result refuse_method(const struct web_request *q, const char *allowed)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);

    if (r)
        MHD_add_response_header(r, "Allow", allowed);
    return web_send(q, MHD_HTTP_METHOD_NOT_ALLOWED, r);
}

static enum MHD_Result answer_route(struct web_request *q, const struct web_route *route,
                                    const struct upload *u)
{
    if (route->takes_body && access_is_forged(q->connection))
        return web_error(q, MHD_HTTP_FORBIDDEN,
                         "a request from a page of somebody else's, or without X-Sealdns: 1");
    if (u->too_large)
        return web_error(q, MHD_HTTP_CONTENT_TOO_LARGE, "a body has %d octets at most", BODY_MOST);
    q->body = u->body ? u->body : "";
    q->size = u->size;
    return route->answer(q);
}

static enum MHD_Result answer_whole(struct web_request *q, const char *path, const char *method,
                                    const struct upload *u)
{
    const struct web_route *route = route_of(path);
    const struct web_file *file = route ? NULL : web_file_at(path);
    bool gets = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;

    if (!access_is_ours(&q->web->access, q->connection))
        return web_error(q, MHD_HTTP_MISDIRECTED_REQUEST,
                         "this name is not in web.hosts of the policy");
    q->viewer = access_viewer(&q->web->access, q->connection);
    if (!(route && route->open) && !file && !q->viewer)
        return web_error(q, MHD_HTTP_UNAUTHORIZED, "a token is needed");
    if (!route && !file)
        return web_error(q, MHD_HTTP_NOT_FOUND, "there is no such page");
    if (route && route->takes_body ? strcmp(method, "POST") != 0 : !gets)
        return refuse_method(q, route && route->takes_body ? "POST" : "GET, HEAD");
    if (file)
        return web_file_answer(q->connection, file);
    q->rest = rest_of(route, path);
    return answer_route(q, route, u);
}

/* What is more than a body may have is read and forgotten: the answer says so. */
static enum MHD_Result take_upload(struct upload *u, const char *data, size_t *size)
{
    char *grown =
        u->too_large || u->size + *size > BODY_MOST ? NULL : realloc(u->body, u->size + *size + 1);

    if (grown) {
        memcpy(grown + u->size, data, *size);
        u->body = grown;
        u->size += *size;
        u->body[u->size] = '\0';
    } else {
        u->too_large = true;
    }
    *size = 0;
    return MHD_YES;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *c, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **request)
{
    struct web *w = context;
    struct web_request q = {.connection = c, .web = w, .source = &w->source, .rest = ""};

    (void)version;
    if (!*request) {
        *request = calloc(1, sizeof(struct upload));
        return *request ? MHD_YES : MHD_NO;
    }
    if (*size)
        return take_upload(*request, data, size);
    q.now = w->source.now(w->source.context);
    return answer_whole(&q, path, method, *request);
}

static void forget(void *context, struct MHD_Connection *c, void **request,
                   enum MHD_RequestTerminationCode code)
{
    struct upload *u = *request;

    (void)context, (void)c, (void)code;
    if (u)
        free(u->body);
    free(u);
    *request = NULL;
}

/* NULL: error says why. */
static char *read_whole(const char *path, char error[WEB_ERROR])
{
    char *text = calloc(1, FILE_MOST);
    FILE *from = text ? fopen(path, "re") : NULL;

    if (from && fread(text, 1, FILE_MOST - 1, from) > 0) {
        fclose(from);
        return text;
    }
    snprintf(error, WEB_ERROR, "cannot read %.150s: %s", path, from ? "empty" : strerror(errno));
    if (from)
        fclose(from);
    free(text);
    return NULL;
}

static int read_files(struct web *w, const struct policy_web *config, char error[WEB_ERROR])
{
    int status = access_open(&w->access, config, error);

    if (status != SD_OK || !config->certificate[0])
        return status;
    w->secure = true;
    w->certificate = read_whole(config->certificate, error);
    w->key = w->certificate ? read_whole(config->key, error) : NULL;
    if (w->key && config->client_ca[0] && !(w->client_ca = read_whole(config->client_ca, error)))
        return SD_ECONF;
    return w->key ? SD_OK : SD_ECONF;
}

static void socket_address(const struct policy_web *config, struct sockaddr_in6 *v6,
                           struct sockaddr_in *v4)
{
    char text[ADDR_TEXT];

    addr_text(&config->address, text);
    *v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(config->port)};
    *v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(config->port)};
    if (inet_pton(AF_INET, text, &v4->sin_addr) != 1)
        v4->sin_family = AF_UNSPEC;
    inet_pton(AF_INET6, text, &v6->sin6_addr);
}

static struct MHD_Daemon *start(struct web *w, const struct policy_web *config)
{
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, w->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, w->key},
        {w->client_ca ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, w->client_ca},
        {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;
    bool is_v4;

    socket_address(config, &v6, &v4);
    is_v4 = v4.sin_family == AF_INET;
    if (!is_v4)
        flags |= MHD_USE_IPv6;
    if (w->certificate)
        flags |= MHD_USE_TLS;
    else
        tls[0].option = MHD_OPTION_END;
    return MHD_start_daemon(
        flags, config->port, NULL, NULL, answer, w, MHD_OPTION_SOCK_ADDR,
        is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)CONNECTIONS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)CONNECTIONS_EACH,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS, MHD_OPTION_NOTIFY_COMPLETED,
        forget, NULL, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

int web_open(const struct policy_web *config, const struct web_source *source, struct web **out,
             char error[WEB_ERROR])
{
    struct web *w = calloc(1, sizeof *w);
    char text[ADDR_TEXT];
    int status;

    if (!w)
        return SD_EMEM;
    w->source = *source;
    status = read_files(w, config, error);
    if (status == SD_OK && !(w->daemon = start(w, config))) {
        snprintf(error, WEB_ERROR, "cannot serve HTTP on %s port %u: %s",
                 addr_text(&config->address, text), config->port,
                 errno ? strerror(errno) : "certificate or key is none");
        status = SD_EIO;
    }
    if (status == SD_OK)
        *out = w;
    else
        web_close(w);
    return status;
}

void web_wake(struct web *w)
{
    streams_wake(&w->streams, false);
}

void web_close(struct web *w)
{
    if (!w)
        return;
    if (w->daemon) {
        streams_wake(&w->streams, true);
        MHD_stop_daemon(w->daemon);
    }
    free(w->certificate);
    free(w->key);
    free(w->client_ca);
    explicit_bzero(&w->access, sizeof w->access);
    free(w);
}
