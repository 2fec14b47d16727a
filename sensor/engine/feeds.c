#include "engine/feeds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"
#include "base/table.h"
#include "base/text.h"
#include "engine/courier.h"

#define OUTPUTS_MOST 64
#define SENT         8192 /* events whose gravest revision an output without repeats knows */

/* What was sent of an event to an output that wants no repeats. */
struct sent {
    char id[24];
    uint8_t severity;
};

struct opened {
    struct policy_output config;
    const struct output_feed *feed;
    const struct output_format *format;
    void *state;
    struct courier *courier; /* or NULL: it takes lines at once */
    struct table *sent;      /* or NULL: it wants repeats */
    uint64_t written, bytes, lost;
};

struct feeds {
    struct opened opened[OUTPUTS_MOST];
    size_t count;
    uint64_t written, lost; /* of those that are closed */
};

static uint64_t lost_by(const struct opened *o)
{
    struct courier_counts c;

    if (!o->courier)
        return o->lost;
    courier_counts(o->courier, &c);
    return o->lost + c.spool.informational + c.spool.graver + c.spool.damaged + c.refused;
}

static void close_one(struct feeds *f, struct opened *o)
{
    f->written += o->written;
    f->lost += lost_by(o);
    if (o->courier)
        courier_close(o->courier);
    else
        o->feed->close(o->state);
    table_destroy(o->sent);
}

/* All that can be wrong with a configuration shows here. */
static int prepare(const struct policy_output *config, struct opened *o, char *error)
{
    static const struct table_shape shape = {.entry_size = sizeof(struct sent),
                                             .key_size = sizeof((struct sent *)0)->id,
                                             .capacity = SENT};

    *o = (struct opened){.config = *config};
    o->feed = output_feed_of(config->type);
    o->format = output_format_named(o->feed && o->feed->format ? o->feed->format : config->format);
    if (!o->feed || !o->format) {
        snprintf(error, OUTPUT_ERROR, "no output of type \"%.16s\" with format \"%.16s\"",
                 config->type, config->format);
        return SD_ECONF;
    }
    if (!config->repeats && !(o->sent = table_create(&shape)))
        return SD_EMEM;
    o->state = o->feed->open(&o->config, error);
    if (o->state)
        return SD_OK;
    table_destroy(o->sent);
    return SD_ECONF;
}

static bool is_same(const struct opened *o, const struct policy_output *config)
{
    return memcmp(&o->config, config, sizeof *config) == 0;
}

static struct opened *opened_as(struct feeds *f, const struct policy_output *config)
{
    for (size_t i = 0; i < f->count; i++)
        if (is_same(&f->opened[i], config))
            return &f->opened[i];
    return NULL;
}

/* The folder of an output's spool, beside the store. */
static void make_spool_folder(const struct policy *p, const char *id, char path[512])
{
    const char *slash = strrchr(p->store_path, '/');

    snprintf(path, 512, "%.*s/spool", slash ? (int)(slash - p->store_path) : 1,
             slash ? p->store_path : ".");
    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        return; /* opening the spool says what is wrong */
    snprintf(path + strlen(path), 512 - strlen(path), "/%s", id);
}

/* An output that has a receiver gets its spool and its thread. */
static int begin(struct opened *o, const struct policy *policy, char *error)
{
    char folder[512];

    if (!o->feed->deliver)
        return SD_OK;
    make_spool_folder(policy, o->config.id, folder);
    return courier_open(o->feed, o->state, &o->config, folder, &o->courier, error);
}

/* Those of the policy that are not open yet, ready to begin. */
static int prepare_new(struct feeds *f, const struct policy *policy, struct opened *anew,
                       size_t *count, char *error)
{
    int status = policy->output_count > OUTPUTS_MOST ? SD_ELIMIT : SD_OK;

    if (status == SD_ELIMIT)
        snprintf(error, OUTPUT_ERROR, "more than %d outputs", OUTPUTS_MOST);
    *count = 0;
    for (size_t i = 0; i < policy->output_count && status == SD_OK; i++) {
        if (opened_as(f, &policy->outputs[i]))
            continue;
        status = prepare(&policy->outputs[i], &anew[*count], error);
        *count += status == SD_OK;
    }
    if (status == SD_OK)
        return SD_OK;
    while (*count)
        close_one(f, &anew[--*count]);
    return status == SD_EMEM ? SD_EMEM : SD_ECONF;
}

