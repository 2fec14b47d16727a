#include "model/probe.h"

#include <stdio.h>
#include <string.h>

const char *fault_name(unsigned fault)
{
#define X(word, text) text,
    static const char *const words[] = {FAULT_LIST(X)};
#undef X

    return fault < FAULT_COUNT ? words[fault] : "?";
}

const char *probe_fault_words(uint32_t faults, char *out, unsigned size)
{
    unsigned used = 0;

    out[0] = '\0';
    for (unsigned f = 0; f < FAULT_COUNT && used < size; f++)
        if (faults & FAULT(f))
            used +=
                (unsigned)snprintf(out + used, size - used, "%s%s", used ? "," : "", fault_name(f));
    return out;
}

const char *pin_text(const uint8_t spki_sha256[32], char out[PIN_TEXT])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t used = (size_t)snprintf(out, PIN_TEXT, "sha256/");

    for (int i = 0; i < 33; i += 3) { /* 32 octets: the last group lacks one */
        uint32_t three = (uint32_t)spki_sha256[i] << 16 | (uint32_t)spki_sha256[i + 1] << 8 |
                         (i + 2 < 32 ? spki_sha256[i + 2] : 0);

        for (int shift = 18; shift >= 0; shift -= 6)
            out[used++] = letters[three >> shift & 63];
    }
    out[used - 1] = '=';
    out[used] = '\0';
    return out;
}

static bool is_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\0')
            return true;
        if (text[i] < ' ' || text[i] > '~')
            return false;
    }
    return false;
}

static bool are_flags(const struct probe_observation *o)
{
    const bool *const flags[] = {&o->encrypted, &o->chain_unchecked, &o->name_unchecked,
                                 &o->reached,   &o->post_works,      &o->get_works};
    uint8_t octet;

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        memcpy(&octet, flags[i], 1);
        if (octet > 1)
            return false;
    }
    return true;
}

bool probe_is_sound(const struct probe_observation *o)
{
    if (o->faults >> FAULT_COUNT || o->versions >> 4 || o->rcode > 15 || !are_flags(o))
        return false;
    for (int c = 0; c < CANARIES; c++)
        if (o->canary[c] > CANARY_FAILED)
            return false;
    return is_text(o->resolver, sizeof o->resolver) && is_text(o->expected, sizeof o->expected) &&
           is_text(o->names, sizeof o->names) && is_text(o->subject, sizeof o->subject) &&
           is_text(o->issuer, sizeof o->issuer) && is_text(o->cipher, sizeof o->cipher) &&
           is_text(o->weak_cipher, sizeof o->weak_cipher) && is_text(o->alpn, sizeof o->alpn) &&
           is_text(o->designated, sizeof o->designated) && is_text(o->error, sizeof o->error);
}
