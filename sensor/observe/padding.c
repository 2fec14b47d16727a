#include "observe/padding.h"

enum { PREFIX = 2, MESSAGES_MAX = 8 };

/* Suites whose overhead is not that of the common ones (RFC 7905, RFC 6655). */
static int is_chacha(uint16_t cipher)
{
    return cipher >= 0xcca8 && cipher <= 0xccae;
}

static int is_ccm8(uint16_t cipher)
{
    return cipher == 0x1305 || (cipher >= 0xc0a0 && cipher <= 0xc0a3) || cipher == 0xc0ae ||
           cipher == 0xc0af;
}

unsigned record_overhead(int tls13, uint16_t cipher)
{
    if (tls13)
        return is_ccm8(cipher) ? 9 : 17;
    return is_chacha(cipher) || is_ccm8(cipher) ? 16 : 24;
}

unsigned record_messages(unsigned length, unsigned overhead, unsigned block)
{
    unsigned plain, messages;

    if (length < RECORD_LEAST || length <= overhead)
        return 0;
    plain = length - overhead;
    messages = plain % block / PREFIX;
    if (plain % 2 || messages == 0 || messages > MESSAGES_MAX || plain / block < messages)
        return 1;
    return messages;
}