static void close_old(struct feeds *f, const struct policy *policy)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->count; i++) {
        bool stays = false;

        for (size_t k = 0; k < policy->output_count; k++)
            stays |= is_same(&f->opened[i], &policy->outputs[k]);
        if (stays)
            f->opened[kept++] = f->opened[i];
        else
            close_one(f, &f->opened[i]);
    }
    f->count = kept;
}

int feeds_use_policy(struct feeds *f, const struct policy *policy, char error[OUTPUT_ERROR])
{
    struct opened *anew = calloc(OUTPUTS_MOST, sizeof *anew);
    int status, worst = SD_OK;
    size_t count;

    if (!anew)
        return SD_EMEM;
    status = prepare_new(f, policy, anew, &count, error);
    if (status == SD_OK) {
        close_old(f, policy); /* first: an output that changed has the same spool */
        for (size_t i = 0; i < count; i++) {
            status = begin(&anew[i], policy, error);
            if (status == SD_OK)
                f->opened[f->count++] = anew[i];
            else
                worst = status;
        }
    }
    free(anew);
    return worst != SD_OK ? SD_ECONF : status;
}

int feeds_open(const struct policy *policy, struct feeds **out, char error[OUTPUT_ERROR])
{
    struct feeds *f = calloc(1, sizeof *f);
    int status = f ? feeds_use_policy(f, policy, error) : SD_EMEM;

    if (status == SD_OK)
        *out = f;
    else
        feeds_close(f);
    return status;
}

void feeds_close(struct feeds *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++)
        close_one(f, &f->opened[i]);
    free(f);
}

/* Every event once, and again when it became graver. */
static bool is_repeat(struct opened *o, const struct event *e)
{
    struct sent key = {.id = ""}, *sent;
    bool fresh;

    if (!o->sent)
        return false;
    text_copy(key.id, sizeof key.id, e->id);
    sent = table_insert(o->sent, key.id, &fresh);
    if (!fresh && sent->severity <= e->finding.severity)
        return true;
    sent->severity = e->finding.severity;
    return false;
}

static bool wants(struct opened *o, const struct event *e)
{
    const struct policy_output *c = &o->config;

    return c->types & 1u << EVENT_ALERT && e->finding.severity <= c->severity &&
           (!c->kinds || c->kinds & 1u << e->finding.kind) && !is_repeat(o, e);
}

/* The native line is there; another form is made of its document, which is parsed once. */
static char *rendered(const struct opened *o, const char *eve_line, json_t **eve)
{
    if (strcmp(o->format->name, "eve") == 0)
        return strdup(eve_line);
    if (!*eve)
        *eve = json_loads(eve_line, 0, NULL);
    if (*eve && o->format->render_line)
        return o->format->render_line(*eve, eve_line);
    return *eve ? o->format->render(*eve) : NULL;
}

/* line: NULL: it could not be made. */
static void put_line(struct opened *o, const struct spool_mark *mark, const char *line)
{
    int status = SD_EMEM;

    if (line)
        status = o->courier ? courier_put(o->courier, line, mark) : o->feed->line(o->state, line);
    if (status == SD_OK) {
        o->written++;
        o->bytes += strlen(line);
    } else {
        o->lost++;
    }
}

static void put(struct opened *o, const struct spool_mark *mark, const char *eve_line, json_t **eve)
{
    char *line = rendered(o, eve_line, eve);

    put_line(o, mark, line);
    free(line);
}

void feeds_event(struct feeds *f, const struct record *r, const char *eve_line)
{
    const struct event *e = &r->event;
    struct spool_mark mark = {.time = e->written ? e->written : e->last,
                              .severity = e->finding.severity};
    json_t *eve = NULL;

    snprintf(mark.key, sizeof mark.key, "%.24s-%u", e->id, e->revision);
    for (size_t i = 0; i < f->count; i++)
        if (wants(&f->opened[i], e))
            put(&f->opened[i], &mark, eve_line, &eve);
    json_decref(eve);
}

