#include "probe/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

static socklen_t to_sockaddr(const struct addr *server, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *four = (struct sockaddr_in *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

    memset(out, 0, sizeof *out);
    if (addr_is_v4(server)) {
        four->sin_family = AF_INET;
        four->sin_port = htons(port);
        memcpy(&four->sin_addr, server->b + 12, 4);
        return sizeof *four;
    }
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(port);
    memcpy(&six->sin6_addr, server->b, 16);
    return sizeof *six;
}

int wire_wait(const struct wire *w, short events)
{
    struct pollfd wait = {.fd = w->descriptor, .events = events};

    for (;;) {
        nsec_t left = w->deadline - wire_now(w);
        int got;

        if (left <= 0)
            return SD_EAGAIN;
        /* A clock that jumps back must not make a wait of years. */
        got = poll(&wait, 1, left > 1000 * NSEC_MS ? 1000 : (int)(left / NSEC_MS) + 1);
        if (got > 0)
            return SD_OK;
        if (got < 0 && errno != EINTR)
            return SD_ENET;
    }
}

static int finish_connect(const struct wire *w)
{
    int error = 0, status = wire_wait(w, POLLOUT);
    socklen_t length = sizeof error;

    if (status != SD_OK)
        return status;
    if (getsockopt(w->descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0)
        return SD_ENET;
    errno = error;
    return error ? SD_ENET : SD_OK;
}

int wire_open(struct wire *w, const struct addr *server, uint16_t port, int type)
{
    struct sockaddr_storage address;
    socklen_t length = to_sockaddr(server, port, &address);

    w->descriptor = socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (w->descriptor < 0)
        return SD_ENET;
    if (type == SOCK_STREAM) /* or a question waits for the handshake's last acknowledgment */
        setsockopt(w->descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(w->descriptor, (struct sockaddr *)&address, length) == 0)
        return SD_OK;
    return errno == EINPROGRESS ? finish_connect(w) : SD_ENET;
}

void wire_close(struct wire *w)
{
    if (w->descriptor >= 0)
        close(w->descriptor);
    w->descriptor = -1;
}

int wire_read(const struct wire *w, void *to, size_t size)
{
    for (;;) {
        ssize_t got = recv(w->descriptor, to, size, MSG_DONTWAIT);
        int status;

        if (got >= 0)
            return (int)got;
        if (errno != EAGAIN && errno != EINTR)
            return SD_ENET;
        status = wire_wait(w, POLLIN);
        if (status != SD_OK)
            return status;
    }
}

int wire_write(const struct wire *w, const void *from, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        ssize_t n = send(w->descriptor, (const char *)from + sent, length - sent,
                         MSG_DONTWAIT | MSG_NOSIGNAL);
        int status;

        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        if (errno != EAGAIN && errno != EINTR)
            return SD_ENET;
        status = wire_wait(w, POLLOUT);
        if (status != SD_OK)
            return status;
    }
    return SD_OK;
}
