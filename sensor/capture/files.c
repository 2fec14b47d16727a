/* Captures in files, merged by the time of their packets. A file is open only from the time of its
 * first packet on, so that a month of hourly files takes the memory of one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "capture/capture.h"
#include "capture/file.h"

enum {
    READ_MAX = 1000,
    AHEAD_MAX = 16 /* files are read ahead at a time */
};

struct input {
    const char *path;
    struct file *file;  /* NULL: not yet open again, or ended */
    void *ahead;        /* reads the file; NULL: we do */
    int64_t size, read; /* octets; size -1: no regular file */
    struct frame frame; /* the next one, unless ended; of a file that is not open only its time */
    bool ended;
    char notice[CAPTURE_ERROR]; /* "": none, or told already */
};

struct files {
    struct capture base;
    const struct capture_ahead *reading;
    size_t count, ahead;
    bool failed;
    char error[CAPTURE_ERROR];
    char told[CAPTURE_ERROR];
    struct input *current;      /* whose turn it is */
    const struct input *second; /* whose turn it is after that; NULL: nobody's */
    struct input input[];
};

static void close_input(struct files *files, struct input *i)
{
    if (i->ahead) {
        files->reading->stop(i->ahead);
        files->ahead--;
    }
    i->read = i->file ? file_position(i->file) : i->read;
    file_close(i->file);
    i->ahead = NULL;
    i->file = NULL;
}

/* Makes the input's next frame ready, or ends it. */
static int advance(struct files *files, struct input *i)
{
    int result =
        i->ahead ? files->reading->next(i->ahead, &i->frame) : file_next(i->file, &i->frame);

    if (result == 0)
        return SD_OK;
    i->ended = true;
    snprintf(i->notice, sizeof i->notice, "%s", file_notice(i->file));
    if (result != SD_EEND)
        snprintf(files->error, sizeof files->error, "%s",
                 *file_error(i->file) ? file_error(i->file) : sd_strerror(result));
    close_input(files, i);
    return result == SD_EEND ? SD_OK : result;
}

static int next_of_file(void *of, struct frame *out)
{
    return file_next(of, out);
}

/* Standard input is not read ahead: a thread that waits for what may never come cannot be stopped.
 */
static bool is_read_ahead(const struct files *files, const struct input *i)
{
    return files->reading && files->ahead < AHEAD_MAX && i->size >= 0 &&
           (files->reading->plain || file_packed(i->file));
}

static int open_input(struct files *files, struct input *i, bool ahead)
{
    int result = file_open(i->path, &i->file, files->error);

    if (result != SD_OK)
        return result;
    i->size = file_size(i->file);
    if (ahead && is_read_ahead(files, i))
        i->ahead = files->reading->start((struct capture_frames){next_of_file, i->file});
    files->ahead += i->ahead != NULL;
    return advance(files, i);
}

/* When does it begin? What is no regular file cannot be read twice. */
static int first_of(struct files *files, struct input *i)
{
    int result = open_input(files, i, false);

    if (result == SD_OK && !i->ended && i->size >= 0)
        close_input(files, i);
    return result;
}

static bool before(const struct input *a, const struct input *b)
{
    return a->frame.time < b->frame.time || (a->frame.time == b->frame.time && a < b);
}

/* The input whose next frame is the oldest, the first of equals, and the one after it. */
static void choose(struct files *files)
{
    files->current = NULL;
    files->second = NULL;
    for (size_t n = 0; n < files->count; n++) {
        struct input *i = &files->input[n];

        if (i->ended)
            continue;
        if (!files->current || before(i, files->current)) {
            files->second = files->current;
            files->current = i;
        } else if (!files->second || before(i, files->second)) {
            files->second = i;
        }
    }
}

/* current: with its frame at hand, or NULL at the end of all. */
static int take_turn(struct files *files)
{
    int result = SD_OK;

    while (result == SD_OK) {
        struct input *i = files->current;

        if (!i || i->ended || (files->second && before(files->second, i)))
            choose(files);
        i = files->current;
        if (!i || i->file)
            return SD_OK;
        result = open_input(files, i, true);
    }
    return result;
}

static int files_read(struct capture *c, capture_frame_fn fn, void *context)
{
    struct files *files = (struct files *)c;
    int given = 0;

    while (given < READ_MAX && !files->failed) {
        files->failed = take_turn(files) != SD_OK;
        if (files->failed)
            break;
        if (!files->current)
            return given ? given : SD_EEND;
        fn(context, &files->current->frame);
        given++;
        files->failed = advance(files, files->current) != SD_OK;
    }
    return given ? given : SD_EIO;
}

static int files_counters(struct capture *c, struct capture_counters *out)
{
    (void)c;
    memset(out, 0, sizeof *out);
    return 0;
}

static const char *files_error(struct capture *c)
{
    return ((struct files *)c)->error;
}

static const char *files_notice(struct capture *c)
{
    struct files *files = (struct files *)c;

    for (size_t i = 0; i < files->count; i++) {
        if (!files->input[i].notice[0])
            continue;
        memcpy(files->told, files->input[i].notice, sizeof files->told);
        files->input[i].notice[0] = '\0';
        return files->told;
    }
    return NULL;
}

static void files_destroy(struct capture *c)
{
    struct files *files = (struct files *)c;

    if (!files)
        return;
    for (size_t i = 0; i < files->count; i++)
        close_input(files, &files->input[i]);
    free(files);
}

int capture_files_open(char *const *paths, size_t count, const struct capture_ahead *ahead,
                       struct capture **out, char error[CAPTURE_ERROR])
{
    static const struct capture_ops ops = {
        .read = files_read,
        .counters = files_counters,
        .error = files_error,
        .notice = files_notice,
        .destroy = files_destroy,
    };
    struct files *files = calloc(1, sizeof *files + count * sizeof *files->input);
    int result = SD_OK;

    error[0] = '\0';
    if (!files) {
        snprintf(error, CAPTURE_ERROR, "out of memory");
        return SD_EMEM;
    }
    files->base.ops = &ops;
    files->reading = ahead;
    for (size_t i = 0; i < count && result == SD_OK; i++) {
        files->input[i].path = paths[i];
        files->count++;
        result = first_of(files, &files->input[i]);
    }
    if (result != SD_OK) {
        memcpy(error, files->error, CAPTURE_ERROR);
        files_destroy(&files->base);
        return result;
    }
    *out = &files->base;
    return SD_OK;
}

void capture_files_progress(const struct capture *c, struct capture_progress *out)
{
    const struct files *files = (const struct files *)c;

    *out = (struct capture_progress){0};
    for (size_t n = 0; n < files->count; n++) {
        const struct input *i = &files->input[n];

        if (i->size < 0)
            out->size = -1;
        else if (out->size >= 0)
            out->size += i->size;
        out->read += i->file ? file_position(i->file) : i->ended ? i->read : 0;
    }
}
