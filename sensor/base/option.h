/* Option tables: a name, a type, where the value goes. The text of one value becomes the typed
 * field here, or a sentence that says what is wrong and what would be right. Where the text comes
 * from (YAML, a command line) is not known here. */
#ifndef SEALDNS_BASE_OPTION_H
#define SEALDNS_BASE_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPTION_ERROR 192

enum option_kind {               /* the field is */
                   OPTION_TEXT,  /* char[size]: printable, not empty */
                   OPTION_ID,    /* char[size]: [a-z0-9-] */
                   OPTION_NAME,  /* char[size]: DNS name, made lower case, without a final dot; "*."
                                    may lead */
                   OPTION_PATH,  /* char[size]: absolute */
                   OPTION_IFACE, /* char[size]: name of a network interface */
                   OPTION_PIN,   /* char[size]: "sha256/BASE64" of 32 octets */
                   OPTION_WORD,  /* an enum: position of the word */
                   OPTION_FLAG,  /* bool */
                   OPTION_NUMBER,   /* an integer of size octets between least and most */
                   OPTION_BYTES,    /* uint64_t: "2GiB" */
                   OPTION_DURATION, /* nsec_t: "400d" */
                   OPTION_DATE,     /* nsec_t: a day stands for its last nanosecond, UTC */
                   OPTION_ADDRESS,  /* struct addr */
                   OPTION_PREFIX,   /* struct prefix */
                   OPTION_PART      /* no single value: its reader knows */
};

struct option {
    const char *name;
    enum option_kind kind;
    bool required;
    size_t offset, size;
    int64_t least, most;
    const char *(*word)(unsigned value); /* "?" behind the last */
    uint32_t without;                    /* bits of words that are not allowed here */
};

/* SD_EINVAL: error says why, in a sentence that can follow "FILE:LINE:COLUMN: ". */
int option_set(const struct option *o, const char *text, void *field, char error[OPTION_ERROR]);

/* The word nearest to what somebody wrote, for "did you mean". */
struct nearest {
    const char *to, *best;
    unsigned distance;
};

struct nearest nearest_to(const char *text);
void nearest_offer(struct nearest *n, const char *candidate);
/* " (did you mean `x`?)" into out, or "" when nothing is near; returns out. */
const char *nearest_text(const struct nearest *n, char out[OPTION_ERROR]);

/* A stranger's text between backquotes, harmless and short; returns out. */
const char *option_quote(const char *text, char out[OPTION_ERROR]);

#endif
