#include "engine/rehearse.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { MOVED_MOST = 64 };

static int take_row(void *context, const struct history_row *row)
{
    struct rehearsal *q = context;

    if (q->progress && ++q->rows % 262144 == 0)
        q->progress(q->context, q->rows);
    return plan_take(q->plan, row);
}

static void free_hosts(struct rehearsal *q)
{
    for (size_t i = 0; i < q->machines; i++)
        free(q->hosts[i]);
    q->machines = 0;
}

static int add_host(struct rehearsal *q, const char *host)
{
    if (q->machines == q->machine_room) {
        size_t room = q->machine_room ? q->machine_room * 2 : 256;
        char **grown = realloc(q->hosts, room * sizeof *grown);

        if (!grown)
            return SD_EMEM;
        q->hosts = grown;
        q->machine_room = room;
    }
    q->hosts[q->machines] = host ? strdup(host) : NULL;
    return q->hosts[q->machines++] || !host ? SD_OK : SD_EMEM;
}

/* A machine's row of the memory: all its addresses, with a blank between. */
static int take_machine(void *context, const struct memory_row *row)
{
    struct rehearsal *q = context;
    json_t *o = json_loads(row->text, 0, NULL);
    char *list = strdup(json_string_value(json_object_get(o, "addresses")) ?: ""), *rest = list;
    uint32_t machine = (uint32_t)q->machines;
    int status = list ? add_host(q, json_string_value(json_object_get(o, "host"))) : SD_EMEM;

    for (char *word; status == SD_OK && (word = strsep(&rest, " ")) != NULL;) {
        struct addr a;

        if (addr_parse(word, &a) == SD_OK)
            status = plan_machine(q->plan, &a, machine);
    }
    free(list);
    json_decref(o);
    return q->stopped = status;
}

static int take_blocked(void *context, const struct blocked_row *row)
{
    struct rehearsal *q = context;
    struct addr client, server;

    if (addr_parse(row->client, &client) != SD_OK || addr_parse(row->server, &server) != SD_OK)
        return SD_OK;
    return q->stopped = plan_blocked(q->plan, &client, &server, row->cleartext);
}

static int history(void *reader, nsec_t since, const struct history_sink *sink)
{
    return store_history(reader, since, sink);
}

static int blocked(void *reader, nsec_t since,
                   int (*fn)(void *context, const struct blocked_row *row), void *context)
{
    return store_blocked(reader, since, fn, context);
}

static int memory(void *reader, const char *topic, const char *key,
                  int (*fn)(void *context, const struct memory_row *row), void *context)
{
    return store_memory(reader, topic, key, fn, context);
}

struct rehearsal_source rehearsal_of_store(struct store_reader *r)
{
    return (struct rehearsal_source){r, history, blocked, memory};
}

static int read_rows(struct rehearsal *q, const struct rehearsal_source *r)
{
    struct history_sink sink = {take_row, q};
    int status;

    q->rows = 0;
    q->stopped = SD_OK;
    free_hosts(q);
    status = r->history(r->reader, q->since, &sink);
    if (status == SD_OK)
        status = r->blocked(r->reader, q->since, take_blocked, q);
    if (status == SD_OK && q->stopped == SD_OK)
        status = r->memory(r->reader, "client", NULL, take_machine, q);
    return status == SD_OK ? q->stopped : status;
}

static int begin(struct rehearsal *q)
{
    q->plan = plan_create(q->policy, q->now, (uint64_t)q->now);
    return q->plan ? SD_OK : SD_EMEM;
}

/* The store of another machine, or of this one before it was given other addresses: what its
 * clients asked it must not look as if they asked a stranger. Nobody else has this policy yet. */
static int begin_again(struct rehearsal *q, const struct addr *moved)
{
    struct policy *p = q->policy;
    struct addr *all = realloc(p->gateway, (p->gateway_count + q->moved) * sizeof *all);
    int status;

    if (!all)
        return SD_EMEM;
    memcpy(all + p->gateway_count, moved, q->moved * sizeof *all);
    p->gateway = all;
    p->gateway_count += q->moved;
    if ((status = policy_compile(p)) != SD_OK)
        return status;
    plan_destroy(q->plan);
    return begin(q);
}

int rehearse(struct rehearsal *q, const struct rehearsal_source *r)
{
    struct addr moved[MOVED_MOST];
    int status = begin(q);

    if (status == SD_OK)
        status = read_rows(q, r);
    if (status != SD_OK)
        return status;
    q->moved = plan_gateways(q->plan, moved, MOVED_MOST);
    if (q->moved)
        status = begin_again(q, moved);
    if (q->moved && status == SD_OK)
        status = read_rows(q, r);
    return status == SD_OK ? plan_settle(q->plan) : status;
}

void rehearsal_finish(struct rehearsal *q)
{
    plan_destroy(q->plan);
    free_hosts(q);
    free(q->hosts);
    q->plan = NULL;
    q->hosts = NULL;
}
