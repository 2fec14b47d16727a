#include "engine/site.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "conf/conf.h"
#include "conf/controls.h"
#include "engine/control.h"
#include "engine/gateway.h"
#include "engine/plan_document.h"
#include "engine/rehearse.h"
#include "report/report.h"

#define FRESH (NSEC_S)
#define WAKE  (NSEC_S / 2)
enum { ASK_MS = 1000, POLICIES = 8 };

/* A policy, and how many requests read it. */
struct held {
    const struct policy *policy;
    struct policy *retired; /* to be destroyed with the last of them */
    unsigned readers;
};

struct site {
    struct web *web;
    pthread_mutex_t lock;       /* of all below */
    struct held held[POLICIES]; /* the first is in force */
    pthread_mutex_t asking;     /* one request asks, the others wait for its answer */
    char *status;               /* as text: a document is not for two threads */
    nsec_t status_time, woken;
    bool planning;
};

static nsec_t tell_now(void *context)
{
    (void)context;
    return clock_now();
}

/* --- policies -------------------------------------------------------------------------------- */

static const struct policy *hold_policy(void *context)
{
    struct site *s = context;
    const struct policy *p;

    pthread_mutex_lock(&s->lock);
    s->held[0].readers++;
    p = s->held[0].policy;
    pthread_mutex_unlock(&s->lock);
    return p;
}

static void release_policy(void *context, const struct policy *p)
{
    struct site *s = context;
    struct policy *last = NULL;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < POLICIES; i++) {
        struct held *h = s->held + i;

        if (h->policy != p || !h->readers)
            continue;
        if (--h->readers == 0 && h->retired) {
            last = h->retired;
            *h = (struct held){0};
        }
        break;
    }
    pthread_mutex_unlock(&s->lock);
    policy_destroy(last);
}

/* False: so many old ones are still read; the caller waits. */
static bool put_policy(struct site *s, struct policy *before, const struct policy *anew)
{
    struct policy *unread = NULL;
    bool done = true;

    pthread_mutex_lock(&s->lock);
    if (s->held[0].readers == 0) {
        unread = before;
    } else {
        size_t i = 1;

        while (i < POLICIES && s->held[i].policy)
            i++;
        done = i < POLICIES;
        if (done)
            s->held[i] = (struct held){before, before, s->held[0].readers};
    }
    if (done)
        s->held[0] = (struct held){.policy = anew};
    pthread_mutex_unlock(&s->lock);
    policy_destroy(unread);
    return done;
}

/* --- status ---------------------------------------------------------------------------------- */

static bool status_is_fresh(struct site *s)
{
    bool fresh;

    pthread_mutex_lock(&s->lock);
    fresh = s->status && !time_passed(s->status_time, FRESH, clock_now());
    pthread_mutex_unlock(&s->lock);
    return fresh;
}

