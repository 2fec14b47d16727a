#include "account/clients.h"

#include <stdlib.h>

#include "base/table.h"

/* A client's place is where its entry lies in the table. */
struct client {
    struct addr address; /* the key */
    uint32_t tenure;
    uint32_t who;
};

struct clients {
    struct table *table;
    uint32_t tenures; /* given out */
    uint32_t places;
    uint32_t freed; /* the place of the entry that was just evicted, CLIENTS_MOST: none */
};

static void evicted(void *context, void *entry)
{
    struct clients *c = context;

    c->freed = ((struct client *)entry)->who;
}

struct clients *clients_create(uint64_t seed)
{
    struct clients *c = calloc(1, sizeof *c);
    struct table_shape shape = {.entry_size = sizeof(struct client),
                                .key_size = sizeof(struct addr),
                                .capacity = CLIENTS_MOST,
                                .seed = seed,
                                .evicted = evicted,
                                .context = c};

    if (!c)
        return NULL;
    c->freed = CLIENTS_MOST;
    c->table = table_create(&shape);
    if (c->table)
        return c;
    free(c);
    return NULL;
}

void clients_destroy(struct clients *c)
{
    if (!c)
        return;
    table_destroy(c->table);
    free(c);
}

void clients_prefetch(const struct clients *c, const struct observation *o, bool entry)
{
    (entry ? table_prefetch_entry : table_prefetch_bucket)(c->table, &o->client);
}

void clients_note(struct clients *c, struct observation *o, struct stats *stats)
{
    bool fresh;
    struct client *client = table_insert(c->table, &o->client, &fresh);

    if (fresh) {
        client->who = c->freed < CLIENTS_MOST ? c->freed : c->places++;
        stats->state_evicted += c->freed < CLIENTS_MOST;
        c->freed = CLIENTS_MOST;
        c->tenures = c->tenures + 1 ? c->tenures + 1 : 1;
        client->tenure = c->tenures;
    }
    o->note.who = client->who;
    o->note.tenure = client->tenure;
}
