/* What the number of a cipher suite says of the lengths of its records and of its strength. Pure.
 */
#ifndef SEALDNS_MODEL_CIPHER_SUITE_H
#define SEALDNS_MODEL_CIPHER_SUITE_H

#include <stdbool.h>
#include <stdint.h>

enum suite_form {
    SUITE_INTERVAL, /* CBC, a stream cipher, or a number nobody knows: lengths give an interval */
    SUITE_GCM,      /* and CCM: an explicit nonce of 8 octets, a tag of 16 (RFC 5288, RFC 6655) */
    SUITE_CCM_8,    /* ... a tag of 8 */
    SUITE_CHACHA    /* no nonce in the record, a tag of 16 (RFC 7905) */
};

enum suite_strength {
    SUITE_UNKNOWN, /* number 0: not seen */
    SUITE_SOUND,
    SUITE_DATED, /* CBC, or no forward secrecy (RFC 9325 4.1) */
    SUITE_BROKEN /* no encryption or none worth the name, or nobody is authenticated */
};

enum suite_form suite_form(uint16_t suite);
enum suite_strength suite_strength(uint16_t suite);
/* "block chaining", "no forward secrecy", ...; "" for a sound one. */
const char *suite_weakness(uint16_t suite);
/* What the record layer adds to the plaintext: nonce, tag, in TLS 1.3 the content type
 * (RFC 8446 5.2). 0: it cannot be told exactly. */
unsigned suite_overhead(bool tls13, uint16_t suite);

#endif
