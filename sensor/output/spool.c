#include "output/spool.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

#define SEGMENT       (UINT64_C(1) << 20) /* a file is closed at this size */
#define PENDING       (64 << 10)
#define LINE_MOST     (PENDING - sizeof(struct head))
#define BATCH         (768 << 10)
#define INFORMATIONAL 4
#define PATH_SIZE     320

/* Before each line. */
struct head {
    uint32_t length, spare;
    struct spool_mark mark;
    uint64_t check; /* of all before it, and the line */
};

/* A file. */
struct segment {
    uint64_t number;
    uint64_t size;                 /* octets that are whole lines */
    uint64_t lines, informational; /* behind what was settled when it was taken up */
};

/* The file "cursor". */
struct cursor {
    uint64_t number, offset, check;
};

struct spool {
    char folder[256];
    uint64_t limit;
    struct segment *segments; /* the oldest first; the last is written to */
    size_t count, capacity;
    int writing; /* descriptor of the last; -1: none yet */
    int cursor_file;
    size_t pending;
    uint64_t pending_lines, pending_informational;
    struct spool_place settled, at;        /* settled lies in the first segment */
    size_t batch_lines;                    /* of the last spool_next() */
    struct spool_place batch[SPOOL_BATCH]; /* behind each of them */
    struct spool_counts counts;
    char waiting[PENDING];
    char *octets; /* heads and lines as they stand in the files */
};

static const char *segment_path(const struct spool *s, uint64_t number, char path[PATH_SIZE])
{
    snprintf(path, PATH_SIZE, "%s/%016llx.lines", s->folder, (unsigned long long)number);
    return path;
}

static uint64_t check_of(const struct head *h, const char *line)
{
    return hash_bytes(line, h->length, hash_bytes(h, offsetof(struct head, check), 0));
}

/* The line at the beginning of these octets: its size with the head, 0: no whole one. */
static size_t whole_line(const char *octets, size_t have, struct head *h)
{
    if (have < sizeof *h)
        return 0;
    memcpy(h, octets, sizeof *h);
    if (h->length > LINE_MOST || h->length > have - sizeof *h)
        return 0;
    return h->check == check_of(h, octets + sizeof *h) ? sizeof *h + h->length : 0;
}

/* Octets of a file from an offset; how many. */
static size_t read_at(const struct spool *s, uint64_t number, uint64_t offset, char *to,
                      size_t size)
{
    char path[PATH_SIZE];
    int file = open(segment_path(s, number, path), O_RDONLY | O_CLOEXEC);
    size_t have = 0;
    ssize_t n = 0;

    if (file < 0)
        return 0;
    while (have < size && (n = pread(file, to + have, size - have, (off_t)(offset + have))) != 0) {
        if (n < 0 && errno != EINTR)
            break;
        have += n > 0 ? (size_t)n : 0;
    }
    close(file);
    return have;
}

/* Every whole line of a file from an offset on; the offset behind the last. */
static uint64_t each_line(const struct spool *s, uint64_t number, uint64_t offset,
                          void (*take)(void *context, const char *octets, const struct head *h),
                          void *context)
{
    size_t size = SEGMENT + PENDING, have, length;
    char *octets = malloc(size), *at = octets;
    struct head h;

    if (!octets)
        return offset;
    have = read_at(s, number, offset, octets, size);
    while ((length = whole_line(at, have - (size_t)(at - octets), &h)) > 0) {
        take(context, at, &h);
        at += length;
    }
    offset += (uint64_t)(at - octets);
    free(octets);
    return offset;
}

static void count_line(void *context, const char *octets, const struct head *h)
{
    struct segment *g = context;

    (void)octets;
    g->lines++;
    g->informational += h->mark.severity >= INFORMATIONAL;
}

static int add_segment(struct spool *s, uint64_t number)
{
    size_t capacity = s->capacity ? 2 * s->capacity : 64;
    struct segment *more;

    if (s->count == s->capacity) {
        more = realloc(s->segments, capacity * sizeof *more);
        if (!more)
            return SD_EMEM;
        s->segments = more;
        s->capacity = capacity;
    }
    s->segments[s->count++] = (struct segment){.number = number};
    return SD_OK;
}

