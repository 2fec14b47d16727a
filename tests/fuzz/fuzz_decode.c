/* A frame of any link type: two octets of it, one of how much the snap length cut, then its bytes.
 * Several frames in one input meet in the reassembly: each begins with its length. */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "decode/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct cursor c = cursor_over(bytes, length);
    struct decoder *d = decoder_create(true, 1, 65536);
    struct stats stats = {0};
    struct packet packet;
    volatile uint8_t read = 0;

    while (d && c.left >= 5) {
        struct frame frame = {.linktype = cursor_u16(&c), .length = cursor_u8(&c)};
        struct cursor body;
        uint8_t *copy;

        frame.captured = cursor_u16(&c);
        frame.captured = frame.captured < c.left ? frame.captured : (uint32_t)c.left;
        frame.length += frame.captured;
        frame.time = (nsec_t)stats.fragments * NSEC_S;
        body = cursor_sub(&c, frame.captured);
        copy = malloc(frame.captured ? frame.captured : 1); /* so that a read beyond it is seen */
        if (!copy)
            break;
        memcpy(copy, body.at, frame.captured);
        frame.bytes = copy;
        if (decode_frame(d, &frame, &packet, &stats) == 0)
            for (uint32_t i = 0; i < packet.payload_length; i++)
                read ^= packet.payload[i];
        free(copy);
    }
    decoder_finish(d, &stats);
    decoder_destroy(d);
    (void)read;
    return 0;
}
