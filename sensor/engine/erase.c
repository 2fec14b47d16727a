#include "engine/erase.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "engine/gateway.h"

struct captures {
    const struct erasure *of;
    json_int_t count;
};

/* The name comes out of the store: of the folder, and nothing else. */
static void take_capture(void *context, const char *name)
{
    struct captures *c = context;
    const char *folder = c->of->policy->evidence.path;
    char path[512];

    if (!*folder || strchr(name, '/') || strncmp(name, "sealdns-", 8) != 0)
        return;
    snprintf(path, sizeof path, "%.255s/%.250s", folder, name);
    if (c->of->dry_run)
        c->count += access(path, F_OK) == 0;
    else
        c->count += unlink(path) == 0;
}

json_t *erase_client(const struct erasure *e, const struct addr *client)
{
    struct addr all[1 + PSEUDONYM_KEYS] = {*client};
    struct captures captures = {.of = e};
    const struct forgetting wish = {
        .addresses = all,
        .count = 1 + (e->names ? pseudonyms_of(e->names, client, all + 1) : 0),
        .dry_run = e->dry_run,
        .now = clock_now(),
        .capture = take_capture,
        .context = &captures};
    struct forgotten gone;
    int status = store_forget(e->store, &wish, &gone);
    json_t *removed;

    if (status != SD_OK)
        return json_pack("{s:b,s:s}", "ok", 0, "error",
                         "the store did not take it, nothing was changed: is it locked, or full?");
    removed = json_object();
    for (size_t i = 0; i < FORGET_TABLES; i++)
        json_object_set_new(removed, gone.tables[i].what,
                            json_integer((json_int_t)gone.tables[i].rows));
    return json_pack("{s:b,s:o,s:I,s:b}", "ok", 1, "removed", removed, "captures", captures.count,
                     "log_stays", gone.log_stays);
}