static int by_number(const void *left, const void *right)
{
    const struct segment *a = left, *b = right;

    return (a->number > b->number) - (a->number < b->number);
}

/* The files that are there. */
static int list_segments(struct spool *s)
{
    DIR *folder = opendir(s->folder);
    const struct dirent *entry;
    int status = SD_OK, length;
    unsigned long long number;

    if (!folder)
        return SD_EIO;
    while (status == SD_OK && (entry = readdir(folder)) != NULL) {
        length = 0;
        if (sscanf(entry->d_name, "%16llx.lines%n", &number, &length) == 1 && length == 22 &&
            !entry->d_name[length])
            status = add_segment(s, number);
    }
    closedir(folder);
    if (s->count)
        qsort(s->segments, s->count, sizeof *s->segments, by_number);
    return status;
}

static uint64_t cursor_check(const struct cursor *c)
{
    return hash_bytes(c, offsetof(struct cursor, check), 0);
}

static void save_cursor(const struct spool *s)
{
    struct cursor c = {.number = s->settled.number, .offset = s->settled.offset};

    c.check = cursor_check(&c);
    /* Not written, it tells a line again, which receivers are ready for. */
    if (pwrite(s->cursor_file, &c, sizeof c, 0) != sizeof c)
        return;
}

static void load_cursor(struct spool *s)
{
    struct cursor c;

    if (pread(s->cursor_file, &c, sizeof c, 0) == sizeof c && c.check == cursor_check(&c))
        s->settled = (struct spool_place){.number = c.number, .offset = c.offset};
}

static void forget_first(struct spool *s)
{
    char path[PATH_SIZE];

    unlink(segment_path(s, s->segments[0].number, path));
    s->counts.bytes -= s->segments[0].size;
    s->count--;
    memmove(s->segments, s->segments + 1, s->count * sizeof *s->segments);
}

/* To the beginning of the first segment, if that lies behind the place. */
static void catch_up(const struct spool *s, struct spool_place *p)
{
    if (s->count && p->number < s->segments[0].number)
        *p = (struct spool_place){.number = s->segments[0].number, .told = p->told};
}

/* What an earlier run left: what was taken goes, what waits is counted. */
static void take_up(struct spool *s)
{
    load_cursor(s);
    while (s->count && s->segments[0].number < s->settled.number)
        forget_first(s);
    catch_up(s, &s->settled);
    s->at = s->settled;
    for (size_t i = 0; i < s->count; i++) {
        struct segment *g = s->segments + i;
        char path[PATH_SIZE];
        struct stat is;

        g->size = each_line(s, g->number, i == 0 ? s->settled.offset : 0, count_line, g);
        if (stat(segment_path(s, g->number, path), &is) == 0 && (uint64_t)is.st_size > g->size)
            s->counts.damaged++; /* and what stands behind it */
        s->counts.bytes += g->size;
        s->counts.lines += g->lines;
    }
}

/* A sensor that was killed may still be ending. */
static bool is_ours(int file)
{
    static const struct timespec moment = {.tv_nsec = 100 * 1000 * 1000};

    for (int tries = 0; tries < 50; tries++) {
        if (flock(file, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK)
            return false;
        nanosleep(&moment, NULL);
    }
    errno = EBUSY; /* another sensor's */
    return false;
}

int spool_open(const char *folder, uint64_t limit, struct spool **out, char error[SPOOL_ERROR])
{
    struct spool *s = calloc(1, sizeof *s);
    char path[PATH_SIZE];
    int status = SD_EIO;

    if (!s)
        return SD_EMEM;
    text_copy(s->folder, sizeof s->folder, folder);
    s->limit = limit < SPOOL_LEAST ? SPOOL_LEAST : limit;
    s->writing = s->cursor_file = -1;
    snprintf(path, sizeof path, "%s/cursor", s->folder);
    if ((mkdir(s->folder, 0750) == 0 || errno == EEXIST) &&
        (s->cursor_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640)) >= 0 &&
        is_ours(s->cursor_file))
        status = list_segments(s);
    s->octets = malloc(BATCH + 1);
    if (status == SD_OK && s->octets) {
        take_up(s);
        *out = s;
        return SD_OK;
    }
    snprintf(error, SPOOL_ERROR, "cannot keep lines in %.150s: %s", s->folder, strerror(errno));
    status = s->octets ? status : SD_EMEM;
    spool_close(s);
    return status;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    spool_flush(s);
    if (s->writing >= 0)
        close(s->writing);
    if (s->cursor_file >= 0)
        close(s->cursor_file);
    free(s->segments);
    free(s->octets);
    free(s);
}

