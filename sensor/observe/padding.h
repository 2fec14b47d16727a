/* DNS messages in an encrypted record, from its length (RFC 7830, RFC 8467): padded messages lie on
 * multiples of 128 (queries) or 468 (responses), so several in one record can be told. */
#ifndef SEALDNS_OBSERVE_PADDING_H
#define SEALDNS_OBSERVE_PADDING_H

#include <stdbool.h>

enum { PAD_QUERY = 128, PAD_RESPONSE = 468, RECORD_LEAST = 36, MESSAGE_PREFIX = 2 };

/* Messages in a record of this length, each with its two-byte prefix; 0: too short for one. Where
 * the overhead is not known (0) a record is one message. *padded: they lie on the lattice. */
unsigned record_messages(unsigned length, unsigned overhead, unsigned block, bool *padded);

#endif
