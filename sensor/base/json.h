/* Evidence is text: the members of a JSON object in a bounded array, so that it travels by value
 * through rings and needs no allocation where packets are. A writer appends a whole document to a
 * buffer of the caller's: the line of an event is written tens of thousands of times a second, and
 * jansson's tree takes five times as long. Everything else is jansson's. */
#ifndef SEALDNS_BASE_JSON_H
#define SEALDNS_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVIDENCE_SIZE 1152

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

/* Members in the order of the calls. When the buffer is full nothing more is written and full is
 * set: the caller must not use the text. */
struct json_writer {
    char *text;
    size_t size, used;
    bool full, comma;
};

static inline struct json_writer json_writer_over(char *text, size_t size)
{
    return (struct json_writer){.text = text, .size = size};
}

/* key NULL: an element of an array, or the document itself. */
void json_open(struct json_writer *w, const char *key, char bracket); /* '{' or '[' */
void json_close(struct json_writer *w, char bracket);                 /* '}' or ']' */
void json_string_member(struct json_writer *w, const char *key, const char *value);
void json_integer_member(struct json_writer *w, const char *key, int64_t value);
/* Text that is JSON already, members or a value. */
void json_raw_member(struct json_writer *w, const char *key, const char *json);

#endif
