#include "engine/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "priv/sandbox.h"

#define PEERS     8
#define READY_MS  5000
#define UNDO_MS   15000
#define RETRY_NS  (100 * NSEC_MS)
#define RETRIES   100 /* ten seconds: longer than any other tool holds the ruleset */
#define CHANNEL   0
#define TIMER     1
#define SIGNALS   2
#define LISTENER  3
#define OWN       4
#define MOST_WAIT (OWN + PEERS)

/* The process: the first descriptors are its own, then its peers'; -1: free. */
struct standing {
    int descriptors[MOST_WAIT], netlink;
    struct ucred peers[PEERS];
    const struct snapshot *before;
    nsec_t taken;
    unsigned seconds;
    bool armed;
    struct guard_message end; /* word 0: not yet */
};

/* Runs on while the machine sleeps, as the time of an operator who waits does. */
static nsec_t boot_time(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (nsec_t)t.tv_sec * NSEC_S + t.tv_nsec;
}

/* Others may be at the ruleset in the same moment: it is tried again. */
static int put_back(int netlink, const struct snapshot *before, nsec_t taken,
                    char error[ENFORCE_ERROR])
{
    static const struct timespec moment = {.tv_nsec = RETRY_NS};
    int status = SD_ENET;

    for (int i = 0; i < RETRIES; i++) {
        status = snapshot_restore(netlink, before, boot_time() - taken, error);
        if (status == SD_OK || status == SD_EPERM)
            return status;
        nanosleep(&moment, NULL);
    }
    return status;
}

static void send_message(int descriptor, const struct guard_message *m)
{
    if (send(descriptor, m, sizeof *m, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof *m)
        return; /* it has gone away, and needs no answer */
}

static uint32_t left_ms(const struct standing *s)
{
    struct itimerspec left = {.it_value = {0}};

    timerfd_gettime(s->descriptors[TIMER], &left);
    return (uint32_t)(left.it_value.tv_sec * 1000 + left.it_value.tv_nsec / (1000 * 1000));
}

/* who NULL: nobody asked. */
static void roll_back(struct standing *s, const struct ucred *who, const char *why)
{
    s->end = (struct guard_message){
        .word = GUARD_ROLLED_BACK, .uid = who ? who->uid : 0, .pid = who ? who->pid : 0};
    if (put_back(s->netlink, s->before, s->taken, s->end.text) == SD_OK) {
        text_copy(s->end.text, sizeof s->end.text, why);
        return;
    }
    s->end.word = GUARD_FAILED;
    log_error("the new rules stay: %s", s->end.text);
}

static void arm(struct standing *s)
{
    struct itimerspec when = {.it_value = {.tv_sec = s->seconds}};
    struct guard_message m = {.word = GUARD_PENDING, .left_ms = s->seconds * 1000};

    timerfd_settime(s->descriptors[TIMER], 0, &when, NULL); /* of a timer that is ours */
    s->armed = true;
    send_message(s->descriptors[CHANNEL], &m);
}

static void obey(struct standing *s, int descriptor, const struct ucred *who, uint32_t word)
{
    struct guard_message m = {.word = GUARD_PENDING, .left_ms = left_ms(s)};

    if (word == GUARD_INSTALLED && descriptor == s->descriptors[CHANNEL]) {
        arm(s);
    } else if (word == GUARD_WATCH) {
        send_message(descriptor, &m);
    } else if (who->uid != 0 && who->uid != geteuid()) {
        m.word = GUARD_REFUSED;
        send_message(descriptor, &m);
    } else if (word == GUARD_ROLL_BACK) {
        roll_back(s, who, "as asked for");
    } else if (word == GUARD_CONFIRM || word == GUARD_GIVE_UP) {
        s->end =
            (struct guard_message){.word = word == GUARD_CONFIRM ? GUARD_CONFIRMED : GUARD_GAVE_UP,
                                   .uid = who->uid,
                                   .pid = who->pid};
    }
}

/* Not armed it has a starter, who may still be installing: nobody else is heard. */
static void hear_from(struct standing *s, int *descriptor, const struct ucred *who)
{
    struct guard_message m;
    int status = guard_listen(*descriptor, &m, 0);

    if (status == SD_OK)
        obey(s, *descriptor, who, m.word);
    if (status != SD_EEND)
        return;
    close(*descriptor);
    *descriptor = -1;
    if (!s->armed)
        roll_back(s, NULL, "not installed to the end"); /* its starter died on the way */
}

static void welcome(struct standing *s)
{
    int descriptor = accept4(s->descriptors[LISTENER], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    socklen_t length = sizeof *s->peers;

    for (size_t i = 0; descriptor >= 0 && i < PEERS; i++) {
        if (s->descriptors[OWN + i] >= 0)
            continue;
        if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &s->peers[i], &length) != 0)
            break;
        s->descriptors[OWN + i] = descriptor;
        return;
    }
    if (descriptor >= 0)
        close(descriptor);
}

