#include "capture/clip.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

enum { SNAP = 262144 };

/* The file's header and a frame's (draft-ietf-opsawg-pcap), in the order of this machine's octets.
 */
struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zero[2];
    uint32_t snap, linktype;
};

struct frame_header {
    uint32_t seconds, nanoseconds, captured, length;
};

static int write_frame(FILE *to, const struct clip_frame *f)
{
    struct frame_header header = {.seconds = (uint32_t)(f->frame.time / NSEC_S),
                                  .nanoseconds = (uint32_t)(f->frame.time % NSEC_S),
                                  .captured = f->frame.captured,
                                  .length = f->frame.length};

    return fwrite(&header, sizeof header, 1, to) == 1 &&
                   fwrite(f->bytes, 1, f->frame.captured, to) == f->frame.captured
               ? SD_OK
               : SD_EIO;
}

static int write_all(FILE *to, const struct clip_frame *frames, size_t count, uint64_t *octets)
{
    int32_t linktype = count ? frames->frame.linktype : 1;
    struct file_header header = {
        .magic = 0xa1b23c4d, .major = 2, .minor = 4, .snap = SNAP, .linktype = (uint32_t)linktype};
    int status = fwrite(&header, sizeof header, 1, to) == 1 ? SD_OK : SD_EIO;

    for (size_t i = 0; i < count && status == SD_OK; i++)
        if (frames[i].frame.linktype == linktype)
            status = write_frame(to, &frames[i]);
    *octets = (uint64_t)ftello(to);
    return status;
}

/* Its owner's and group's alone, as packets are; never through a link that somebody left there. */
static FILE *create(const char *path)
{
    FILE *to = NULL;
    int descriptor;

    unlink(path); /* of a sensor that ended while it wrote */
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (descriptor >= 0 && !(to = fdopen(descriptor, "w")))
        close(descriptor);
    return to;
}

int clip_write(const char *folder, const char *name, const struct clip_frame *frames, size_t count,
               uint64_t *octets)
{
    char path[512], whole[512];
    FILE *to;
    int status;

    if (strchr(name, '/') ||
        snprintf(path, sizeof path, "%s/.%s", folder, name) >= (int)sizeof path)
        return SD_EIO;
    snprintf(whole, sizeof whole, "%s/%s", folder, name);
    to = create(path);
    if (!to)
        return SD_EIO;
    status = write_all(to, frames, count, octets);
    if (fclose(to) != 0)
        status = SD_EIO;
    if (status == SD_OK && rename(path, whole) != 0)
        status = SD_EIO;
    if (status != SD_OK)
        unlink(path);
    return status;
}
