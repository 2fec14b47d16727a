#include "priv/channel.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/error.h"

_Static_assert(sizeof(struct pair_batch) <= sizeof(struct finding), "no message grows by pairs");
_Static_assert(sizeof(struct open_event_batch) <= sizeof(struct finding), "... or by a peer");

int channel_pair(struct channel *a, struct channel *b)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return SD_EIO;
    a->descriptor = ends[0];
    b->descriptor = ends[1];
    return SD_OK;
}

void channel_close(struct channel *c)
{
    if (c->descriptor >= 0)
        close(c->descriptor);
    c->descriptor = -1;
}

int channel_limit(const struct channel *c, unsigned ms)
{
    struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    return setsockopt(c->descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 ? SD_OK
                                                                                         : SD_EIO;
}

static int sent(ssize_t length)
{
    if (length == (ssize_t)sizeof(struct message))
        return SD_OK;
    return length < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS) ? SD_EAGAIN
                                                                                 : SD_EIO;
}

union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int channel_send(const struct channel *c, const struct message *m, int descriptor)
{
    struct iovec part = {(void *)m, sizeof *m};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;
    struct cmsghdr *rights;

    if (descriptor >= 0) {
        memset(&control, 0, sizeof control);
        header.msg_control = &control;
        header.msg_controllen = sizeof control;
        rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    }
    return sent(sendmsg(c->descriptor, &header, MSG_NOSIGNAL));
}

int channel_try(const struct channel *c, const struct message *m)
{
    return sent(send(c->descriptor, m, sizeof *m, MSG_NOSIGNAL | MSG_DONTWAIT));
}

static int received_descriptor(struct msghdr *header)
{
    struct cmsghdr *rights = CMSG_FIRSTHDR(header);
    int descriptor = -1;

    if (rights && rights->cmsg_level == SOL_SOCKET && rights->cmsg_type == SCM_RIGHTS &&
        rights->cmsg_len == CMSG_LEN(sizeof descriptor))
        memcpy(&descriptor, CMSG_DATA(rights), sizeof descriptor);
    return descriptor;
}

int channel_receive(const struct channel *c, struct message *m, int *descriptor, int timeout_ms)
{
    struct pollfd wait = {.fd = c->descriptor, .events = POLLIN};
    struct iovec part = {m, sizeof *m};
    union control control;
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &control,
                            .msg_controllen = sizeof control};
    ssize_t got;

    *descriptor = -1;
    if (poll(&wait, 1, timeout_ms) <= 0)
        return SD_EAGAIN;
    got = recvmsg(c->descriptor, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return SD_EAGAIN;
    if (got <= 0)
        return SD_EEND;
    *descriptor = received_descriptor(&header);
    if (got == (ssize_t)sizeof *m && !(header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
        return SD_OK;
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
    return SD_EMALF;
}
