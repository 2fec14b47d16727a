/* The LZ4 frame format; its window is a block of at most 4 MiB. */
#include <lz4frame.h>

#include "base/error.h"
#include "capture/unpack.h"

static bool is_lz4(const uint8_t head[UNPACK_HEAD])
{
    return head[0] == 0x04 && head[1] == 0x22 && head[2] == 0x4d && head[3] == 0x18;
}

static void *create(void)
{
    LZ4F_dctx *l;

    return LZ4F_isError(LZ4F_createDecompressionContext(&l, LZ4F_VERSION)) ? NULL : l;
}

static void destroy(void *state)
{
    LZ4F_freeDecompressionContext(state);
}

static int step(void *state, struct unpacking *u)
{
    size_t in = u->in_left, out = u->out_left;
    size_t result = LZ4F_decompress(state, u->out, &out, u->in, &in, NULL);

    if (LZ4F_isError(result))
        return SD_EMALF;
    u->in += in;
    u->in_left -= in;
    u->out += out;
    u->out_left -= out;
    return result == 0 ? SD_EEND : 0;
}

const struct unpacker unpacker_lz4 = {"lz4", is_lz4, create, destroy, step};
