/* The meter of TLS records says the same of a stream of records however it is cut into segments. It
 * and the assembly of DNS messages must not break on anything else, or where bytes are missing. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "observe/assembly.h"
#include "observe/padding.h"
#include "observe/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct told {
    uint64_t hash;
    unsigned count;
};

static void take_record(void *context, const struct tls_record *r)
{
    struct told *t = context;
    uint64_t what = (uint64_t)r->type << 32 | (uint64_t)r->alert << 16 | r->length;
    bool padded;

    t->hash = hash_mix(t->hash, what);
    t->count++;
    if (record_messages(r->length, r->type & 1 ? 17 : 24, PAD_QUERY, &padded) > 8 ||
        (padded && r->length < PAD_QUERY))
        abort();
}

static bool take_message(void *context, const uint8_t *bytes, uint32_t present, uint32_t whole)
{
    struct told *t = context;

    if (present > whole)
        abort();
    t->hash = hash_mix(t->hash, hash_bytes(bytes, present, 1));
    t->count++;
    return present % 5 != 0;
}

/* Feeds a stream in pieces of the given size (0: at once); every `hole`-th piece lacks its end.
 * True: the meter is in step at the end. */
static bool feed(const uint8_t *bytes, size_t length, size_t size, unsigned hole,
                 struct told told[2])
{
    struct meter meter = {0};
    struct dns_assembly assembly = {0};
    struct budget budget = {.limit = 1 << 20};
    unsigned n = 0;

    memset(told, 0, 2 * sizeof *told);
    for (size_t at = 0; at < length;) {
        size_t some = size && size < length - at ? size : length - at;
        uint32_t missing = hole && ++n % hole == 0 ? (uint32_t)some / 2 : 0;
        struct stream_piece piece = {bytes + at, (uint32_t)some - missing, missing, (uint32_t)at};

        meter_feed(&meter, &piece, (struct meter_reader){take_record, &told[0]});
        assembly_feed(&assembly, &budget, &piece, (struct assembly_reader){take_message, &told[1]});
        at += some;
    }
    assembly_drop(&assembly, &budget);
    if (budget.used != 0)
        abort();
    return meter.state == METER_RUNNING;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct told whole[2], cut[2];
    bool records;

    if (length == 0 || length > 65536)
        return 0;
    records = feed(bytes + 1, length - 1, 0, 0, whole);
    feed(bytes + 1, length - 1, 1 + bytes[0] % 64, 0, cut);
    if (records && memcmp(&whole[0], &cut[0], sizeof whole[0]) != 0)
        abort();
    feed(bytes + 1, length - 1, 2 + bytes[0] % 64, 2 + bytes[0] % 3, cut);
    return 0;
}
