#include "engine/sole.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

static int socket_named(struct sockaddr_un *address, socklen_t *length)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(address->sun_path + 1, SOLE_SOCKET, sizeof SOLE_SOCKET - 1);
    *length = offsetof(struct sockaddr_un, sun_path) + sizeof SOLE_SOCKET;
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* Nobody ever accepts: that the kernel says who listens is all that is wanted. A queue that is full
 * of such questions answers nothing, but somebody is there. */
int32_t sole_holder(void)
{
    struct sockaddr_un address;
    struct ucred peer = {.pid = 0};
    socklen_t length, size = sizeof peer;
    int descriptor = socket_named(&address, &length);

    if (descriptor < 0)
        return 0;
    if (connect(descriptor, (const void *)&address, length) != 0 ||
        getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
        (peer.uid != 0 && peer.uid != geteuid()))
        peer.pid = 0;
    close(descriptor);
    return peer.pid;
}

int sole_take(int *descriptor, char *error)
{
    struct sockaddr_un address;
    socklen_t length;
    int taken, number;
    int32_t holder;

    if (*descriptor >= 0)
        return SD_OK;
    taken = socket_named(&address, &length);
    if (taken >= 0 && bind(taken, (const void *)&address, length) == 0 && listen(taken, 128) == 0) {
        *descriptor = taken;
        return SD_OK;
    }
    number = errno;
    if (taken >= 0)
        close(taken);
    holder = sole_holder();
    if (number == EADDRINUSE && holder) {
        snprintf(error, 256,
                 "another sealdns (process %d) has rules in this network namespace: stop it, or "
                 "start this one with --mode monitor",
                 holder);
        return SD_EEXIST;
    }
    log_warning("@" SOLE_SOCKET " cannot be taken (%s; see `ss -xlp`): another sensor would not be "
                "noticed",
                strerror(number));
    return SD_OK;
}
