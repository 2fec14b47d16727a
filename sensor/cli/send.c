#include "cli/send.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"

extern char **environ;

/* The program with a pipe to its standard input; the pipe's other end, or -1. */
static int start(const char *program, pid_t *pid)
{
    char own[] = "sendmail", from_mail[] = "-t", dots[] = "-oi";
    char *arguments[] = {own, from_mail, dots, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2], failed;

    if (pipe(ends) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    failed = posix_spawn(pid, program, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    if (!failed)
        return ends[1];
    close(ends[1]);
    errno = failed;
    return -1;
}

int send_report(const char *program, const json_t *report, const char *const *addresses,
                size_t count, const char *file, const struct report_format *format)
{
    int end, status = 0, written;
    pid_t pid;
    FILE *to;

    signal(SIGPIPE, SIG_IGN); /* it may end before it has read all */
    end = start(program, &pid);
    to = end >= 0 ? fdopen(end, "w") : NULL;
    if (!to) {
        log_error("the report was not mailed: %s: %s", program, strerror(errno));
        return EXIT_FAILED;
    }
    written = mail_write(report, addresses, count, file, format, to);
    if (fclose(to) != 0)
        written = SD_EIO;
    if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 &&
        written == SD_OK)
        return EXIT_DONE;
    log_error("the report was not mailed: %s ended with status %d", program,
              WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return EXIT_FAILED;
}