static int begin_segment(struct spool *s)
{
    uint64_t number = s->count ? s->segments[s->count - 1].number + 1 : s->settled.number + 1;
    char path[PATH_SIZE];

    if (s->writing >= 0)
        close(s->writing);
    s->writing =
        open(segment_path(s, number, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (s->writing < 0)
        return SD_EIO;
    if (add_segment(s, number) != SD_OK)
        return SD_EIO;
    catch_up(s, &s->settled);
    catch_up(s, &s->at);
    return SD_OK;
}

/* What an earlier run wrote last is not gone on with: it may end in half a line. */
static bool must_begin(const struct spool *s)
{
    return s->writing < 0 || !s->count || s->segments[s->count - 1].size >= SEGMENT;
}

int spool_flush(struct spool *s)
{
    struct segment *g;
    size_t done = 0;
    ssize_t n;

    if (!s->pending)
        return SD_OK;
    if (must_begin(s) && begin_segment(s) != SD_OK)
        return SD_EIO;
    g = &s->segments[s->count - 1];
    while (done < s->pending) { /* what a full disk cut off is written over by the next try */
        n = pwrite(s->writing, s->waiting + done, s->pending - done, (off_t)(g->size + done));
        if (n < 0 && errno != EINTR)
            return SD_EIO;
        done += n > 0 ? (size_t)n : 0;
    }
    g->size += s->pending;
    g->lines += s->pending_lines;
    g->informational += s->pending_informational;
    s->counts.bytes += s->pending;
    s->pending = 0;
    s->pending_lines = s->pending_informational = 0;
    return SD_OK;
}

/* Lines of a segment that are worth more than room. */
struct keeping {
    int file;
    uint64_t size, lines;
    bool failed;
};

static void keep_graver(void *context, const char *octets, const struct head *h)
{
    struct keeping *k = context;
    size_t size = sizeof *h + h->length;

    if (h->mark.severity >= INFORMATIONAL || k->failed)
        return;
    k->failed = pwrite(k->file, octets, size, (off_t)k->size) != (ssize_t)size;
    k->size += size;
    k->lines++;
}

/* Writes a segment anew without its informational lines. */
static int thin_out(struct spool *s, struct segment *g)
{
    char path[PATH_SIZE], anew[PATH_SIZE + 8];
    struct keeping k = {0};

    segment_path(s, g->number, path);
    snprintf(anew, sizeof anew, "%s.new", path);
    k.file = open(anew, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (k.file < 0)
        return SD_EIO;
    each_line(s, g->number, 0, keep_graver, &k);
    close(k.file);
    if (k.failed || k.lines != g->lines - g->informational || rename(anew, path) != 0) {
        unlink(anew);
        return SD_EIO;
    }
    s->counts.informational += g->informational;
    s->counts.lines -= g->informational;
    s->counts.bytes -= g->size - k.size;
    *g = (struct segment){.number = g->number, .size = k.size, .lines = k.lines};
    return SD_OK;
}

/* The oldest goes whole; what of it was told may have arrived. */
static void drop_first(struct spool *s)
{
    const struct segment *g = &s->segments[0];

    if (s->at.number == g->number) {
        s->counts.informational += g->informational - s->at.informational;
        s->counts.graver += g->lines - g->informational - (s->at.lines - s->at.informational);
        s->counts.lines -= g->lines - s->at.lines;
    }
    s->batch_lines = 0; /* what is on its way is not waited for */
    forget_first(s);
    catch_up(s, &s->settled);
    catch_up(s, &s->at);
    save_cursor(s);
}

/* Neither the file that is being told nor the one that is written to. False: there is nothing to
 * give up. */
static bool make_room(struct spool *s)
{
    for (size_t i = 1; i + 1 < s->count; i++)
        if (s->segments[i].informational && s->segments[i].number > s->at.number)
            if (thin_out(s, s->segments + i) == SD_OK)
                return true;
    if (s->count < 2)
        return false;
    drop_first(s);
    return true;
}

int spool_put(struct spool *s, const char *line, const struct spool_mark *mark)
{
    struct head h = {.length = (uint32_t)strnlen(line, LINE_MOST + 1), .mark = *mark};
    size_t size = sizeof h + h.length;

    if (size > sizeof s->waiting)
        return SD_EIO;
    if (size > sizeof s->waiting - s->pending && spool_flush(s) != SD_OK)
        return SD_EIO;
    while (s->counts.bytes + s->pending + size > s->limit && make_room(s))
        continue;
    h.check = check_of(&h, line);
    memcpy(s->waiting + s->pending, &h, sizeof h);
    memcpy(s->waiting + s->pending + sizeof h, line, h.length);
    s->pending += size;
    s->pending_lines++;
    s->pending_informational += mark->severity >= INFORMATIONAL;
    s->counts.lines++;
    return SD_OK;
}

static const struct segment *segment_at(const struct spool *s, uint64_t number)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->segments[i].number >= number)
            return s->segments + i;
    return NULL;
}

/* Takes the whole lines of these octets, which stand at the place, into the batch. */
static void take_lines(struct spool *s, char *octets, size_t have, struct spool_place *at,
                       struct spool_line *lines, size_t most)
{
    struct head h;
    size_t size;

    while (s->batch_lines < most && (size = whole_line(octets, have, &h)) > 0) {
        at->offset += size;
        at->told++;
        at->lines++;
        at->informational += h.mark.severity >= INFORMATIONAL;
        lines[s->batch_lines] = (struct spool_line){octets + sizeof h, h.length, h.mark};
        s->batch[s->batch_lines++] = *at;
        octets += size;
        have -= size;
    }
}

/* What the file gave when it was written, it gives no longer: the rest of it is lost. */
static void skip_damage(struct spool *s, const struct segment *g)
{
    s->counts.damaged += g->lines - s->at.lines;
    s->counts.lines -= g->lines - s->at.lines;
    s->at.told += g->lines - s->at.lines;
    s->at.lines = g->lines;
    s->at.informational = g->informational;
    s->at.offset = g->size;
}

size_t spool_next(struct spool *s, struct spool_line *lines, size_t most)
{
    const struct segment *g = segment_at(s, s->at.number);
    struct spool_place at;
    size_t have, left;

    while (g && s->at.number == g->number && s->at.offset >= g->size &&
           g + 1 < s->segments + s->count)
        g++, s->at = (struct spool_place){.number = g->number, .told = s->at.told};
    s->batch_lines = 0;
    if (!g || s->at.offset >= g->size)
        return 0;
    at = s->at;
    left = (size_t)(g->size - at.offset);
    have = read_at(s, g->number, at.offset, s->octets, left < BATCH ? left : BATCH);
    take_lines(s, s->octets, have, &at, lines, most < SPOOL_BATCH ? most : SPOOL_BATCH);
    for (size_t i = 0; i < s->batch_lines; i++) /* over the head of the next, which was read */
        s->octets[lines[i].text - s->octets + (ptrdiff_t)lines[i].length] = '\0';
    if (!s->batch_lines)
        skip_damage(s, g);
    return s->batch_lines ? s->batch_lines : spool_next(s, lines, most);
}

void spool_told(struct spool *s, size_t count)
{
    if (count > s->batch_lines)
        count = s->batch_lines; /* they were given up meanwhile */
    if (!count)
        return;
    s->counts.lines -= s->batch[count - 1].told - s->at.told;
    s->at = s->batch[count - 1];
    s->batch_lines = 0;
}

struct spool_place spool_place(const struct spool *s)
{
    return s->at;
}

void spool_settle(struct spool *s, const struct spool_place *place)
{
    if (place->number < s->settled.number ||
        (place->number == s->settled.number && place->offset <= s->settled.offset))
        return; /* it was given up meanwhile */
    s->settled = *place;
    while (s->count > 1 && s->segments[0].number < place->number)
        forget_first(s);
    save_cursor(s);
}

void spool_rewind(struct spool *s)
{
    s->counts.lines += s->at.told - s->settled.told;
    s->at = s->settled;
    s->batch_lines = 0;
}

struct spool_counts spool_counts(const struct spool *s)
{
    return s->counts;
}
