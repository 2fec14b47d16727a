/* Where frames come from: an interface or files. */
#ifndef SEALDNS_CAPTURE_CAPTURE_H
#define SEALDNS_CAPTURE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/frame.h"

#define CAPTURE_ERROR 256

struct shunt;
struct capture; /* begins with a const struct capture_ops * */

typedef void (*capture_frame_fn)(void *context, const struct frame *frame);

struct capture_counters {
    uint64_t received, kernel_drops, interface_drops;
};

/* So many frames in one call: there may be more. */
#define CAPTURE_READ_MOST 1000

/* One source of frames. read() gives up to CAPTURE_READ_MOST frames, then returns. */
struct capture_ops {
    /* > 0: frames given. SD_EAGAIN: none within the wait. SD_EEND: end of the last file.
     * SD_ENET: the interface is gone (live; keep calling, it may come back). SD_EIO: error() says.
     */
    int (*read)(struct capture *c, capture_frame_fn fn, void *context);
    int (*counters)(struct capture *c, struct capture_counters *out);
    const char *(*error)(struct capture *c);  /* one line; "" when none */
    const char *(*notice)(struct capture *c); /* a truncated file and the like, once; NULL: none */
    void (*destroy)(struct capture *c);
};

struct capture {
    const struct capture_ops *ops;
};

/* Which of several readers of one interface it is; of 0 or 1: the only one. */
struct capture_share {
    unsigned number, of;
};

struct capture_live_options {
    const char *interface;
    uint16_t index;        /* into the sensor's interfaces */
    const uint16_t *ports; /* watched besides 53, 853, 443, 5353, 5355 */
    size_t port_count;
    bool tunnels;
    bool shunt;        /* of flows on 443: capture/shunt.h */
    size_t ring_bytes; /* 0: 64 MiB */
    int timeout_ms;    /* 0: 2: a frame waits no longer than this in the ring */
    struct capture_share share;
};

/* Opens, sets the kernel filter, activates: the part that needs privilege. error gets one line that
 * says what to do. SD_EPERM, SD_ENOENT (no such interface), SD_ENET, SD_EMEM. */
int capture_live_open(const struct capture_live_options *options, struct capture **out,
                      char error[CAPTURE_ERROR]);
/* The packet socket, for poll() and for the monitor's rebind. */
int capture_live_descriptor(const struct capture *c);
/* What counts flows in the kernel; the capture's own. NULL: every packet comes to us, and
 * capture_live_unshunted() says why. */
struct shunt *capture_live_shunt(const struct capture *c);
const char *capture_live_unshunted(const struct capture *c);
/* Binds the socket (shared by fork) to the interface that has this name now, after it was taken
 * away or replaced; costs nothing where it is bound to it already, so may be called at every look.
 * SD_ENOENT: there is none of this name; SD_ENET. */
int capture_live_rebind(int descriptor, const char *interface);
/* The name of the interface it is bound to, now. SD_ENOENT: to none, or it is gone. */
int capture_live_bound(int descriptor, char name[16]);

/* Frames one by one. */
struct capture_frames {
    /* 0: *out, borrowed until the next call. SD_EEND; SD_EIO and other errors. */
    int (*next)(void *of, struct frame *out);
    void *of;
};

/* Who reads files ahead, in threads of their own; capture/ has none. */
struct capture_ahead {
    bool plain;                                  /* also what is not packed */
    void *(*start)(struct capture_frames from);  /* NULL: it cannot */
    int (*next)(void *ahead, struct frame *out); /* as of capture_frames, and the same */
    void (*stop)(void *ahead);                   /* from is not called any more after this */
};

/* pcap, pcapng, both also packed by gzip, zstd or lz4, whatever they are called; "-" is standard
 * input. Several files are merged in the order of their packets' time (equal times: in the order
 * given). A capture that ends inside a packet, or is damaged, is read to its last whole packet and
 * notice() says so. ahead: may be NULL. SD_EFORMAT (no capture), SD_ENOENT, SD_EIO, SD_ELIMIT (zstd
 * with a window beyond 128 MiB), SD_EMEM: error says which file. */
int capture_files_open(char *const *paths, size_t count, const struct capture_ahead *ahead,
                       struct capture **out, char error[CAPTURE_ERROR]);

/* Octets of the files, packed as they are: read so far, and in all (-1 unknown: standard input). */
struct capture_progress {
    int64_t read, size;
};
void capture_files_progress(const struct capture *c, struct capture_progress *out);

#endif
