/* DNS messages in an encrypted record, from its length (RFC 7830, RFC 8467): padded messages lie on
 * multiples of 128 (queries) or 468 (responses), so several in one record can be told. */
#ifndef SEALDNS_OBSERVE_PADDING_H
#define SEALDNS_OBSERVE_PADDING_H

#include <stdint.h>

enum { PAD_QUERY = 128, PAD_RESPONSE = 468, RECORD_LEAST = 36 };

/* What the record layer adds to the plaintext: IV, content type, authentication tag. */
unsigned record_overhead(int tls13, uint16_t cipher);
/* Messages in a record of this length, each with its two-byte prefix; 0: too short for one. */
unsigned record_messages(unsigned length, unsigned overhead, unsigned block);

#endif
