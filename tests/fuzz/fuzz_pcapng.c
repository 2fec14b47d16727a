/* A pcapng file. */
#include <stdio.h>

#include "capture/pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    FILE *file = length ? fmemopen((void *)(uintptr_t)bytes, length, "rb") : NULL;
    struct pcapng *reader;
    struct frame frame;
    volatile uint8_t read = 0;

    if (!file)
        return 0;
    if (pcapng_open(file, &reader) == 0) {
        while (pcapng_next(reader, &frame) == 0)
            for (uint32_t i = 0; i < frame.captured; i++)
                read ^= frame.bytes[i];
        pcapng_close(reader);
    }
    fclose(file);
    (void)read;
    return 0;
}