void feeds_query(struct feeds *f, const struct record *r, const char *eve_line)
{
    struct spool_mark mark = {.time = r->time, .severity = SEVERITY_INFORMATIONAL};
    json_t *eve = NULL;

    snprintf(mark.key, sizeof mark.key, "%016" PRIx64 "-1", r->query.number);
    for (size_t i = 0; i < f->count; i++)
        if (f->opened[i].config.types & 1u << EVENT_DNS)
            put(&f->opened[i], &mark, eve_line, &eve);
    json_decref(eve);
}

bool feeds_want(const struct feeds *f, enum event_type type)
{
    bool any = false;

    for (size_t i = 0; i < f->count; i++)
        any |= (f->opened[i].config.types & 1u << type) != 0;
    return any;
}

/* To all that want the type. */
static void put_row(struct feeds *f, enum event_type type, const struct spool_mark *mark,
                    const char *line)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->opened[i].config.types & 1u << type)
            put_line(&f->opened[i], mark, line);
}

void feeds_conversation(struct feeds *f, const struct hour_row *h, const char *host)
{
    struct spool_mark mark = {.time = h->told, .severity = SEVERITY_INFORMATIONAL};
    char *line = table_row_conversation(h, host);

    snprintf(mark.key, sizeof mark.key, "c%" PRIx64, (uint64_t)h->told);
    put_row(f, EVENT_CONVERSATION, &mark, line);
    free(line);
}

void feeds_stats(struct feeds *f, const struct record *r, const struct policy *p)
{
    struct spool_mark mark = {.time = r->time, .severity = SEVERITY_INFORMATIONAL};
    char *line = table_row_stats(r, p);

    snprintf(mark.key, sizeof mark.key, "s%" PRIx64, (uint64_t)r->time);
    put_row(f, EVENT_STATS, &mark, line);
    free(line);
}

void feeds_flush(struct feeds *f)
{
    for (size_t i = 0; i < f->count; i++) {
        struct opened *o = &f->opened[i];

        if ((o->courier ? courier_flush(o->courier) : o->feed->flush(o->state)) != SD_OK)
            continue; /* it keeps what it has and tries again; what it cannot keep is counted */
    }
}

void feeds_reopen(struct feeds *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (!f->opened[i].courier && f->opened[i].feed->reopen(f->opened[i].state) != SD_OK)
            f->opened[i].lost++;
}

uint64_t feeds_written(const struct feeds *f)
{
    uint64_t sum = f->written;

    for (size_t i = 0; i < f->count; i++)
        sum += f->opened[i].written;
    return sum;
}

uint64_t feeds_lost(struct feeds *f)
{
    uint64_t sum = f->lost;

    for (size_t i = 0; i < f->count; i++)
        sum += lost_by(&f->opened[i]);
    return sum;
}

static void add_courier(json_t *to, struct courier *courier)
{
    struct courier_counts c;
    char text[TIME_TEXT];

    courier_counts(courier, &c);
    json_object_update_new(
        to, json_pack("{s:I,s:I,s:I,s:I,s:I,s:b}", "told", (json_int_t)c.told, "waiting",
                      (json_int_t)c.spool.lines, "spool_bytes", (json_int_t)c.spool.bytes,
                      "failures", (json_int_t)c.failures, "dropped_informational",
                      (json_int_t)c.spool.informational, "connected", c.failing == 0));
    if (c.failing)
        json_object_set_new(to, "failing_since", json_string(time_text(c.failing, text)));
    if (c.failing)
        json_object_set_new(to, "error", json_string(c.error));
}

json_t *feeds_status(struct feeds *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < f->count; i++) {
        const struct opened *o = &f->opened[i];
        json_t *one =
            json_pack("{s:s,s:s,s:s,s:I,s:I,s:I}", "id", o->config.id, "type", o->config.type,
                      "format", o->format->name, "lines", (json_int_t)o->written, "bytes",
                      (json_int_t)o->bytes, "lost", (json_int_t)lost_by(o));

        if (o->courier)
            add_courier(one, o->courier);
        json_array_append_new(list, one);
    }
    return list;
}
