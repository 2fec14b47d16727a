/* Lines to a UNIX socket that somebody listens on, a stream. */
#include <stdio.h>
#include <stdlib.h>

#include "output/streamed.h"

static void frame(FILE *to, const struct policy_output *config, const struct spool_line *line)
{
    (void)config;
    fwrite(line->text, 1, line->length, to);
    fputc('\n', to);
}

static void *open_feed(const struct policy_output *config, char error[OUTPUT_ERROR])
{
    return streamed_open(config, frame, error);
}

const struct output_feed feed_unix = {.type = "unix",
                                      .open = open_feed,
                                      .close = streamed_close,
                                      .deliver = streamed_deliver,
                                      .finish = streamed_finish};
