/* The questions a probe asks, and what it reads of the answers. The answers come from a stranger:
 * every step is bounded by the message. */
#ifndef SEALDNS_PROBE_QUESTION_H
#define SEALDNS_PROBE_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUESTION_BYTES = 512, QUESTION_BLOCK = 128, ANSWER_BYTES = 65535 };

struct question {
    const char *name; /* without escapes */
    uint16_t type, id;
    bool padded; /* with EDNS padding to a multiple of QUESTION_BLOCK (RFC 8467 4.1) */
};

struct answer {
    uint8_t rcode;
    bool truncated;
    uint16_t records; /* of the type asked for, in the answer section */
    uint16_t length, padding;
    bool padded;
    char target[64]; /* of the first SVCB record that is no alias of the question */
};

/* The message's length. SD_EINVAL: no name. */
int question_write(const struct question *q, uint8_t out[QUESTION_BYTES]);
/* SD_EMALF: no answer to this question, or one that does not parse. */
int answer_read(const struct question *q, const uint8_t *bytes, size_t length, struct answer *out);

#endif
