/* Zstandard (RFC 8878): frames one after the other, skippable ones among them, as pzstd makes them.
 */
#include <zstd.h>
#include <zstd_errors.h>

#include "base/error.h"
#include "capture/unpack.h"

static bool is_zstd(const uint8_t head[UNPACK_HEAD])
{
    bool frame = head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd;
    bool skippable =
        (head[0] & 0xf0) == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18;

    return frame || skippable;
}

static void *create(void)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();

    if (z && ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, UNPACK_WINDOW_LOG))) {
        ZSTD_freeDCtx(z);
        return NULL;
    }
    return z;
}

static void destroy(void *state)
{
    ZSTD_freeDCtx(state);
}

static int error_of(size_t result)
{
    switch (ZSTD_getErrorCode(result)) {
    case ZSTD_error_frameParameter_windowTooLarge:
        return SD_ELIMIT;
    case ZSTD_error_memory_allocation:
        return SD_EMEM;
    default:
        return SD_EMALF;
    }
}

static int step(void *state, struct unpacking *u)
{
    ZSTD_inBuffer in = {u->in, u->in_left, 0};
    ZSTD_outBuffer out = {u->out, u->out_left, 0};
    size_t result = ZSTD_decompressStream(state, &out, &in);

    u->in += in.pos;
    u->in_left -= in.pos;
    u->out += out.pos;
    u->out_left -= out.pos;
    if (ZSTD_isError(result))
        return error_of(result);
    return result == 0 ? SD_EEND : 0;
}

const struct unpacker unpacker_zstd = {"zstd", is_zstd, create, destroy, step};
