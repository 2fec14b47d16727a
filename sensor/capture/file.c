/* Captures in files, merged by the time of their packets. */
#include <errno.h>
#include <pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "capture/capture.h"
#include "capture/pcapng.h"

enum {
    READ_MAX = 1000,
    BUFFER = 256 << 10,
    LINKTYPE_RAW_IP = 101 /* libpcap calls it DLT_RAW, 12 here */
};

struct file {
    const char *path;
    FILE *stream;
    char *buffer; /* of the stream: glibc takes a size only together with memory */
    pcap_t *pcap; /* or */
    struct pcapng *pcapng;
    int linktype;
    int64_t size;       /* -1: no regular file */
    struct frame frame; /* the next one, unless ended */
    bool ended;
    char notice[CAPTURE_ERROR]; /* "": none, or told already */
};

struct files {
    struct capture base;
    size_t count;
    bool failed;
    char error[CAPTURE_ERROR];
    char told[CAPTURE_ERROR];
    struct file file[];
};

static void __attribute__((format(printf, 2, 3)))
say(char text[CAPTURE_ERROR], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, CAPTURE_ERROR, format, arguments);
    va_end(arguments);
}

static const char *name_of(const struct file *f)
{
    return strcmp(f->path, "-") == 0 ? "standard input" : f->path;
}

static int next_of_pcap(struct file *f)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int got = pcap_next_ex(f->pcap, &header, &bytes);

    if (got == PCAP_ERROR_BREAK)
        return SD_EEND;
    if (got != 1)
        return ferror(f->stream)                           ? SD_EIO
               : strstr(pcap_geterr(f->pcap), "truncated") ? SD_ETRUNC
                                                           : SD_EMALF;
    f->frame.bytes = bytes;
    f->frame.captured = header->caplen;
    f->frame.length = header->len > header->caplen ? header->len : header->caplen;
    f->frame.time = header->ts.tv_sec * NSEC_S + header->ts.tv_usec; /* nanoseconds, as asked for */
    f->frame.linktype = f->linktype;
    return 0;
}

/* Makes the file's next frame ready, or ends it: by its end, or by damage that is only noted. */
static int advance(struct files *files, struct file *f)
{
    int result = f->pcapng ? pcapng_next(f->pcapng, &f->frame) : next_of_pcap(f);

    if (result == 0)
        return 0;
    f->ended = true;
    if (result == SD_ETRUNC)
        say(f->notice, "%s ends in the middle of a packet; read to the last whole one", name_of(f));
    else if (result == SD_EMALF)
        say(f->notice, "%s is damaged; read to the last packet before the damage", name_of(f));
    else if (result != SD_EEND)
        say(files->error, "cannot read %s: %s", name_of(f),
            result == SD_EIO ? strerror(errno) : sd_strerror(result));
    return result == SD_ETRUNC || result == SD_EMALF || result == SD_EEND ? 0 : result;
}

static int open_pcap(struct file *f)
{
    char text[PCAP_ERRBUF_SIZE];

    f->pcap = pcap_fopen_offline_with_tstamp_precision(f->stream, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!f->pcap)
        return ferror(f->stream) ? SD_EIO : SD_EFORMAT;
    f->linktype = pcap_datalink(f->pcap) == DLT_RAW ? LINKTYPE_RAW_IP : pcap_datalink(f->pcap);
    return 0;
}

/* The first octet tells the two formats apart, and one octet can be put back on any stream. */
static int open_format(struct file *f)
{
    enum { SECTION_HEADER = 0x0a };
    int first = getc(f->stream);

    if (first == EOF)
        return ferror(f->stream) ? SD_EIO : SD_EFORMAT;
    ungetc(first, f->stream);
    return first == SECTION_HEADER ? pcapng_open(f->stream, &f->pcapng) : open_pcap(f);
}

static int open_file(struct file *f, char error[CAPTURE_ERROR])
{
    struct stat status;
    int result;

    f->stream = strcmp(f->path, "-") == 0 ? stdin : fopen(f->path, "rbe");
    if (!f->stream) {
        say(error, "cannot open %s: %s", name_of(f), strerror(errno));
        return errno == ENOENT ? SD_ENOENT : SD_EIO;
    }
    f->buffer = malloc(BUFFER);
    if (f->buffer)
        setvbuf(f->stream, f->buffer, _IOFBF, BUFFER);
    __fsetlocking(f->stream, FSETLOCKING_BYCALLER);
    f->size =
        fstat(fileno(f->stream), &status) == 0 && S_ISREG(status.st_mode) ? status.st_size : -1;
    result = open_format(f);
    if (result == SD_EFORMAT)
        say(error, "%s is not a pcap or pcapng capture", name_of(f));
    else if (result != 0)
        say(error, "cannot read %s: %s", name_of(f),
            result == SD_EIO ? strerror(errno) : sd_strerror(result));
    return result;
}

static void close_file(struct file *f)
{
    pcapng_close(f->pcapng);
    if (f->pcap)
        pcap_close(f->pcap); /* closes the stream too */
    else if (f->stream && f->stream != stdin)
        fclose(f->stream);
    if (f->stream != stdin)
        free(f->buffer); /* standard input stays open, and keeps it */
}

/* The file whose next frame is the oldest, the first of equals; NULL: all have ended. */
static struct file *oldest(struct files *files)
{
    struct file *best = NULL;

    for (size_t i = 0; i < files->count; i++) {
        struct file *f = &files->file[i];

        if (!f->ended && (!best || f->frame.time < best->frame.time))
            best = f;
    }
    return best;
}

static int files_read(struct capture *c, capture_frame_fn fn, void *context)
{
    struct files *files = (struct files *)c;
    int given = 0;

    while (given < READ_MAX && !files->failed) {
        struct file *f = oldest(files);

        if (!f)
            return given ? given : SD_EEND;
        fn(context, &f->frame);
        given++;
        files->failed = advance(files, f) != 0;
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
        if (!files->file[i].notice[0])
            continue;
        memcpy(files->told, files->file[i].notice, sizeof files->told);
        files->file[i].notice[0] = '\0';
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
        close_file(&files->file[i]);
    free(files);
}

int capture_files_open(char *const *paths, size_t count, struct capture **out,
                       char error[CAPTURE_ERROR])
{
    static const struct capture_ops ops = {
        .read = files_read,
        .counters = files_counters,
        .error = files_error,
        .notice = files_notice,
        .destroy = files_destroy,
    };
    struct files *files = calloc(1, sizeof *files + count * sizeof *files->file);
    int result = 0;

    error[0] = '\0';
    if (!files) {
        say(error, "out of memory");
        return SD_EMEM;
    }
    files->base.ops = &ops;
    for (size_t i = 0; i < count && result == 0; i++) {
        files->file[i].path = paths[i];
        files->count++;
        result = open_file(&files->file[i], error);
        if (result == 0 && (result = advance(files, &files->file[i])) != 0)
            memcpy(error, files->error, CAPTURE_ERROR);
    }
    if (result != 0) {
        files_destroy(&files->base);
        return result;
    }
    *out = &files->base;
    return 0;
}

int capture_files_progress(const struct capture *c)
{
    const struct files *files = (const struct files *)c;
    double read = 0, size = 0;

    for (size_t i = 0; i < files->count; i++) {
        if (files->file[i].size < 0)
            return -1;
        size += (double)files->file[i].size;
        read += (double)ftello(files->file[i].stream);
    }
    return size > 0 ? (int)(read / size * 1000) : 1000;
}
