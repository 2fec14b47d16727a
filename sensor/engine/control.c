#include "engine/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"

#define PATIENCE (5 * NSEC_S)

struct client {
    int descriptor; /* -1: free */
    struct control_peer peer;
    nsec_t since;
    size_t used;
    char request[CONTROL_REQUEST];
};

struct control {
    int listener;
    struct sockaddr_un address;
    control_answer_fn answer;
    void *context;
    struct client clients[CONTROL_CLIENTS];
};

static bool somebody_listens(const struct sockaddr_un *address)
{
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = probe >= 0 && connect(probe, (const void *)address, sizeof *address) == 0;

    if (probe >= 0)
        close(probe);
    return answered;
}

/* What is no socket was not ours, whatever the policy says. */
static bool may_replace(const char *path)
{
    struct stat s;

    if (lstat(path, &s) != 0)
        return errno == ENOENT;
    if (S_ISSOCK(s.st_mode))
        return unlink(path) == 0 || errno == ENOENT;
    errno = EEXIST;
    return false;
}

static int listen_at(struct control *c, char *error)
{
    if (somebody_listens(&c->address)) {
        snprintf(error, 256, "another sealdns listens on %s: stop it, or set control.socket",
                 c->address.sun_path);
        return SD_EIO;
    }
    if (!may_replace(c->address.sun_path) && errno != ENOTDIR) {
        snprintf(error, 256, "cannot replace %s: %s: move it away, or set control.socket",
                 c->address.sun_path, strerror(errno));
        return SD_EIO;
    }
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->listener >= 0 && bind(c->listener, (void *)&c->address, sizeof c->address) == 0 &&
        chmod(c->address.sun_path, 0660) == 0 && listen(c->listener, CONTROL_CLIENTS) == 0)
        return SD_OK;
    snprintf(error, 256, "cannot listen on %s: %s: make its folder, or set control.socket",
             c->address.sun_path, strerror(errno));
    return SD_EIO;
}

int control_open(const char *path, control_answer_fn answer, void *context, struct control **out,
                 char *error)
{
    struct control *c = calloc(1, sizeof *c);
    int status;

    if (!c)
        return SD_EMEM;
    c->listener = -1;
    c->answer = answer;
    c->context = context;
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        c->clients[i].descriptor = -1;
    c->address.sun_family = AF_UNIX;
    text_copy(c->address.sun_path, sizeof c->address.sun_path, path);
    status = listen_at(c, error);
    if (status != SD_OK) {
        if (c->listener >= 0)
            close(c->listener);
        free(c);
        return status;
    }
    *out = c;
    return SD_OK;
}

static void hang_up(struct client *client)
{
    close(client->descriptor);
    client->descriptor = -1;
}

void control_close(struct control *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        if (c->clients[i].descriptor >= 0)
            hang_up(&c->clients[i]);
    close(c->listener);
    unlink(c->address.sun_path);
    free(c);
}

nfds_t control_poll(struct control *c, struct pollfd *wait)
{
    wait[0] = (struct pollfd){.fd = c->listener, .events = POLLIN};
    for (size_t i = 0; i < CONTROL_CLIENTS; i++)
        wait[1 + i] = (struct pollfd){.fd = c->clients[i].descriptor, .events = POLLIN};
    return 1 + CONTROL_CLIENTS;
}

static struct control_peer peer_of(int descriptor)
{
    struct ucred peer;
    socklen_t length = sizeof peer;

    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return (struct control_peer){.trusted = false};
    return (struct control_peer){
        .trusted = peer.uid == 0 || peer.uid == geteuid(), .uid = peer.uid, .pid = peer.pid};
}

static void accept_client(struct control *c, nsec_t now)
{
    int descriptor = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (descriptor < 0)
        return;
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        struct client *client = &c->clients[i];

        if (client->descriptor >= 0)
            continue;
        client->descriptor = descriptor;
        client->peer = peer_of(descriptor);
        client->since = now;
        client->used = 0;
        return;
    }
    close(descriptor); /* all places are taken: the client tries again */
}

static json_t *answer_line(struct control *c, const struct client *client, const char *line)
{
    json_t *request = json_loads(line, JSON_REJECT_DUPLICATES, NULL), *reply;
    const char *command = json_string_value(json_object_get(request, "command"));

    if (command)
        reply = c->answer(c->context, command, request, &client->peer);
    else
        reply = json_pack("{s:b,s:s}", "ok", 0, "error",
                          "a request is one JSON object a line: {\"command\": \"status\"}");
    json_decref(request);
    return reply;
}

static void reply_and_close(struct control *c, struct client *client)
{
    json_t *reply = answer_line(c, client, client->request);
    char *text = reply ? json_dumps(reply, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

    /* An answer fits a socket's buffer; a peer that does not read it loses it. */
    if (text && send(client->descriptor, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) > 0)
        send(client->descriptor, "\n", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    free(text);
    json_decref(reply);
    hang_up(client);
}

static void read_client(struct control *c, struct client *client)
{
    ssize_t got = recv(client->descriptor, client->request + client->used,
                       CONTROL_REQUEST - 1 - client->used, 0);
    char *end;

    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        hang_up(client);
        return;
    }
    client->used += (size_t)got;
    client->request[client->used] = '\0';
    end = memchr(client->request, '\n', client->used);
    if (end)
        *end = '\0';
    if (end || client->used == CONTROL_REQUEST - 1)
        reply_and_close(c, client);
}

void control_serve(struct control *c, const struct pollfd *wait, nsec_t now)
{
    for (size_t i = 0; i < CONTROL_CLIENTS; i++) {
        struct client *client = &c->clients[i];

        if (client->descriptor < 0)
            continue;
        if (wait[1 + i].fd == client->descriptor && wait[1 + i].revents)
            read_client(c, client);
        else if (now - client->since > PATIENCE)
            hang_up(client);
    }
    if (wait[0].revents)
        accept_client(c, now);
}

static int connect_to(const char *path, int timeout_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval patience = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (descriptor < 0)
        return -1;
    if (text_copy(address.sun_path, sizeof address.sun_path, path)) {
        close(descriptor); /* no socket has so long a path */
        return -1;
    }
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(descriptor, (void *)&address, sizeof address) == 0)
        return descriptor;
    close(descriptor);
    return -1;
}

static json_t *read_reply(int descriptor)
{
    char *reply = NULL;
    size_t used = 0;
    json_t *object;

    for (;;) {
        char *more = realloc(reply, used + 4097);
        ssize_t got;

        if (!more)
            break;
        reply = more;
        got = recv(descriptor, reply + used, 4096, 0);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    object = used ? json_loadb(reply, used, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    free(reply);
    return object;
}

json_t *control_ask(const char *path, const json_t *request, int timeout_ms)
{
    char *text = json_dumps(request, JSON_COMPACT);
    int descriptor = connect_to(path, timeout_ms);
    json_t *reply = NULL;

    if (text && descriptor >= 0 && dprintf(descriptor, "%s\n", text) > 0)
        reply = read_reply(descriptor);
    if (descriptor >= 0)
        close(descriptor);
    free(text);
    return reply;
}
