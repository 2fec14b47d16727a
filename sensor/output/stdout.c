/* Lines to standard output, for a person who watches. */
#include <stdio.h>

#include "base/error.h"
#include "output/output.h"

static void *open_feed(const struct policy_output *config, char error[OUTPUT_ERROR])
{
    (void)config;
    (void)error;
    return stdout;
}

static int put_line(void *state, const char *line)
{
    return fprintf(state, "%s\n", line) < 0 || fflush(state) != 0 ? SD_EIO : SD_OK;
}

static int flush(void *state)
{
    return fflush(state) == 0 ? SD_OK : SD_EIO;
}

static int reopen(void *state)
{
    (void)state;
    return SD_OK;
}

static void close_feed(void *state)
{
    fflush(state);
}

const struct output_feed feed_stdout = {.type = "stdout",
                                        .open = open_feed,
                                        .close = close_feed,
                                        .line = put_line,
                                        .flush = flush,
                                        .reopen = reopen};
