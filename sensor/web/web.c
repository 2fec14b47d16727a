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

#define CONNECTIONS      64
#define CONNECTIONS_EACH 16         /* of one address */
#define PATIENCE         10         /* s */
#define MEMORY           (32 << 10) /* of a connection: the longest request line and headers */
#define TOKEN            256
#define FILE_MOST        (64 << 10)

struct web {
    struct MHD_Daemon *daemon;
    struct web_source source;
    char token[TOKEN]; /* "Bearer ...", "" none */
    char *certificate, *key, *client_ca;
};

static int answer_with(struct MHD_Connection *c, unsigned code, const char *type, char *body)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_FREE);
    int queued;

    MHD_add_response_header(r, "Content-Type", type);
    MHD_add_response_header(r, "Content-Security-Policy",
                            "default-src 'self'; frame-ancestors 'none'; base-uri 'none'");
    MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(r, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(r, "Cache-Control", "no-store");
    if (code == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(r, "WWW-Authenticate", "Bearer");
    if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, "Allow", "GET, HEAD");
    queued = (int)MHD_queue_response(c, code, r);
    MHD_destroy_response(r);
    return queued;
}

static int say(struct MHD_Connection *c, unsigned code, const char *text)
{
    char *body = strdup(text);

    return body ? answer_with(c, code, "text/plain; charset=utf-8", body) : MHD_NO;
}

/* As long for a wrong token as for a right one. */
static bool same(const char *a, const char *b)
{
    size_t length = strlen(a), other = strlen(b);
    unsigned differs = length != other;

    for (size_t i = 0; i < length; i++)
        differs |= (unsigned)(a[i] ^ b[other ? i % other : 0]);
    return !differs;
}

static bool may_ask(const struct web *w, struct MHD_Connection *c)
{
    const char *shown = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");

    return !w->token[0] || (shown && same(shown, w->token));
}

static const struct web_route *route_of(const char *path)
{
    for (size_t i = 0; web_routes[i]; i++)
        if (strcmp(web_routes[i]->path, path) == 0)
            return web_routes[i];
    return NULL;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *c, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    const struct web *w = context;
    const struct web_route *route = route_of(path);
    const struct web_file *file = route ? NULL : web_file_at(path);
    json_t *status;
    char *body;

    (void)version, (void)upload, (void)upload_size, (void)request;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return (enum MHD_Result)say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n");
    if (file)
        return web_file_answer(c, file);
    if (!(route && route->open) && !may_ask(w, c))
        return (enum MHD_Result)say(c, MHD_HTTP_UNAUTHORIZED, "a token is needed\n");
    if (!route)
        return (enum MHD_Result)say(c, MHD_HTTP_NOT_FOUND, "no such page\n");
    status = w->source.status(w->source.context);
    if (!status)
        return (enum MHD_Result)say(c, MHD_HTTP_SERVICE_UNAVAILABLE, "the sensor is starting\n");
    body = route->answer(status);
    json_decref(status);
    return body ? (enum MHD_Result)answer_with(c, MHD_HTTP_OK, route->type, body) : MHD_NO;
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
    char *token = NULL;

    if (config->token[0]) {
        token = read_whole(config->token, error);
        if (!token)
            return SD_ECONF;
        snprintf(w->token, sizeof w->token, "Bearer %.*s", (int)strcspn(token, "\r\n"), token);
        free(token);
    }
    if (!config->certificate[0])
        return SD_OK;
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
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD;
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
        (size_t)MEMORY, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
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

void web_close(struct web *w)
{
    if (!w)
        return;
    if (w->daemon)
        MHD_stop_daemon(w->daemon);
    free(w->certificate);
    free(w->key);
    free(w->client_ca);
    explicit_bzero(w->token, sizeof w->token);
    free(w);
}
