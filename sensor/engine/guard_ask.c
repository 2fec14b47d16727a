/* Speaking with a guard. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/gateway.h"
#include "engine/guard.h"

#define PATIENCE_MS 15000 /* a large ruleset, on a machine that has other things to do */

/* Any user may take the name of an abstract socket. */
static bool is_trusted(int descriptor)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

int guard_connect(char error[ENFORCE_ERROR])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + sizeof GUARD_SOCKET;
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path + 1, GUARD_SOCKET, sizeof GUARD_SOCKET - 1);
    if (descriptor < 0 || connect(descriptor, (const void *)&address, length) != 0) {
        if (descriptor >= 0)
            close(descriptor);
        snprintf(error, ENFORCE_ERROR, "no change of the rules waits for a confirmation");
        return SD_ENOENT;
    }
    if (is_trusted(descriptor))
        return descriptor;
    close(descriptor);
    snprintf(error, ENFORCE_ERROR,
             "another user's program holds the socket @" GUARD_SOCKET ": end it, see `ss -xlp`");
    return SD_EPERM;
}

int guard_say(int descriptor, enum guard_word word)
{
    struct guard_message m = {.word = word};

    return send(descriptor, &m, sizeof m, MSG_NOSIGNAL) == (ssize_t)sizeof m ? SD_OK : SD_EIO;
}

int guard_listen(int descriptor, struct guard_message *out, int timeout_ms)
{
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    ssize_t got;

    if (poll(&wait, 1, timeout_ms) <= 0)
        return SD_EAGAIN;
    got = recv(descriptor, out, sizeof *out, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return SD_EAGAIN;
    if (got != (ssize_t)sizeof *out)
        return SD_EEND;
    out->text[sizeof out->text - 1] = '\0';
    return SD_OK;
}

int guard_ask(enum guard_word word, struct guard_message *out, char error[ENFORCE_ERROR])
{
    int descriptor = guard_connect(error), status;

    if (descriptor < 0)
        return descriptor;
    status = guard_say(descriptor, word);
    if (status == SD_OK)
        status = guard_listen(descriptor, out, PATIENCE_MS);
    close(descriptor);
    if (status == SD_OK && out->word == GUARD_REFUSED) {
        snprintf(error, ENFORCE_ERROR, "only root and the user whose change it is may do that");
        return SD_EPERM;
    }
    if (status != SD_OK)
        snprintf(error, ENFORCE_ERROR, "the guard of the rules does not answer: %s",
                 sd_strerror(status));
    return status;
}
