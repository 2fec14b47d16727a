#include <string.h>

#include "output/output.h"

const struct output_format *output_format_named(const char *name)
{
    for (size_t i = 0; output_formats[i]; i++)
        if (strcmp(output_formats[i]->name, name) == 0)
            return output_formats[i];
    return NULL;
}

const struct output_feed *output_feed_of(const char *type)
{
    for (size_t i = 0; output_feeds[i]; i++)
        if (strcmp(output_feeds[i]->type, type) == 0)
            return output_feeds[i];
    return NULL;
}
