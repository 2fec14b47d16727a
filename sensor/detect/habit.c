#include "detect/habit.h"

#include "base/hash.h"

#define HOUR (3600 * NSEC_S)

static uint64_t address_hash(const struct addr *a)
{
    return hash_mix(a->w[0], a->w[1]);
}

static void turn_hour(struct habit *h, nsec_t now)
{
    if (h->since && now - h->since < HOUR)
        return;
    h->before = h->since && now - h->since < 2 * HOUR ? h->since : now;
    h->fresh_before = h->before == now ? 0 : h->fresh;
    h->since = now;
    h->fresh = 0;
}

void habit_learn(struct habit *h, uint32_t name, bool ordinary, nsec_t now)
{
    uint32_t line = name % HABIT_LINES;

    h->name[line][h->next_name[line]] = name;
    h->next_name[line] = (uint8_t)((h->next_name[line] + 1) % HABIT_LINE);
    if (!ordinary)
        return;
    turn_hour(h, now);
    h->fresh++;
}

uint32_t habit_count(const struct habit *h, nsec_t now)
{
    if (!h->since || now - h->since > 2 * HOUR)
        return 0;
    return h->fresh + h->fresh_before;
}

double habit_expects(const struct habit *h, nsec_t now, nsec_t span)
{
    nsec_t watched = now - h->before;

    if (watched < 60 * NSEC_S)
        watched = 60 * NSEC_S;
    return (double)habit_count(h, now) * (double)span / (double)watched;
}

bool habit_owns(const struct habit *h, uint32_t name)
{
    for (int i = 0; i < h->own_count; i++)
        if (h->own[i] == name)
            return true;
    return false;
}

void habit_own(struct habit *h, uint32_t name)
{
    if (habit_owns(h, name))
        return;
    h->own[h->next_own] = name;
    h->next_own = (uint8_t)((h->next_own + 1) % HABIT_OWN);
    h->own_count += h->own_count < HABIT_OWN;
}

bool habit_contacted(const struct habit *h, const struct addr *server)
{
    uint64_t address = address_hash(server);

    for (int i = 0; i < HABIT_CONTACTS; i++)
        if (h->contact[i] == address)
            return true;
    return false;
}

void habit_contact(struct habit *h, const struct addr *server)
{
    if (habit_contacted(h, server))
        return;
    h->contact[h->next_contact] = address_hash(server);
    h->next_contact = (uint8_t)((h->next_contact + 1) % HABIT_CONTACTS);
}
