/* Feeds of events: one file per format, one file per feed. Both lists are generated. */
#ifndef SEALDNS_OUTPUT_OUTPUT_H
#define SEALDNS_OUTPUT_OUTPUT_H

#include "model/policy.h"
#include "model/record.h"

/* A format renders one event as one line without the newline. */
struct output_format {
    const char *name; /* "eve", "text" */
    /* A string to be freed; NULL: no memory. policy gives title, category, zone and resolver words. */
    char *(*event)(const struct event *e, const struct policy *policy, const struct record *r);
};
extern const struct output_format *const output_formats[]; /* NULL-terminated */
const struct output_format *output_format_named(const char *name); /* NULL: none */

/* A feed takes lines. */
struct output_feed {
    const char *type; /* "file" */
    /* NULL: error got one line (256 bytes). */
    void *(*open)(const struct policy_output *config, char *error);
    int (*line)(void *state, const char *line); /* SD_EIO: it is counted, and told once a minute */
    int (*flush)(void *state);
    int (*reopen)(void *state); /* SIGHUP */
    void (*close)(void *state);
};
extern const struct output_feed *const output_feeds[];

struct outputs; /* all that the policy names */
struct outputs *outputs_open(const struct policy *policy, char error[256]);
int outputs_event(struct outputs *o, const struct event *e, const struct policy *policy,
                  const struct record *r);
int outputs_flush(struct outputs *o);
int outputs_reopen(struct outputs *o);
uint64_t outputs_lost(const struct outputs *o);
void outputs_close(struct outputs *o);

#endif
