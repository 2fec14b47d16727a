/* A feed over a connection: batches framed in memory and sent, the connection made anew when it
 * broke. What UNIX sockets and syslog share. */
#ifndef SEALDNS_OUTPUT_STREAMED_H
#define SEALDNS_OUTPUT_STREAMED_H

#include <stdio.h>

#include "output/output.h"

/* Writes one line as the receiver wants it. */
typedef void streamed_frame(FILE *to, const struct policy_output *config,
                            const struct spool_line *line);

/* NULL: error got one line. */
void *streamed_open(const struct policy_output *config, streamed_frame *frame,
                    char error[OUTPUT_ERROR]);
void streamed_close(void *state);
int streamed_deliver(void *state, struct output_batch *b);
bool streamed_finish(void *state);

#endif
