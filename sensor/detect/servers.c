#include "detect/servers.h"

#include "base/table.h"

enum { SERVERS = 4096, TTLS = 3, RARE = 8, RTTS_ENOUGH = 5, FLOWS_MOST = 4096 };

struct server {
    struct addr address; /* the key */
    uint16_t seen[TTLS];
    uint8_t ttl[TTLS];
    uint8_t rtts;
    uint32_t rtt_us;
};

struct servers *servers_create(uint64_t seed)
{
    struct table_shape shape = {.entry_size = sizeof(struct server),
                                .key_size = sizeof(struct addr),
                                .capacity = SERVERS,
                                .seed = seed};

    return (struct servers *)table_create(&shape);
}

static struct table *table_of(const struct servers *s)
{
    return (struct table *)s;
}

void servers_destroy(struct servers *s)
{
    table_destroy(table_of(s));
}

size_t servers_bytes(const struct servers *s)
{
    return table_bytes(table_of(s));
}

/* The first is the most frequent; what is new takes the place of the last. */
static void count_ttl(struct server *server, uint8_t ttl)
{
    int at = 0;

    while (at < TTLS - 1 && server->ttl[at] != ttl && server->ttl[at])
        at++;
    if (server->ttl[at] != ttl) {
        server->ttl[at] = ttl;
        server->seen[at] = 0;
    }
    if (++server->seen[at] == FLOWS_MOST)
        for (int i = 0; i < TTLS; i++)
            server->seen[i] /= 2;
    if (at > 0 && server->seen[at] > server->seen[at - 1]) {
        uint16_t seen = server->seen[at];

        server->ttl[at] = server->ttl[at - 1];
        server->seen[at] = server->seen[at - 1];
        server->ttl[at - 1] = ttl;
        server->seen[at - 1] = seen;
    }
}

void servers_learn(struct servers *s, const struct addr *server, uint8_t ttl, uint32_t rtt_us)
{
    bool fresh;
    struct server *known = table_insert(table_of(s), server, &fresh);

    if (ttl)
        count_ttl(known, ttl);
    if (!rtt_us)
        return;
    if (!known->rtts || rtt_us < known->rtt_us)
        known->rtt_us = rtt_us;
    known->rtts += known->rtts < UINT8_MAX;
}

uint8_t servers_ttl(struct servers *s, const struct addr *server)
{
    const struct server *known = table_find(table_of(s), server);

    if (!known || known->seen[1] > known->seen[0] / RARE)
        return 0;
    return known->ttl[0];
}

uint32_t servers_rtt_us(struct servers *s, const struct addr *server)
{
    const struct server *known = table_find(table_of(s), server);

    return known && known->rtts >= RTTS_ENOUGH ? known->rtt_us : 0;
}
