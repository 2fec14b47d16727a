/* Compressed captures: one format a file, known by its first octets. Internal to capture/. */
#ifndef SEALDNS_CAPTURE_UNPACK_H
#define SEALDNS_CAPTURE_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    UNPACK_HEAD = 4,
    UNPACK_WINDOW_LOG = 27 /* 128 MiB: what zstd takes unless it is told to take more */
};

struct unpacking {
    const uint8_t *in;
    uint8_t *out;
    size_t in_left, out_left;
};

struct unpacker {
    const char *name;
    bool (*is)(const uint8_t head[UNPACK_HEAD]);
    void *(*create)(void); /* NULL: out of memory */
    void (*destroy)(void *state);
    /* Goes on as far as input and room for output reach. 0. SD_EEND: what can stand alone has
     * ended, another one may follow. SD_EMALF. SD_ELIMIT: it wants a window beyond
     * UNPACK_WINDOW_LOG. SD_EMEM. */
    int (*step)(void *state, struct unpacking *u);
};

extern const struct unpacker *const unpackers[]; /* ends with NULL */

#endif
