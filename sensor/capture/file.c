#include "capture/file.h"

#include <errno.h>
#include <pcap.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "capture/pcapng.h"
#include "capture/records.h"
#include "capture/source.h"

enum {
    LINKTYPE_RAW_IP = 101 /* libpcap calls it DLT_RAW, 12 here */
};

struct file {
    const char *path;
    struct source *source;
    pcap_t *pcap; /* or */
    struct pcapng *pcapng;
    struct records *records; /* of pcap, when it need not read them itself */
    int linktype;
    unsigned long long frames;
    char notice[CAPTURE_ERROR], error[CAPTURE_ERROR];
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

/* "": it is not packed. */
static const char *packed(const struct file *f)
{
    const char *name = source_packed(f->source);

    return name ? name : "";
}

static void say_failed(const struct file *f, int result, char error[CAPTURE_ERROR])
{
    if (result == SD_ELIMIT)
        say(error,
            "cannot read %s: its %s data wants a window of more than 128 MiB; unpack it first",
            name_of(f), packed(f));
    else
        say(error, "cannot read %s: %s", name_of(f),
            result == SD_EIO ? strerror(errno) : sd_strerror(result));
}

/* How far a capture was read that ends too early, or is damaged. */
static void say_noted(struct file *f, int result)
{
    bool by_packing = source_fault(f->source) != 0;

    if (result == SD_ETRUNC && by_packing)
        say(f->notice, "%s ends in the middle of its %s data; read to the last whole packet (%llu)",
            name_of(f), packed(f), f->frames);
    else if (result == SD_ETRUNC)
        say(f->notice, "%s ends in the middle of a packet; read to the last whole one (%llu)",
            name_of(f), f->frames);
    else
        say(f->notice, "%s is damaged%s%s; read to the last packet before the damage (%llu)",
            name_of(f), by_packing ? " as " : "", by_packing ? packed(f) : "", f->frames);
}

/* What a reader came to, which does not know why its stream failed. */
static int reason(const struct file *f, int result)
{
    int fault = source_fault(f->source);

    return fault ? fault : result;
}

static int next_of_pcap(struct file *f, struct frame *out)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int got;

    out->linktype = f->linktype;
    out->iface = 0;
    if (f->records)
        return records_next(f->records, out);
    got = pcap_next_ex(f->pcap, &header, &bytes);
    if (got == PCAP_ERROR_BREAK)
        return SD_EEND;
    if (got != 1)
        return strstr(pcap_geterr(f->pcap), "truncated") ? SD_ETRUNC : SD_EMALF;
    out->bytes = bytes;
    out->captured = header->caplen;
    out->length = header->len > header->caplen ? header->len : header->caplen;
    out->time = header->ts.tv_sec * NSEC_S + header->ts.tv_usec; /* nanoseconds, as asked for */
    return 0;
}

int file_next(struct file *f, struct frame *out)
{
    int result = f->pcapng ? pcapng_next(f->pcapng, out) : next_of_pcap(f, out);

    if (result == 0) {
        f->frames++;
        return 0;
    }
    result = reason(f, result);
    if (result == SD_ETRUNC || result == SD_EMALF) {
        say_noted(f, result);
        return SD_EEND;
    }
    if (result != SD_EEND)
        say_failed(f, result, f->error);
    return result;
}

static int open_pcap(struct file *f, int first)
{
    char text[PCAP_ERRBUF_SIZE];
    int result;

    f->pcap = pcap_fopen_offline_with_tstamp_precision(source_stream(f->source),
                                                       PCAP_TSTAMP_PRECISION_NANO, text);
    if (!f->pcap)
        return SD_EFORMAT;
    f->linktype = pcap_datalink(f->pcap) == DLT_RAW ? LINKTYPE_RAW_IP : pcap_datalink(f->pcap);
    result = records_open(source_stream(f->source), f->pcap, first, &f->records);
    return result == SD_EUNSUP ? 0 : result;
}

/* The first octet tells the two formats apart, and one octet can be put back on any stream. */
static int open_format(struct file *f)
{
    enum { SECTION_HEADER = 0x0a };
    FILE *stream = source_stream(f->source);
    int first = getc(stream);

    if (first == EOF)
        return SD_EFORMAT;
    ungetc(first, stream);
    return first == SECTION_HEADER ? pcapng_open(stream, &f->pcapng) : open_pcap(f, first);
}

static void say_refused(const struct file *f, int result, char error[CAPTURE_ERROR])
{
    const char *form = packed(f);

    if (result == SD_EFORMAT)
        say(error, "%s%s is not a pcap or pcapng capture", *form ? "what is packed in " : "",
            name_of(f));
    else if (*form && result == SD_ETRUNC)
        say(error, "%s ends in the middle of its %s data, before the first packet", name_of(f),
            form);
    else if (*form && result == SD_EMALF)
        say(error, "%s is damaged as %s before the first packet", name_of(f), form);
    else
        say_failed(f, result, error);
}

int file_open(const char *path, struct file **out, char error[CAPTURE_ERROR])
{
    struct file *f = calloc(1, sizeof *f);
    int result;

    if (!f) {
        say(error, "out of memory");
        return SD_EMEM;
    }
    f->path = path;
    result = source_open(path, &f->source);
    if (result == SD_OK) {
        result = open_format(f);
        if (result != SD_OK)
            result = reason(f, result);
        if (result != SD_OK)
            say_refused(f, result, error);
    } else {
        say(error, "cannot open %s: %s", name_of(f),
            result == SD_EMEM ? sd_strerror(result) : strerror(errno));
    }
    if (result == SD_OK)
        *out = f;
    else
        file_close(f);
    return result == SD_ETRUNC || result == SD_EMALF ? SD_EFORMAT : result;
}

void file_close(struct file *f)
{
    if (!f)
        return;
    pcapng_close(f->pcapng);
    records_close(f->records);
    if (f->pcap)
        pcap_close(f->pcap); /* closes the stream too */
    else if (f->source && source_stream(f->source))
        fclose(source_stream(f->source));
    source_destroy(f->source);
    free(f);
}

const char *file_notice(const struct file *f)
{
    return f->notice;
}

const char *file_error(const struct file *f)
{
    return f->error;
}

const char *file_packed(const struct file *f)
{
    return source_packed(f->source);
}

int64_t file_size(const struct file *f)
{
    return source_size(f->source);
}

int64_t file_position(const struct file *f)
{
    return source_position(f->source);
}
