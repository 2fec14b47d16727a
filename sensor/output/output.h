/* Feeds of events. The native form of an event is its EVE line: it is what the store keeps and what
 * every other format is made from. One file per format, one file per feed; both lists are
 * generated. */
#ifndef SEALDNS_OUTPUT_OUTPUT_H
#define SEALDNS_OUTPUT_OUTPUT_H

#include <jansson.h>
#include <stdint.h>

#include "model/policy.h"
#include "model/record.h"

#define OUTPUT_ERROR 256

/* The EVE document of an event record, as one line without the newline; to be freed. policy gives
 * titles and words, and may be NULL. NULL: no memory. */
char *eve_render(const struct record *r, const struct policy *policy);

/* Another form of the same event: one line without the newline, to be freed. NULL: no memory, or
 * the document is no event of ours. */
struct output_format {
    const char *name; /* "eve", "text" */
    char *(*render)(const json_t *eve);
};
extern const struct output_format *const output_formats[];         /* NULL-terminated */
const struct output_format *output_format_named(const char *name); /* NULL: none */

/* A feed takes lines. Its state is its own. */
struct output_feed {
    const char *type; /* "file" */
    /* NULL: error got one line that says what to do. */
    void *(*open)(const struct policy_output *config, char error[OUTPUT_ERROR]);
    int (*line)(void *state, const char *line); /* SD_EIO: lost, the caller counts it */
    int (*flush)(void *state);                  /* SD_EIO: not all is out, what is not waits */
    int (*reopen)(void *state); /* SIGHUP: the file was rotated away. SD_EIO: a line was lost */
    void (*close)(void *state);
};
extern const struct output_feed *const output_feeds[]; /* NULL-terminated */

/* All feeds that a policy names. */
struct outputs;

/* SD_ECONF: an unknown type or format, or a feed that does not open: error says which. SD_EMEM. */
int outputs_open(const struct policy *policy, struct outputs **out, char error[OUTPUT_ERROR]);
void outputs_event(struct outputs *o, const char *eve_line);
void outputs_flush(struct outputs *o);
void outputs_reopen(struct outputs *o);
/* Closes *o; `with` goes on with its counts. */
void outputs_replace(struct outputs **o, struct outputs *with);
uint64_t outputs_written(const struct outputs *o);
uint64_t outputs_lost(const struct outputs *o);
void outputs_close(struct outputs *o);

#endif
