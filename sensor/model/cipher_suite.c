#include "model/cipher_suite.h"

#include <stddef.h>

enum weakness { NONE, NO_SECRECY, CHAINING, ANONYMOUS, NOT_ENCRYPTED, OLD_CIPHER };

struct range {
    uint16_t first, last;
    uint8_t form, weakness;
};

/* IANA's registry, in its order. What stands in no line is CBC. */
static const struct range ranges[] = {
    {0x0001, 0x0002, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0x0003, 0x0016, SUITE_INTERVAL, OLD_CIPHER},
    {0x0017, 0x001b, SUITE_INTERVAL, ANONYMOUS},
    {0x001e, 0x002b, SUITE_INTERVAL, OLD_CIPHER},
    {0x002c, 0x002e, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0x0034, 0x0034, SUITE_INTERVAL, ANONYMOUS},
    {0x003a, 0x003a, SUITE_INTERVAL, ANONYMOUS},
    {0x003b, 0x003b, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0x0046, 0x0046, SUITE_INTERVAL, ANONYMOUS},
    {0x006c, 0x006d, SUITE_INTERVAL, ANONYMOUS},
    {0x0089, 0x0089, SUITE_INTERVAL, ANONYMOUS},
    {0x008a, 0x008b, SUITE_INTERVAL, OLD_CIPHER},
    {0x008e, 0x008f, SUITE_INTERVAL, OLD_CIPHER},
    {0x0092, 0x0093, SUITE_INTERVAL, OLD_CIPHER},
    {0x009b, 0x009b, SUITE_INTERVAL, ANONYMOUS},
    {0x009c, 0x009d, SUITE_GCM, NO_SECRECY},
    {0x009e, 0x009f, SUITE_GCM, NONE},
    {0x00a0, 0x00a1, SUITE_GCM, NO_SECRECY},
    {0x00a2, 0x00a3, SUITE_GCM, NONE},
    {0x00a4, 0x00a5, SUITE_GCM, NO_SECRECY},
    {0x00a6, 0x00a7, SUITE_GCM, ANONYMOUS},
    {0x00a8, 0x00a9, SUITE_GCM, NO_SECRECY},
    {0x00aa, 0x00ab, SUITE_GCM, NONE},
    {0x00ac, 0x00ad, SUITE_GCM, NO_SECRECY},
    {0x00b0, 0x00b1, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0x00b4, 0x00b5, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0x00b8, 0x00b9, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0x00bf, 0x00bf, SUITE_INTERVAL, ANONYMOUS},
    {0x00c5, 0x00c5, SUITE_INTERVAL, ANONYMOUS},
    {0x1301, 0x1302, SUITE_GCM, NONE},
    {0x1303, 0x1303, SUITE_CHACHA, NONE},
    {0x1304, 0x1304, SUITE_GCM, NONE},
    {0x1305, 0x1305, SUITE_CCM_8, NONE},
    {0xc001, 0xc001, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0xc002, 0xc003, SUITE_INTERVAL, OLD_CIPHER},
    {0xc006, 0xc006, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0xc007, 0xc008, SUITE_INTERVAL, OLD_CIPHER},
    {0xc00b, 0xc00b, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0xc00c, 0xc00d, SUITE_INTERVAL, OLD_CIPHER},
    {0xc010, 0xc010, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0xc011, 0xc012, SUITE_INTERVAL, OLD_CIPHER},
    {0xc015, 0xc019, SUITE_INTERVAL, ANONYMOUS},
    {0xc01a, 0xc01c, SUITE_INTERVAL, OLD_CIPHER},
    {0xc02b, 0xc02c, SUITE_GCM, NONE},
    {0xc02d, 0xc02e, SUITE_GCM, NO_SECRECY},
    {0xc02f, 0xc030, SUITE_GCM, NONE},
    {0xc031, 0xc032, SUITE_GCM, NO_SECRECY},
    {0xc033, 0xc034, SUITE_INTERVAL, OLD_CIPHER},
    {0xc039, 0xc03b, SUITE_INTERVAL, NOT_ENCRYPTED},
    {0xc046, 0xc047, SUITE_INTERVAL, ANONYMOUS},
    {0xc050, 0xc051, SUITE_GCM, NO_SECRECY},
    {0xc052, 0xc053, SUITE_GCM, NONE},
    {0xc054, 0xc055, SUITE_GCM, NO_SECRECY},
    {0xc056, 0xc057, SUITE_GCM, NONE},
    {0xc058, 0xc059, SUITE_GCM, NO_SECRECY},
    {0xc05a, 0xc05b, SUITE_GCM, ANONYMOUS},
    {0xc05c, 0xc05d, SUITE_GCM, NONE},
    {0xc05e, 0xc05f, SUITE_GCM, NO_SECRECY},
    {0xc060, 0xc061, SUITE_GCM, NONE},
    {0xc062, 0xc063, SUITE_GCM, NO_SECRECY},
    {0xc06a, 0xc06b, SUITE_GCM, NO_SECRECY},
    {0xc06c, 0xc06d, SUITE_GCM, NONE},
    {0xc06e, 0xc06f, SUITE_GCM, NO_SECRECY},
    {0xc07a, 0xc07b, SUITE_GCM, NO_SECRECY},
    {0xc07c, 0xc07d, SUITE_GCM, NONE},
    {0xc07e, 0xc07f, SUITE_GCM, NO_SECRECY},
    {0xc080, 0xc081, SUITE_GCM, NONE},
    {0xc082, 0xc083, SUITE_GCM, NO_SECRECY},
    {0xc084, 0xc085, SUITE_GCM, ANONYMOUS},
    {0xc086, 0xc087, SUITE_GCM, NONE},
    {0xc088, 0xc089, SUITE_GCM, NO_SECRECY},
    {0xc08a, 0xc08b, SUITE_GCM, NONE},
    {0xc08c, 0xc08f, SUITE_GCM, NO_SECRECY},
    {0xc090, 0xc091, SUITE_GCM, NONE},
    {0xc092, 0xc093, SUITE_GCM, NO_SECRECY},
    {0xc09c, 0xc09d, SUITE_GCM, NO_SECRECY},
    {0xc09e, 0xc09f, SUITE_GCM, NONE},
    {0xc0a0, 0xc0a1, SUITE_CCM_8, NO_SECRECY},
    {0xc0a2, 0xc0a3, SUITE_CCM_8, NONE},
    {0xc0a4, 0xc0a5, SUITE_GCM, NO_SECRECY},
    {0xc0a6, 0xc0a7, SUITE_GCM, NONE},
    {0xc0a8, 0xc0a9, SUITE_CCM_8, NO_SECRECY},
    {0xc0aa, 0xc0ab, SUITE_CCM_8, NONE},
    {0xc0ac, 0xc0ad, SUITE_GCM, NONE},
    {0xc0ae, 0xc0af, SUITE_CCM_8, NONE},
    {0xcca8, 0xccaa, SUITE_CHACHA, NONE},
    {0xccab, 0xccab, SUITE_CHACHA, NO_SECRECY},
    {0xccac, 0xccad, SUITE_CHACHA, NONE},
    {0xccae, 0xccae, SUITE_CHACHA, NO_SECRECY},
    {0xd001, 0xd002, SUITE_GCM, NONE},
    {0xd003, 0xd003, SUITE_CCM_8, NONE},
    {0xd005, 0xd005, SUITE_GCM, NONE},
};

