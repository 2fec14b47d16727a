#include "detect/stations.h"

#include "base/table.h"

struct stations *stations_create(size_t capacity, uint64_t seed)
{
    struct table_shape shape = {.entry_size = sizeof(struct station),
                                .key_size = sizeof(uint64_t),
                                .capacity = capacity,
                                .seed = seed};

    return (struct stations *)table_create(&shape);
}

static struct table *table_of(const struct stations *s)
{
    return (struct table *)s;
}

void stations_destroy(struct stations *s)
{
    table_destroy(table_of(s));
}

size_t stations_bytes(const struct stations *s)
{
    return table_bytes(table_of(s));
}

static void add_four(struct station *s, const struct addr *address)
{
    for (int i = 0; i < s->four_count; i++)
        if (addr_equal(s->four + i, address))
            return;
    if (s->four_count == STATION_FOUR)
        s->router = true;
    else
        s->four[s->four_count++] = *address;
}

/* A client has several (RFC 8981), and gets new ones: the newest are kept. */
static void add_six(struct station *s, const struct addr *address)
{
    for (int i = 0; i < STATION_SIX; i++)
        if (addr_equal(s->six + i, address))
            return;
    s->six[s->next_six] = *address;
    s->next_six = (uint8_t)((s->next_six + 1) % STATION_SIX);
}

void stations_add(struct stations *s, uint64_t id, const struct addr *address)
{
    struct station *station;
    bool fresh;

    if (id == 0)
        return;
    station = table_insert(table_of(s), &id, &fresh);
    if (addr_is_v4(address))
        add_four(station, address);
    else
        add_six(station, address);
}

size_t stations_siblings(struct stations *s, uint64_t id, const struct addr *address,
                         struct addr *out)
{
    struct station *station = id ? table_find(table_of(s), &id) : NULL;
    size_t count = 0;

    if (!station || station->router)
        return 0;
    for (int i = 0; i < station->four_count; i++)
        if (!addr_equal(station->four + i, address))
            out[count++] = station->four[i];
    for (int i = 0; i < STATION_SIX; i++)
        if (!addr_is_zero(station->six + i) && !addr_equal(station->six + i, address))
            out[count++] = station->six[i];
    return count;
}
