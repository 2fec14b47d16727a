#include "engine/site.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

struct site {
    struct web *web;
    pthread_mutex_t lock;
    char *status; /* as text: a document is not for two threads */
};

static json_t *last_status(void *context)
{
    struct site *s = context;
    json_t *status;

    pthread_mutex_lock(&s->lock);
    status = s->status ? json_loads(s->status, 0, NULL) : NULL;
    pthread_mutex_unlock(&s->lock);
    return status;
}

struct site *site_open(const struct policy_web *config)
{
    struct site *s = config->off ? NULL : calloc(1, sizeof *s);
    char error[WEB_ERROR] = "";
    int status;

    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    status = web_open(config, &(struct web_source){last_status, s}, &s->web, error);
    if (status == SD_OK)
        return s;
    log_warning("%s: no metrics and no pages", error[0] ? error : sd_strerror(status));
    site_close(s);
    return NULL;
}

void site_close(struct site *s)
{
    if (!s)
        return;
    web_close(s->web);
    pthread_mutex_destroy(&s->lock);
    free(s->status);
    free(s);
}

void site_use_policy(struct site **s, const struct policy_web *before,
                     const struct policy_web *config)
{
    if (memcmp(before, config, sizeof *config) == 0)
        return;
    site_close(*s);
    *s = site_open(config);
}

void site_publish(struct site *s, json_t *status)
{
    char *text = json_dumps(status, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII), *old;

    json_decref(status);
    if (!text)
        return;
    pthread_mutex_lock(&s->lock);
    old = s->status;
    s->status = text;
    pthread_mutex_unlock(&s->lock);
    free(old);
}
