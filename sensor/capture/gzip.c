/* gzip (RFC 1952): members one after the other, as pigz, bgzip and cat make them. */
#include <stdlib.h>
#include <zlib.h>

#include "base/error.h"
#include "capture/unpack.h"

struct gzip {
    z_stream stream;
    bool inside; /* a member */
};

static bool is_gzip(const uint8_t head[UNPACK_HEAD])
{
    return head[0] == 0x1f && head[1] == 0x8b;
}

static void *create(void)
{
    enum { GZIP_ONLY = 16 };
    struct gzip *g = calloc(1, sizeof *g);

    if (g && inflateInit2(&g->stream, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        free(g);
        return NULL;
    }
    return g;
}

static void destroy(void *state)
{
    struct gzip *g = state;

    if (g)
        inflateEnd(&g->stream);
    free(g);
}

/* Zeros behind the last member are the padding of tapes and disks. */
static int skip_padding(struct unpacking *u)
{
    while (u->in_left && *u->in == 0) {
        u->in++;
        u->in_left--;
    }
    return SD_EEND;
}

static int step(void *state, struct unpacking *u)
{
    struct gzip *g = state;
    int result;

    if (!g->inside && u->in_left && *u->in == 0)
        return skip_padding(u);
    g->inside |= u->in_left > 0;
    g->stream.next_in = (unsigned char *)(uintptr_t)u->in; /* zlib only reads it */
    g->stream.avail_in = (unsigned)u->in_left;
    g->stream.next_out = u->out;
    g->stream.avail_out = (unsigned)u->out_left;
    result = inflate(&g->stream, Z_NO_FLUSH);
    u->in = g->stream.next_in;
    u->in_left = g->stream.avail_in;
    u->out = g->stream.next_out;
    u->out_left = g->stream.avail_out;
    if (result == Z_STREAM_END) {
        g->inside = false;
        return inflateReset(&g->stream) == Z_OK ? SD_EEND : SD_EMALF;
    }
    return result == Z_OK || result == Z_BUF_ERROR ? 0 : result == Z_MEM_ERROR ? SD_EMEM : SD_EMALF;
}

const struct unpacker unpacker_gzip = {"gzip", is_gzip, create, destroy, step};
