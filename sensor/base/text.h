/* Hostile text made harmless. */
#ifndef SEALDNS_BASE_TEXT_H
#define SEALDNS_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Copies at most limit bytes of from (to its NUL at the latest) into out[size]; every byte that is
 * not printable ASCII becomes \DDD (decimal, as in RFC 1035 5.1), a backslash \\. Always ends in
 * NUL; returns the length written. */
size_t text_printable(const char *from, size_t limit, char *out, size_t size);
/* A DNS name in wire form (no compression) to lower-case presentation form without the final dot,
 * escaped as above; the root is ".". Returns the length written. SD_EMALF: a label beyond the end
 * or over 63 octets, a name over 255. */
int text_name(const uint8_t *wire, size_t length, char *out, size_t size);
/* Copies from into out[size], cut to what fits; true: it was cut. */
bool text_copy(char *out, size_t size, const char *from);
/* name is suffix or ends in "." suffix; both lower case, no final dot. */
bool text_name_below(const char *name, const char *suffix);

#endif
