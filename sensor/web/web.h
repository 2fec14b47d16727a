/* HTTP: pages, their API and metrics, for people and for programs. Threads of the library's own
 * serve it; each request that asks the store opens a reader of its own, so nobody's lock is held
 * and a browser delays nobody. What the process knows beyond the store comes by web_source. */
#ifndef SEALDNS_WEB_WEB_H
#define SEALDNS_WEB_WEB_H

#include <jansson.h>
#include <stdio.h>

#include "model/policy.h"

#define WEB_ERROR 256

struct web;

/* A policy to try on what was recorded. */
struct web_plan {
    const char *text; /* YAML; the same as a file */
    size_t size;
    nsec_t since;
    const char *client; /* NULL: all; else what is in force, enforced, of that one alone: no text */
};

/* A report to be made. */
struct web_report {
    nsec_t from, to;
    const char *format; /* html, pdf, json, csv, text */
};

/* All are called by several threads at once. */
struct web_source {
    void *context;
    nsec_t (*now)(void *context);
    /* The document of `sealdns status --format json`, a second old at most; to be given back by
     * json_decref(). NULL: there is none yet. */
    json_t *(*status)(void *context);
    /* The policy in force; stays until it is released. */
    const struct policy *(*policy)(void *context);
    void (*release)(void *context, const struct policy *p);
    /* The document of `sealdns plan --format json`, or with SD_ECONF {"errors": [...]}. SD_EAGAIN:
     * one is being made already. SD_EIO, SD_EMEM. NULL: plans are not made here. */
    int (*plan)(void *context, const struct web_plan *ask, json_t **out);
    /* Writes it; SD_EIO, SD_EMEM. NULL: no reports here. */
    int (*report)(void *context, const struct web_report *ask, FILE *to);
};

/* SD_EIO: error says why. SD_ECONF: a file cannot be read. SD_EMEM. */
int web_open(const struct policy_web *config, const struct web_source *source, struct web **out,
             char error[WEB_ERROR]);
/* Waits for the threads. */
void web_close(struct web *w);
/* There may be something new for those who follow along; call a few times a second at most. */
void web_wake(struct web *w);

#endif
