/* A frame of any link type: two octets of it, one of how much the snap length cut, then its bytes.
 * Several frames in one input meet in the reassembly: each begins with its length. What is taken at
 * one go is what the walk from layer to layer gives. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "decode/decode.h"
#include "decode/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_plain(struct decoder *d, const struct frame *frame)
{
    struct packet plain, walked;
    struct stats stats = {0}, none = {0};

    if (!plain_frame(frame, true, &plain))
        return;
    if (walk_frame(d, frame, &walked, &stats) != 0 || walked.quote.proto || plain.quote.proto ||
        memcmp(&plain, &walked, offsetof(struct packet, quote)) != 0 ||
        memcmp(&stats, &none, sizeof stats) != 0) {
        fprintf(stderr, "plain_frame() and walk_frame() differ\n");
        abort();
    }
}

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
        check_plain(d, &frame);
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