static const struct range *range_of(uint16_t suite)
{
    static const struct range other = {0, 0, SUITE_INTERVAL, CHAINING};
    size_t low = 0, high = sizeof ranges / sizeof *ranges;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (suite > ranges[middle].last)
            low = middle + 1;
        else if (suite < ranges[middle].first)
            high = middle;
        else
            return &ranges[middle];
    }
    return &other;
}

enum suite_form suite_form(uint16_t suite)
{
    return range_of(suite)->form;
}

enum suite_strength suite_strength(uint16_t suite)
{
    unsigned weakness = range_of(suite)->weakness;

    if (suite == 0)
        return SUITE_UNKNOWN;
    if (weakness == NONE)
        return SUITE_SOUND;
    return weakness == NO_SECRECY || weakness == CHAINING ? SUITE_DATED : SUITE_BROKEN;
}

const char *suite_weakness(uint16_t suite)
{
    static const char *const text[] = {"",
                                       "no forward secrecy",
                                       "block chaining",
                                       "nobody is authenticated",
                                       "not encrypted",
                                       "a cipher that is broken"};

    return suite ? text[range_of(suite)->weakness] : "";
}

unsigned suite_overhead(bool tls13, uint16_t suite)
{
    enum { CONTENT_TYPE = 1, NONCE = 8, TAG = 16, TAG_8 = 8 };
    enum suite_form form = suite_form(suite);

    if (tls13)
        return CONTENT_TYPE + (form == SUITE_CCM_8 ? TAG_8 : TAG);
    switch (form) {
    case SUITE_GCM:
        return NONCE + TAG;
    case SUITE_CCM_8:
        return NONCE + TAG_8;
    case SUITE_CHACHA:
        return TAG;
    default:
        return 0;
    }
}
