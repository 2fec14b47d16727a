#include "capture/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "capture/unpack.h"

#define BUFFER (256 << 10)

struct source {
    int descriptor;
    FILE *stream;
    int64_t size, position;
    const struct unpacker *unpacker; /* NULL: it is not packed */
    void *unpacking;
    bool inside;         /* a frame of packed data has begun and not ended */
    bool ended;          /* of the file */
    int fault, number;   /* and errno of it */
    const uint8_t *next; /* what was read of a packed file, and first the head of any */
    size_t left;
    uint8_t head[UNPACK_HEAD];
    uint8_t *packed;
    char buffer[BUFFER]; /* of the stream: glibc takes a size only together with memory */
};

static ssize_t read_file(struct source *s, void *to, size_t room)
{
    ssize_t got;

    do
        got = read(s->descriptor, to, room);
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        s->fault = SD_EIO;
        s->number = errno;
    } else {
        s->ended = got == 0;
        __atomic_store_n(&s->position, s->position + got, __ATOMIC_RELAXED);
    }
    return got;
}

static ssize_t read_plain(struct source *s, char *to, size_t room)
{
    size_t length = s->left < room ? s->left : room;

    if (!s->left)
        return read_file(s, to, room);
    memcpy(to, s->next, length);
    s->next += length;
    s->left -= length;
    return (ssize_t)length;
}

/* One step of the unpacker. False: nothing moved, and nothing will. */
static bool unpack(struct source *s, struct unpacking *u)
{
    size_t in = u->in_left, out = u->out_left;
    int result = s->unpacker->step(s->unpacking, u);

    s->next = u->in;
    s->left = u->in_left;
    if (result == SD_EEND)
        s->inside = false;
    else if (u->in_left < in)
        s->inside = true;
    if (result != 0 && result != SD_EEND)
        s->fault = result;
    else if (s->ended && u->in_left == in && u->out_left == out)
        s->fault = s->inside ? SD_ETRUNC : 0;
    else
        return true;
    return false;
}

/* What came before a fault is given first. */
static ssize_t read_packed(struct source *s, char *to, size_t room)
{
    struct unpacking u = {.out = (uint8_t *)to, .out_left = room};
    bool more = !s->fault;

    while (more && u.out_left == room) {
        if (!s->left && !s->ended) {
            ssize_t got = read_file(s, s->packed, BUFFER);

            if (got < 0)
                break;
            s->next = s->packed;
            s->left = (size_t)got;
        }
        u.in = s->next;
        u.in_left = s->left;
        more = unpack(s, &u);
    }
    if (u.out_left < room)
        return (ssize_t)(room - u.out_left);
    return s->fault ? -1 : 0;
}

static ssize_t source_read(void *cookie, char *to, size_t room)
{
    struct source *s = cookie;
    ssize_t got = s->unpacker ? read_packed(s, to, room) : read_plain(s, to, room);

    if (got < 0)
        errno = s->fault == SD_EIO ? s->number : EILSEQ;
    return got;
}

/* The first octets say whether it is packed. */
static int look(struct source *s)
{
    while (s->left < sizeof s->head && !s->ended) {
        ssize_t got = read_file(s, s->head + s->left, sizeof s->head - s->left);

        if (got < 0)
            return SD_EIO;
        s->left += (size_t)got;
    }
    s->next = s->head;
    s->ended = false; /* read() says so again */
    for (size_t i = 0; unpackers[i] && !s->unpacker; i++)
        if (unpackers[i]->is(s->head))
            s->unpacker = unpackers[i];
    if (!s->unpacker)
        return SD_OK;
    s->packed = malloc(BUFFER);
    s->unpacking = s->unpacker->create();
    return s->packed && s->unpacking ? SD_OK : SD_EMEM;
}

static int open_stream(struct source *s)
{
    cookie_io_functions_t functions = {.read = source_read};
    struct stat status;
    int result = look(s);

    if (result != SD_OK)
        return result;
    s->size = s->descriptor > STDIN_FILENO && fstat(s->descriptor, &status) == 0 &&
                      S_ISREG(status.st_mode)
                  ? status.st_size
                  : -1;
    s->stream = fopencookie(s, "r", functions);
    if (!s->stream)
        return SD_EMEM;
    setvbuf(s->stream, s->buffer, _IOFBF, sizeof s->buffer);
    __fsetlocking(s->stream, FSETLOCKING_BYCALLER);
    return SD_OK;
}

int source_open(const char *path, struct source **out)
{
    struct source *s = calloc(1, sizeof *s);
    int result;

    if (!s)
        return SD_EMEM;
    s->descriptor = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    result = s->descriptor >= 0 ? open_stream(s) : errno == ENOENT ? SD_ENOENT : SD_EIO;
    if (result == SD_OK) {
        *out = s;
    } else {
        int number = errno;

        source_destroy(s);
        errno = number;
    }
    return result;
}

void source_destroy(struct source *s)
{
    if (!s)
        return;
    if (s->unpacker)
        s->unpacker->destroy(s->unpacking);
    if (s->descriptor > STDIN_FILENO)
        close(s->descriptor);
    free(s->packed);
    free(s);
}

FILE *source_stream(const struct source *s)
{
    return s->stream;
}

const char *source_packed(const struct source *s)
{
    return s->unpacker ? s->unpacker->name : NULL;
}

int source_fault(const struct source *s)
{
    if (s->fault == SD_EIO)
        errno = s->number;
    return s->fault;
}

int64_t source_size(const struct source *s)
{
    return s->size;
}

int64_t source_position(const struct source *s)
{
    return __atomic_load_n(&s->position, __ATOMIC_RELAXED);
}
