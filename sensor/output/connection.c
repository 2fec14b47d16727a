#include "output/connection.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

#define PATIENCE 10000 /* ms */
#define SLICE    100
#define LAST     1000

struct connection {
    int socket;
    struct patience patience; /* of the call that it is in */
    SSL_CTX *context;         /* NULL: in clear */
    SSL *tls;
};

int connection_target(const char *server, char host[256], char port[8])
{
    const char *colon = strrchr(server, ':');
    size_t length = colon ? (size_t)(colon - server) : 0;

    if (!length || length >= 256 || !colon[1] || strlen(colon + 1) >= 8)
        return SD_EINVAL;
    if (server[0] == '[' && server[length - 1] == ']')
        snprintf(host, 256, "%.*s", (int)length - 2, server + 1);
    else
        snprintf(host, 256, "%.*s", (int)length, server);
    snprintf(port, 8, "%s", colon + 1);
    return SD_OK;
}

int connection_check(const struct policy_output *config, char error[OUTPUT_ERROR])
{
    const char *const files[] = {config->ca, config->certificate, config->key};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i][0] && access(files[i], R_OK) != 0) {
            snprintf(error, OUTPUT_ERROR, "cannot read %.150s: %s", files[i], strerror(errno));
            return SD_ECONF;
        }
    return SD_OK;
}

static bool ready(int socket, short events, int milliseconds)
{
    struct pollfd p = {.fd = socket, .events = events};
    int n;

    while ((n = poll(&p, 1, milliseconds)) < 0 && errno == EINTR)
        continue;
    return n > 0;
}

static bool wait_for(int socket, short events, const struct patience *patience)
{
    for (int waited = 0; waited < PATIENCE && !patience->over(patience->context); waited += SLICE)
        if (ready(socket, events, SLICE))
            return true;
    return false;
}

static int connected(const struct addrinfo *to, const struct patience *patience)
{
    int s = socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol);
    int failed = 0;
    socklen_t size = sizeof failed;

    if (s < 0)
        return -1;
    if (connect(s, to->ai_addr, to->ai_addrlen) != 0) {
        failed = errno;
        if (failed == EINPROGRESS && !wait_for(s, POLLOUT, patience))
            failed = ETIMEDOUT;
        else if (failed == EINPROGRESS)
            getsockopt(s, SOL_SOCKET, SO_ERROR, &failed, &size);
    }
    if (!failed)
        return s;
    close(s);
    errno = failed;
    return -1;
}

static int connect_server(const struct policy_output *config, const struct patience *patience,
                          char error[OUTPUT_ERROR])
{
    const struct addrinfo hints = {.ai_socktype =
                                       config->transport == SYSLOG_UDP ? SOCK_DGRAM : SOCK_STREAM,
                                   .ai_flags = AI_NUMERICSERV};
    struct addrinfo *all = NULL;
    char host[256], port[8];
    int s = -1, failed;

    if (connection_target(config->server, host, port) != SD_OK)
        failed = EAI_NONAME;
    else
        failed = getaddrinfo(host, port, &hints, &all);
    if (failed) {
        snprintf(error, OUTPUT_ERROR, "%.150s: %s", config->server, gai_strerror(failed));
        return -1;
    }
    for (const struct addrinfo *a = all; a && s < 0; a = a->ai_next)
        s = connected(a, patience);
    freeaddrinfo(all);
    if (s < 0)
        snprintf(error, OUTPUT_ERROR, "%.150s: %s", config->server, strerror(errno));
    return s;
}

static int connect_path(const struct policy_output *config, const struct patience *patience,
                        char error[OUTPUT_ERROR])
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct addrinfo a = {.ai_family = AF_UNIX,
                         .ai_socktype = SOCK_STREAM,
                         .ai_addr = (struct sockaddr *)&to,
                         .ai_addrlen = sizeof to};
    int s;

    if (text_copy(to.sun_path, sizeof to.sun_path, config->path)) {
        snprintf(error, OUTPUT_ERROR, "%.150s: longer than the path of a socket may be",
                 config->path);
        return -1;
    }
    s = connected(&a, patience);
    if (s < 0)
        snprintf(error, OUTPUT_ERROR, "%.150s: %s", config->path, strerror(errno));
    return s;
}

static const char *tls_reason(const SSL *tls)
{
    const char *reason = ERR_reason_error_string(ERR_get_error());
    long verified = tls ? SSL_get_verify_result(tls) : X509_V_OK;

    if (verified != X509_V_OK)
        return X509_verify_cert_error_string(verified);
    return reason ? reason : "the receiver ended it";
}