static void ask_status(struct site *s)
{
    json_t *request = json_pack("{s:s}", "command", "status"), *reply;
    const struct policy *p = hold_policy(s);
    char *text;

    reply = control_ask(p->socket_path, request, ASK_MS);
    release_policy(s, p);
    json_decref(request);
    text = reply ? json_dumps(reply, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(reply);
    if (!text)
        return; /* the one before is shown for longer */
    pthread_mutex_lock(&s->lock);
    free(s->status);
    s->status = text;
    s->status_time = clock_now();
    pthread_mutex_unlock(&s->lock);
}

static json_t *tell_status(void *context)
{
    struct site *s = context;
    json_t *status;

    pthread_mutex_lock(&s->asking);
    if (!status_is_fresh(s))
        ask_status(s);
    pthread_mutex_unlock(&s->asking);
    pthread_mutex_lock(&s->lock);
    status = s->status ? json_loads(s->status, 0, NULL) : NULL;
    pthread_mutex_unlock(&s->lock);
    return status;
}

/* --- plans ----------------------------------------------------------------------------------- */

static bool begin_planning(struct site *s)
{
    bool unused;

    pthread_mutex_lock(&s->lock);
    unused = !s->planning;
    s->planning = true;
    pthread_mutex_unlock(&s->lock);
    return unused;
}

static void end_planning(struct site *s)
{
    pthread_mutex_lock(&s->lock);
    s->planning = false;
    pthread_mutex_unlock(&s->lock);
}

/* "the policy:3:7: what is wrong and what would be right" */
static json_t *complaint_json(const char *line, size_t length)
{
    int row = 0, column = 0, at = 0;
    char text[1024];

    snprintf(text, sizeof text, "%.*s", (int)length, line);
    if (sscanf(text, "policy:%d:%d: %n", &row, &column, &at) == 2 && at)
        return json_pack("{s:i,s:i,s:s}", "line", row, "column", column, "error", text + at);
    return json_pack("{s:s}", "error", text);
}

/* Warnings are none: they do not keep a policy from being tried. */
static json_t *complaints_json(const char *said)
{
    json_t *list = json_array();

    for (const char *line = said; line && *line;) {
        size_t length = strcspn(line, "\n");

        if (!memmem(line, length, ": warning: ", 11))
            json_array_append_new(list, complaint_json(line, length));
        line += length + (line[length] == '\n');
    }
    return json_pack("{s:s,s:o}", "error", "this is no policy", "errors", list);
}

static int compile(const struct policy *own, const char *text, size_t size, nsec_t now,
                   struct policy **out, json_t **errors)
{
    struct conf_source source = {.policy = {"policy", text, size},
                                 .gateway = own->gateway,
                                 .gateway_count = own->gateway_count,
                                 .now = now};
    char *said = NULL;
    size_t length;
    struct conf_report report = {.to = open_memstream(&said, &length)};
    int status = report.to ? conf_load(&source, &report, out) : SD_EMEM;

    if (report.to)
        fclose(report.to);
    if (status == SD_ECONF)
        *errors = complaints_json(said);
    free(said);
    return status;
}

/* What is in force, as its own text says it, so that it is nobody else's. */
static int copy(const struct policy *own, nsec_t now, struct policy **out)
{
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    json_t *errors = NULL;
    int status = to ? conf_print(own, to) : SD_EMEM;

    if (to && fclose(to) != 0)
        status = SD_EMEM;
    if (status == SD_OK)
        status = compile(own, text, size, now, out, &errors);
    json_decref(errors);
    free(text);
    return status;
}

static int document_of(const struct rehearsal *q, const char *store, json_t **out)
{
    struct plan_document d = {.policy = q->policy,
                              .plan = q->plan,
                              .file = "policy",
                              .store = store,
                              .hosts = q->hosts,
                              .moved = q->moved,
                              .since = q->since,
                              .until = q->now};
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);
    int status = to ? plan_json(&d, to) : SD_EMEM;

    if (to && fclose(to) != 0)
        status = SD_EMEM;
    if (status == SD_OK && !(*out = json_loadb(text, size, 0, NULL)))
        status = SD_EMALF;
    free(text);
    return status;
}

/* Of a plan those parts that are of this client. */
static void leave_client(json_t *plan, const char *client)
{
    static const char *const lists[] = {"clients", "conversations"};

    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        json_t *list = json_object_get(plan, lists[l]);

        for (size_t i = json_array_size(list); i-- > 0;) {
            const char *who = json_string_value(json_object_get(json_array_get(list, i), "client"));

            if (!who || strcmp(who, client) != 0)
                json_array_remove(list, i);
        }
    }
}