static void tell_end(const struct standing *s)
{
    for (size_t i = 0; i < MOST_WAIT; i++)
        if ((i == CHANNEL || i >= OWN) && s->descriptors[i] >= 0)
            send_message(s->descriptors[i], &s->end);
}

static void stand(struct standing *s)
{
    const struct ucred starter = {.uid = geteuid(), .pid = 0};

    while (!s->end.word) {
        struct pollfd wait[MOST_WAIT];

        for (size_t i = 0; i < MOST_WAIT; i++)
            wait[i] = (struct pollfd){.fd = s->armed || i == CHANNEL ? s->descriptors[i] : -1,
                                      .events = POLLIN};
        if (poll(wait, MOST_WAIT, -1) < 0)
            continue;
        if (wait[CHANNEL].revents)
            hear_from(s, &s->descriptors[CHANNEL], &starter);
        for (size_t i = 0; i < PEERS && !s->end.word; i++)
            if (wait[OWN + i].revents)
                hear_from(s, &s->descriptors[OWN + i], &s->peers[i]);
        if (!s->end.word && (wait[TIMER].revents || wait[SIGNALS].revents))
            roll_back(s, NULL,
                      wait[TIMER].revents ? "not confirmed in time" : "the guard was to end");
        if (!s->end.word && wait[LISTENER].revents)
            welcome(s);
    }
    close(s->descriptors[LISTENER]); /* whoever hears of the end may begin anew */
    tell_end(s);
}

static int by_number(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Everything else that the starter had open: its captures, its store, its channels. Standard error
 * stays: it says what failed. */
static void close_others(const struct standing *s)
{
    int kept[] = {s->descriptors[CHANNEL], s->descriptors[TIMER],    s->descriptors[SIGNALS],
                  STDERR_FILENO,           s->descriptors[LISTENER], s->netlink};
    unsigned next = 0;

    qsort(kept, sizeof kept / sizeof *kept, sizeof *kept, by_number);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if ((unsigned)kept[i] > next)
            close_range(next, (unsigned)kept[i] - 1, 0);
        next = (unsigned)kept[i] + 1;
    }
    close_range(next, ~0u, 0);
}

static int watch_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    if (sigprocmask(SIG_SETMASK, &set, NULL) != 0)
        return -1;
    sigdelset(&set, SIGHUP); /* a terminal that closes is no wish */
    sigdelset(&set, SIGUSR1);
    sigdelset(&set, SIGUSR2);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int guard_main(struct standing *s)
{
    char error[ENFORCE_ERROR];
    struct guard_message ready = {.word = GUARD_PENDING};

    prctl(PR_SET_NAME, "sealdns-guard");
    s->netlink = enforce_open(error);
    s->descriptors[TIMER] = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    s->descriptors[SIGNALS] = watch_signals();
    if (s->netlink < 0 || s->descriptors[TIMER] < 0 || s->descriptors[SIGNALS] < 0)
        return 1;
    close_others(s);
    if (chdir("/") != 0 || sandbox_guard() != SD_OK)
        return 1;
    send_message(s->descriptors[CHANNEL], &ready);
    stand(s);
    return s->end.word == GUARD_FAILED;
}

