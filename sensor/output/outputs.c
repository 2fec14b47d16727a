#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "output/output.h"

struct opened {
    const struct output_feed *feed;
    const struct output_format *format;
    void *state;
};

struct outputs {
    struct opened *opened;
    size_t count;
    uint64_t written, lost;
};

const struct output_format *output_format_named(const char *name)
{
    for (size_t i = 0; output_formats[i]; i++)
        if (strcmp(output_formats[i]->name, name) == 0)
            return output_formats[i];
    return NULL;
}

static const struct output_feed *feed_of(const char *type)
{
    for (size_t i = 0; output_feeds[i]; i++)
        if (strcmp(output_feeds[i]->type, type) == 0)
            return output_feeds[i];
    return NULL;
}

static int open_one(const struct policy_output *config, struct opened *out, char *error)
{
    out->feed = feed_of(config->type);
    out->format = output_format_named(config->format[0] ? config->format : "eve");
    if (!out->feed || !out->format) {
        snprintf(error, OUTPUT_ERROR, "no output of type \"%.16s\" with format \"%.16s\"",
                 config->type, config->format);
        return SD_ECONF;
    }
    out->state = out->feed->open(config, error);
    return out->state ? SD_OK : SD_ECONF;
}

int outputs_open(const struct policy *policy, struct outputs **out, char error[OUTPUT_ERROR])
{
    struct outputs *o = calloc(1, sizeof *o);
    int status = SD_OK;

    if (o)
        o->opened = calloc(policy->output_count + 1, sizeof *o->opened);
    if (!o || !o->opened) {
        free(o);
        return SD_EMEM;
    }
    for (size_t i = 0; i < policy->output_count && status == SD_OK; i++) {
        status = open_one(&policy->outputs[i], &o->opened[o->count], error);
        o->count += status == SD_OK;
    }
    if (status != SD_OK) {
        outputs_close(o);
        return status;
    }
    *out = o;
    return SD_OK;
}

static void put(struct outputs *o, const struct opened *to, const char *eve_line, const json_t *eve)
{
    char *line = to->format->render(eve);
    bool native = strcmp(to->format->name, "eve") == 0;

    /* The native line is already there; rendering it again could only differ by a bug. */
    if (to->feed->line(to->state, native || !line ? eve_line : line) == SD_OK)
        o->written++;
    else
        o->lost++;
    free(line);
}

void outputs_event(struct outputs *o, const char *eve_line)
{
    json_t *eve = json_loads(eve_line, 0, NULL);

    for (size_t i = 0; eve && i < o->count; i++)
        put(o, &o->opened[i], eve_line, eve);
    if (!eve)
        o->lost += o->count;
    json_decref(eve);
}

void outputs_flush(struct outputs *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->opened[i].feed->flush(o->opened[i].state) != SD_OK)
            continue; /* it keeps what it has and tries again; what it cannot keep line() refuses */
}

void outputs_reopen(struct outputs *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->opened[i].feed->reopen(o->opened[i].state) != SD_OK)
            o->lost++;
}

void outputs_replace(struct outputs **o, struct outputs *with)
{
    outputs_flush(*o);
    with->written += (*o)->written;
    with->lost += (*o)->lost;
    outputs_close(*o);
    *o = with;
}

uint64_t outputs_written(const struct outputs *o)
{
    return o->written;
}

uint64_t outputs_lost(const struct outputs *o)
{
    return o->lost;
}

void outputs_close(struct outputs *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->count; i++)
        o->opened[i].feed->close(o->opened[i].state);
    free(o->opened);
    free(o);
}