static int try_policy(const struct policy *own, const struct web_plan *ask, json_t **out)
{
    struct rehearsal q = {.since = ask->since, .now = clock_now()};
    struct rehearsal_source rows;
    char error[STORE_ERROR];
    struct store_reader *r = NULL;
    int status = ask->client ? copy(own, q.now, &q.policy)
                             : compile(own, ask->text, ask->size, q.now, &q.policy, out);

    if (status != SD_OK)
        return status;
    q.policy->mode = MODE_ENFORCE;
    status = store_reader_open(own->store_path, &r, error);
    if (status == SD_OK) {
        rows = rehearsal_of_store(r);
        status = rehearse(&q, &rows);
    }
    if (status == SD_OK)
        status = document_of(&q, own->store_path, out);
    store_reader_close(r);
    rehearsal_finish(&q);
    policy_destroy(q.policy);
    return status;
}

static int tell_plan(void *context, const struct web_plan *ask, json_t **out)
{
    struct site *s = context;
    const struct policy *own;
    int status;

    if (!begin_planning(s))
        return SD_EAGAIN;
    own = hold_policy(s);
    status = try_policy(own, ask, out);
    if (status == SD_OK && ask->client)
        leave_client(*out, ask->client);
    release_policy(s, own);
    end_planning(s);
    return status;
}

/* --- reports --------------------------------------------------------------------------------- */

static int make_report(const struct policy *p, const struct web_report *ask, FILE *to)
{
    const struct report_format *format = report_format_named(ask->format);
    struct report_request request = {
        .from = ask->from, .to = ask->to, .now = clock_now(), .policy = p};
    char error[STORE_ERROR];
    struct report_source source;
    struct controls *controls = NULL;
    json_t *report = NULL;
    struct store_reader *r;
    int status = format ? store_reader_open(p->store_path, &r, error) : SD_EINVAL;

    if (status != SD_OK)
        return status;
    if (controls_load(CONTROLS_FOLDER, stderr, &controls) != SD_OK)
        log_warning("the report is made without controls");
    request.controls = controls;
    source = report_of_store(r);
    status = report_make(&source, &request, &report);
    store_reader_close(r);
    if (status == SD_OK)
        status = format->write(report, to);
    json_decref(report);
    controls_free(controls);
    return status;
}

static int tell_report(void *context, const struct web_report *ask, FILE *to)
{
    struct site *s = context;
    const struct policy *p = hold_policy(s);
    int status = make_report(p, ask, to);

    release_policy(s, p);
    return status;
}

/* --- the site -------------------------------------------------------------------------------- */

static void open_web(struct site *s, const struct policy_web *config)
{
    const struct web_source source = {.context = s,
                                      .now = tell_now,
                                      .status = tell_status,
                                      .policy = hold_policy,
                                      .release = release_policy,
                                      .plan = tell_plan,
                                      .report = tell_report};
    char error[WEB_ERROR] = "";
    int status = config->off ? SD_OK : web_open(config, &source, &s->web, error);

    if (status != SD_OK)
        log_warning("%s: no metrics and no pages", error[0] ? error : sd_strerror(status));
}

struct site *site_create(const struct policy *p)
{
    struct site *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->asking, NULL);
    s->held[0].policy = p;
    open_web(s, &p->web);
    return s;
}

void site_destroy(struct site *s)
{
    if (!s)
        return;
    web_close(s->web); /* no request is left that could read a policy */
    for (size_t i = 1; i < POLICIES; i++)
        policy_destroy(s->held[i].retired);
    pthread_mutex_destroy(&s->asking);
    pthread_mutex_destroy(&s->lock);
    free(s->status);
    free(s);
}

void site_use_policy(struct site *s, struct policy *before, const struct policy *anew)
{
    bool same = memcmp(&before->web, &anew->web, sizeof anew->web) == 0;

    if (!same) {
        web_close(s->web);
        s->web = NULL;
    }
    while (!put_policy(s, before, anew))
        usleep(10000); /* eight policies within the time of one request: never seen */
    if (!same)
        open_web(s, &anew->web);
}

void site_wake(struct site *s, nsec_t now)
{
    if (!s->web || !time_passed(s->woken, WAKE, now))
        return;
    s->woken = now;
    web_wake(s->web);
}
