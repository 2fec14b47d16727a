/* Evidence is text: the members of a JSON object in a bounded array, so that it travels by value
 * through rings and needs no allocation where packets are. Whole documents are jansson's. */
#ifndef SEALDNS_BASE_JSON_H
#define SEALDNS_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVIDENCE_SIZE 768

struct evidence {
    uint16_t used;
    bool truncated;           /* a member did not fit and was left out whole */
    char text[EVIDENCE_SIZE]; /* "a":1,"b":"x" without the braces, always ends in NUL */
};

void evidence_clear(struct evidence *e);
/* Every string is taken as hostile: what is not printable ASCII is escaped. */
void evidence_string(struct evidence *e, const char *key, const char *value);
void evidence_integer(struct evidence *e, const char *key, int64_t value);
void evidence_real(struct evidence *e, const char *key, double value); /* three decimals */
void evidence_boolean(struct evidence *e, const char *key, bool value);

#endif
