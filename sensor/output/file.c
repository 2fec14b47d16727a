/* Lines to a file, appended; SIGHUP opens it again under its name. What a full disk does not take
 * waits here, so that no line in the file is ever half a line; what finds no room here is lost and
 * counted, and goes on with a whole line once there is room again. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "output/output.h"

enum { WAITING = 1 << 20, WRITE_AT = 64 << 10 };

struct file_feed {
    char path[256];
    int descriptor;
    bool torn;   /* the file ends inside the line that waits first */
    bool stuck;  /* the last write failed: nothing before the next flush */
    size_t used; /* of waiting */
    char waiting[WAITING];
};

static int open_append(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

static void *open_feed(const struct policy_output *config, char error[OUTPUT_ERROR])
{
    struct file_feed *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    text_copy(f->path, sizeof f->path, config->path);
    f->descriptor = open_append(f->path);
    if (f->descriptor >= 0)
        return f;
    snprintf(error, OUTPUT_ERROR, "cannot write %.150s: %s: make its folder, or name another path",
             f->path, strerror(errno));
    free(f);
    return NULL;
}

static int flush(void *state)
{
    struct file_feed *f = state;
    size_t done = 0;
    ssize_t n = 0;

    while (done < f->used && (n = write(f->descriptor, f->waiting + done, f->used - done)) != 0) {
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            break;
    }
    if (done > 0)
        f->torn = f->waiting[done - 1] != '\n';
    f->used -= done;
    memmove(f->waiting, f->waiting + done, f->used);
    f->stuck = f->used > 0;
    return f->stuck ? SD_EIO : SD_OK;
}

static int put_line(void *state, const char *line)
{
    struct file_feed *f = state;
    size_t length = strlen(line);

    if (f->used >= WRITE_AT && !f->stuck && flush(f) != SD_OK)
        f->stuck = true;
    if (length >= WAITING - f->used)
        return SD_EIO;
    memcpy(f->waiting + f->used, line, length);
    f->waiting[f->used + length] = '\n';
    f->used += length + 1;
    return SD_OK;
}

/* What waits goes to the file that it began in, or else, but for a line that is begun, to the new.
 */
static int reopen(void *state)
{
    struct file_feed *f = state;
    int anew = open_append(f->path), status = SD_OK;
    char *end;

    if (anew < 0)
        return SD_EIO;
    if (flush(f) != SD_OK && f->torn) {
        end = (char *)memchr(f->waiting, '\n', f->used) + 1;
        f->used -= (size_t)(end - f->waiting);
        memmove(f->waiting, end, f->used);
        status = SD_EIO;
    }
    close(f->descriptor);
    f->descriptor = anew;
    f->torn = f->stuck = false;
    return status;
}

static void close_feed(void *state)
{
    struct file_feed *f = state;

    flush(f);
    close(f->descriptor);
    free(f);
}

const struct output_feed feed_file = {.type = "file",
                                      .open = open_feed,
                                      .close = close_feed,
                                      .line = put_line,
                                      .flush = flush,
                                      .reopen = reopen};
