/* Lines to a file, appended; SIGHUP opens it again under its name. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "output/output.h"

struct file_feed {
    char path[256];
    FILE *to;
};

static FILE *open_append(const char *path)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);

    return descriptor < 0 ? NULL : fdopen(descriptor, "a");
}

static void *open_feed(const struct policy_output *config, char error[OUTPUT_ERROR])
{
    struct file_feed *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    text_copy(f->path, sizeof f->path, config->path);
    f->to = open_append(f->path);
    if (f->to)
        return f;
    snprintf(error, OUTPUT_ERROR, "cannot write %.150s: %s: make its folder, or name another path",
             f->path, strerror(errno));
    free(f);
    return NULL;
}

static int put_line(void *state, const char *line)
{
    struct file_feed *f = state;

    if (!f->to || fputs(line, f->to) == EOF || fputc('\n', f->to) == EOF) {
        if (f->to)
            clearerr(f->to);
        return SD_EIO;
    }
    return SD_OK;
}

static int flush(void *state)
{
    struct file_feed *f = state;

    if (f->to && fflush(f->to) == 0)
        return SD_OK;
    if (f->to)
        clearerr(f->to);
    return SD_EIO;
}

static int reopen(void *state)
{
    struct file_feed *f = state;
    FILE *anew = open_append(f->path);

    if (!anew)
        return SD_EIO;
    if (f->to)
        fclose(f->to);
    f->to = anew;
    return SD_OK;
}

static void close_feed(void *state)
{
    struct file_feed *f = state;

    if (f->to)
        fclose(f->to);
    free(f);
}

const struct output_feed feed_file = {"file", open_feed, put_line, flush, reopen, close_feed};
