#include "cli/blocked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/met_observation.h"

enum { MOST = 256, SHOWN = 20 };

struct pair {
    char other[64], rule[RULE_NAME], verdict[20], transport[12], last[TIME_TEXT];
    bool as_client;
    json_int_t packets, events;
};

struct list {
    const struct blocked_subject *subject;
    struct pair pair[MOST];
    size_t count, beyond;
};

static const char *string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static struct pair *find(struct list *l, const struct pair *p)
{
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->pair[i].other, p->other) == 0 && strcmp(l->pair[i].rule, p->rule) == 0 &&
            strcmp(l->pair[i].verdict, p->verdict) == 0 && l->pair[i].as_client == p->as_client)
            return l->pair + i;
    if (l->count == MOST) {
        l->beyond++;
        return NULL;
    }
    l->pair[l->count] = *p;
    return l->pair + l->count++;
}

static void take(struct list *l, const json_t *own, bool as_client)
{
    const json_t *evidence = json_object_get(own, "evidence");
    struct pair p = {.as_client = as_client}, *known;

    text_copy(p.other, sizeof p.other, string(own, as_client ? "server" : "client"));
    text_copy(p.rule, sizeof p.rule, string(evidence, "rule"));
    text_copy(p.transport, sizeof p.transport, string(evidence, "transport"));
    text_copy(p.verdict, sizeof p.verdict, string(own, "verdict"));
    known = find(l, &p);
    if (!known)
        return;
    known->packets += json_integer_value(json_object_get(own, "count"));
    if (strcmp(string(own, "last"), known->last) > 0)
        text_copy(known->last, sizeof known->last, string(own, "last"));
}

static int take_event(void *context, const struct event_row *row)
{
    struct list *l = context;
    json_t *eve = json_loads(row->json, 0, NULL);
    const json_t *own = json_object_get(eve, "sealdns");
    bool as_client;

    if (strcmp(string(own, "rule"), "rule-evidence") == 0 &&
        l->subject->concerns(l->subject->context, own, &as_client))
        take(l, own, as_client);
    json_decref(eve);
    return 0;
}

static int latest_first(const void *left, const void *right)
{
    return strcmp(((const struct pair *)right)->last, ((const struct pair *)left)->last);
}

static void print(struct list *l)
{
    qsort(l->pair, l->count, sizeof *l->pair, latest_first);
    printf("Met by rules in the last seven days, by the kernel's log:%s\n",
           l->count ? "" : " none");
    for (size_t i = 0; i < l->count && i < SHOWN; i++) {
        const struct pair *p = l->pair + i;

        printf("  %s %s %s: %lld packets, %s, last %.19sZ, rule %s\n", p->as_client ? "to" : "from",
               p->other, p->transport, (long long)p->packets, p->verdict, p->last, p->rule);
    }
    if (l->count > SHOWN || l->beyond)
        printf("  ... and more, see `sealdns events --type enforcement`\n");
}

int blocked_print(struct store_reader *r, const struct blocked_subject *s, nsec_t since)
{
    struct event_filter filter = {.kind = KIND_ENFORCEMENT, .since = since};
    struct list *l = calloc(1, sizeof *l);
    int status = l ? SD_OK : SD_EMEM;

    if (l) {
        l->subject = s;
        status = store_events(r, &filter, take_event, l);
        print(l);
    }
    free(l);
    return status;
}
