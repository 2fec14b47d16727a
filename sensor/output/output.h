/* Feeds of events. The native form of an event is its EVE line: it is what the store keeps and what
 * every other format is made from. One file per format, one file per feed; both lists are
 * generated. */
#ifndef SEALDNS_OUTPUT_OUTPUT_H
#define SEALDNS_OUTPUT_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/policy.h"
#include "model/record.h"
#include "output/spool.h"

#define OUTPUT_ERROR 256

/* The EVE document of an event record, as one line without the newline; to be freed. policy gives
 * titles and words, and may be NULL. NULL: no memory. */
char *eve_render(const struct record *r, const struct policy *policy);

/* The same of a record of the query log: event_type dns. policy is not NULL. */
char *eve_render_query(const struct record *r, const struct policy *policy);

/* Another form of the same event: one line without the newline, to be freed. NULL: no memory, or
 * the document is no event of ours. */
struct output_format {
    const char *name; /* "eve", "text" */
    char *(*render)(const json_t *eve);
    /* The same for who has the document's line too; NULL: that is of no use. */
    char *(*render_line)(const json_t *eve, const char *line);
};
extern const struct output_format *const output_formats[];         /* NULL-terminated */
const struct output_format *output_format_named(const char *name); /* NULL: none */

/* How long somebody waits: over() is asked a few times a second. */
struct patience {
    bool (*over)(void *context);
    void *context;
};

/* Lines on their way to a receiver. */
struct output_batch {
    const struct spool_line *lines;
    size_t count, taken;
    struct patience patience;
    char error[OUTPUT_ERROR]; /* may hold a stranger's octets */
};

/* A feed takes lines. Its state is its own. It either takes them at once (line, flush, reopen), or
 * has a receiver that may be slow or away (deliver), and then a spool and a thread before it. */
struct output_feed {
    const char *type;   /* "file" */
    const char *format; /* the one it always has; NULL: as the policy says */
    /* NULL: error got one line that says what to do. A receiver need not be there. */
    void *(*open)(const struct policy_output *config, char error[OUTPUT_ERROR]);
    void (*close)(void *state);
    int (*line)(void *state, const char *line); /* SD_EIO: lost, the caller counts it */
    int (*flush)(void *state);                  /* SD_EIO: not all is out, what is not waits */
    int (*reopen)(void *state); /* SIGHUP: the file was rotated away. SD_EIO: a line was lost */
    /* May wait ten seconds. The first b->taken lines were sent, and have arrived if it
     * acknowledges. SD_EMALF: the receiver will never take the last of those; it is skipped, and
     * counted as lost. SD_EIO: b->error got one line; the rest, and where nothing is acknowledged
     * what was sent shortly before as well, is to be sent again later. */
    int (*deliver)(void *state, struct output_batch *b);
    /* Ends the connection in order: true, when the receiver has read all that was sent. May be
     * NULL: it can't tell. */
    bool (*finish)(void *state);
    bool acknowledges;
};
extern const struct output_feed *const output_feeds[];      /* NULL-terminated */
const struct output_feed *output_feed_of(const char *type); /* NULL: none */

#endif