/* One is enough: the name belongs to the network namespace, as the rules do. */
static int take_name(char error[ENFORCE_ERROR])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + sizeof GUARD_SOCKET;
    int descriptor = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path + 1, GUARD_SOCKET, sizeof GUARD_SOCKET - 1);
    if (descriptor >= 0 && bind(descriptor, (const void *)&address, length) == 0 &&
        listen(descriptor, PEERS) == 0)
        return descriptor;
    if (descriptor >= 0 && errno == EADDRINUSE) {
        close(descriptor);
        snprintf(error, ENFORCE_ERROR,
                 "another change waits for its confirmation: `sealdns rules confirm` keeps it, or "
                 "wait until it is rolled back");
        return SD_EEXIST;
    }
    snprintf(error, ENFORCE_ERROR, "cannot listen on @" GUARD_SOCKET ": %s", strerror(errno));
    if (descriptor >= 0)
        close(descriptor);
    return SD_EIO;
}

/* Twice forked: init, not the starter, waits for it, and no signal to the starter's family reaches
 * it. */
static int start_process(struct standing *s)
{
    pid_t child = fork();
    int how;

    if (child == 0) {
        setsid();
        child = fork();
        _exit(child == 0 ? guard_main(s) : child < 0);
    }
    while (child > 0 && waitpid(child, &how, 0) < 0)
        if (errno != EINTR)
            return SD_EIO;
    return child > 0 && WIFEXITED(how) && WEXITSTATUS(how) == 0 ? SD_OK : SD_EIO;
}

static int start_guarding(unsigned seconds, struct guard *g, int name, char error[ENFORCE_ERROR])
{
    struct standing s = {.before = g->before, .taken = g->taken, .seconds = seconds};
    struct guard_message ready;
    int ends[2], status;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return SD_EIO;
    for (size_t i = 0; i < MOST_WAIT; i++)
        s.descriptors[i] = -1;
    s.descriptors[CHANNEL] = ends[1];
    s.descriptors[LISTENER] = name;
    g->channel = ends[0];
    status = start_process(&s);
    close(ends[1]);
    if (status == SD_OK)
        status = guard_listen(g->channel, &ready, READY_MS);
    if (status != SD_OK)
        snprintf(error, ENFORCE_ERROR, "the guard of the old rules did not start: nothing is done");
    return status == SD_OK ? SD_OK : SD_EIO;
}

int guard_start(unsigned seconds, struct guard *g, char error[ENFORCE_ERROR])
{
    int name = take_name(error), status;

    *g = (struct guard){.channel = -1, .netlink = -1};
    if (name < 0)
        return name;
    status = g->netlink = enforce_open(error);
    if (status >= 0)
        status = snapshot_take(g->netlink, &g->before, error);
    g->taken = boot_time();
    if (status == SD_OK)
        status = snapshot_rehearse(g->netlink, g->before, error);
    if (status == SD_OK)
        status = start_guarding(seconds, g, name, error);
    close(name);
    if (status != SD_OK)
        guard_leave(g);
    return status;
}

int guard_arm(struct guard *g)
{
    struct guard_message m;

    if (guard_say(g->channel, GUARD_INSTALLED) != SD_OK ||
        guard_listen(g->channel, &m, READY_MS) != SD_OK || m.word != GUARD_PENDING)
        return SD_EIO;
    return SD_OK;
}

void guard_undo(struct guard *g)
{
    struct guard_message m = {.word = GUARD_FAILED};

    if (guard_say(g->channel, GUARD_ROLL_BACK) != SD_OK)
        log_warning("the guard of the rules is gone");
    if (guard_hear(g, &m, UNDO_MS) != SD_OK || m.word != GUARD_ROLLED_BACK)
        log_error("the old rules may not be back: %s", m.text);
}

void guard_leave(struct guard *g)
{
    if (g->channel >= 0)
        close(g->channel);
    if (g->netlink >= 0)
        close(g->netlink);
    snapshot_destroy(g->before);
    *g = (struct guard){.channel = -1, .netlink = -1};
}

int guard_hear(struct guard *g, struct guard_message *out, int timeout_ms)
{
    int status = guard_listen(g->channel, out, timeout_ms);

    if (status != SD_EEND)
        return status;
    *out = (struct guard_message){.word = GUARD_ROLLED_BACK};
    if (put_back(g->netlink, g->before, g->taken, out->text) == SD_OK)
        text_copy(out->text, sizeof out->text, "the guard was killed");
    else
        out->word = GUARD_FAILED;
    return SD_OK;
}