static SSL_CTX *make_context(const struct policy_output *config)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int good;

    if (!context)
        return NULL;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    good = SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1;
    good &= config->ca[0] ? SSL_CTX_load_verify_locations(context, config->ca, NULL) == 1
                          : SSL_CTX_set_default_verify_paths(context) == 1;
    if (config->certificate[0])
        good &= SSL_CTX_use_certificate_chain_file(context, config->certificate) == 1 &&
                SSL_CTX_use_PrivateKey_file(context, config->key, SSL_FILETYPE_PEM) == 1;
    if (good)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

/* Who it must be: the name or the address that the policy has (RFC 5425 5.2). */
static bool expect(SSL *tls, const char *host)
{
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host) == 1)
        return true;
    return SSL_set_tlsext_host_name(tls, host) == 1 && SSL_set1_host(tls, host) == 1;
}

/* True: it may be tried again. */
static bool wait_tls(const struct connection *c, int result)
{
    int why = SSL_get_error(c->tls, result);

    if (why == SSL_ERROR_WANT_READ)
        return wait_for(c->socket, POLLIN, &c->patience);
    return why == SSL_ERROR_WANT_WRITE && wait_for(c->socket, POLLOUT, &c->patience);
}

static int begin_tls(struct connection *c, const struct policy_output *config,
                     char error[OUTPUT_ERROR])
{
    char host[256], port[8];
    int done = -1;

    ERR_clear_error();
    c->context = make_context(config);
    c->tls = c->context ? SSL_new(c->context) : NULL;
    if (c->tls && connection_target(config->server, host, port) == SD_OK && expect(c->tls, host) &&
        SSL_set_fd(c->tls, c->socket) == 1)
        while ((done = SSL_connect(c->tls)) != 1 && wait_tls(c, done))
            continue;
    if (done == 1)
        return SD_OK;
    snprintf(error, OUTPUT_ERROR, "%.100s: TLS: %.100s", config->server, tls_reason(c->tls));
    return SD_EIO;
}

int connection_open(const struct policy_output *config, const struct patience *patience,
                    struct connection **out, char error[OUTPUT_ERROR])
{
    struct connection *c = calloc(1, sizeof *c);
    bool tls = config->server[0] && config->transport == SYSLOG_TLS;

    if (!c)
        return SD_EMEM;
    c->patience = *patience;
    c->socket = config->server[0] ? connect_server(config, patience, error)
                                  : connect_path(config, patience, error);
    if (c->socket < 0 || (tls && begin_tls(c, config, error) != SD_OK)) {
        connection_close(c);
        return SD_EIO;
    }
    *out = c;
    return SD_OK;
}

static ssize_t send_some(struct connection *c, const char *octets, size_t count)
{
    ssize_t n;

    if (c->tls) {
        ERR_clear_error();
        n = SSL_write(c->tls, octets, count < 16384 ? (int)count : 16384);
        return n > 0 ? n : wait_tls(c, (int)n) ? 0 : -1;
    }
    n = send(c->socket, octets, count, MSG_NOSIGNAL);
    if (n >= 0)
        return n;
    if (errno == EINTR)
        return 0;
    return errno == EAGAIN && wait_for(c->socket, POLLOUT, &c->patience) ? 0 : -1;
}

int connection_send(struct connection *c, const struct patience *patience, const char *octets,
                    size_t count)
{
    ssize_t n;

    c->patience = *patience;
    for (size_t done = 0; done < count; done += (size_t)n)
        if ((n = send_some(c, octets + done, count - done)) < 0)
            return SD_EIO;
    return SD_OK;
}

bool connection_is_broken(struct connection *c)
{
    char octet;
    ssize_t n;

    if (c->tls) {
        ERR_clear_error();
        n = SSL_peek(c->tls, &octet, 1);
        return n <= 0 && SSL_get_error(c->tls, (int)n) != SSL_ERROR_WANT_READ;
    }
    n = recv(c->socket, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

bool connection_finish(struct connection *c)
{
    char octets[256];
    ssize_t n = 1;

    if (c->tls && SSL_shutdown(c->tls) < 0)
        return false;
    if (shutdown(c->socket, SHUT_WR) != 0)
        return false;
    while (n != 0 && ready(c->socket, POLLIN, LAST))
        if ((n = recv(c->socket, octets, sizeof octets, 0)) < 0)
            return false;
    return n == 0;
}

void connection_close(struct connection *c)
{
    if (!c)
        return;
    SSL_free(c->tls);
    SSL_CTX_free(c->context);
    if (c->socket >= 0)
        close(c->socket);
    free(c);
}
