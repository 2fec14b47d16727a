#include "cli/confirm.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"

static int tell(const struct guard_message *end)
{
    switch (end->word) {
    case GUARD_CONFIRMED:
        log_notice("confirmed: the new rules stay");
        return EXIT_DONE;
    case GUARD_ROLLED_BACK:
        log_error("rolled back, the old rules are in the kernel: %s", end->text);
        return EXIT_FAILED;
    case GUARD_GAVE_UP:
        log_error("the rules were taken away: nothing is left to confirm");
        return EXIT_FAILED;
    default:
        log_error("the old rules could not be put back, the new ones stay: %s; `sealdns rules "
                  "remove` takes them away",
                  end->text);
        return EXIT_FAILED;
    }
}

/* Whoever started the guard can do its work; for a sensor's the sensor does. */
static int without_guard(struct guard *own)
{
    struct guard_message end;

    if (own && guard_hear(own, &end, 0) == SD_OK)
        return tell(&end);
    log_error("the guard of the rules was killed: the sensor puts the old ones back");
    return EXIT_FAILED;
}

/* False: nobody types there any more. */
static bool take_line(int descriptor)
{
    char line[256];

    if (read(STDIN_FILENO, line, sizeof line) <= 0)
        return false;
    if (guard_say(descriptor, GUARD_CONFIRM) != SD_OK)
        log_warning("the guard of the rules does not hear");
    return true;
}

static int await_end(int descriptor, struct guard *own, bool typed)
{
    struct guard_message m;

    for (;;) {
        struct pollfd wait[] = {{.fd = descriptor, .events = POLLIN},
                                {.fd = typed ? STDIN_FILENO : -1, .events = POLLIN}};

        if (poll(wait, 2, -1) < 0)
            continue;
        if (wait[1].revents)
            typed = take_line(descriptor);
        switch (wait[0].revents ? guard_listen(descriptor, &m, 0) : SD_EAGAIN) {
        case SD_OK:
            if (m.word >= GUARD_CONFIRMED)
                return tell(&m);
            break;
        case SD_EAGAIN:
            break;
        default:
            return without_guard(own);
        }
    }
}

int confirm_await(struct guard *own)
{
    char error[ENFORCE_ERROR];
    struct guard_message m = {.word = 0};
    int descriptor = guard_connect(error), status;
    bool typed = isatty(STDIN_FILENO);

    if (descriptor < 0) {
        if (own && guard_hear(own, &m, 0) == SD_OK)
            return tell(&m);
        log_error("%s here: is the sensor in another network namespace?", error);
        return EXIT_FAILED;
    }
    status = guard_say(descriptor, GUARD_WATCH);
    if (status == SD_OK)
        status = guard_listen(descriptor, &m, 5000);
    if (status == SD_OK && m.word == GUARD_PENDING)
        log_notice("rolled back in %u s, unless you confirm: %s`sealdns rules confirm`",
                   (m.left_ms + 999) / 1000, typed ? "press Enter, or " : "");
    status = status != SD_OK             ? without_guard(own)
             : m.word >= GUARD_CONFIRMED ? tell(&m)
                                         : await_end(descriptor, own, typed);
    close(descriptor);
    return status;
}

int confirm_now(void)
{
    char error[ENFORCE_ERROR] = "";
    struct guard_message end;
    int status = guard_ask(GUARD_CONFIRM, &end, error);

    if (status == SD_OK)
        return tell(&end);
    log_error("%s", error);
    return EXIT_FAILED;
}
