#include "account/clients.h"

#include <stdlib.h>
#include <string.h>

#include "account/several.h"
#include "base/hash.h"
#include "base/table.h"

enum {
    SEARCH = 64, /* places looked at for the one that was silent longest */
    TURNS = 6,   /* within a minute from one IPv4 address of a station to another: two machines */
    MOVES = 4,   /* an address that goes to and fro between stations is of neither */
    MOVES_FOR = 600,
    SEEN = 16384,       /* newcomers of a moment ago */
    NOTED = 16,         /* seconds: how exactly a place knows when it was heard last */
    LEASE_USUAL = 86400 /* seconds, where none are said */
};

/* An address. It counts only while its tenure is that of its place. */
struct client {
    struct addr address; /* the key */
    uint64_t frame : 48; /* link address that the last of its packets had */
    uint64_t moves : 8;
    uint64_t station : 48; /* of the machine whose it is, 0: of none */
    uint64_t who : 16;
    uint32_t tenure;
    uint32_t leased; /* second until which the station is a lease's word */
    uint32_t moved;  /* second */
    uint32_t noted;  /* second, in which its place heard of it last */
    struct several several;
};

_Static_assert(sizeof(struct client) == 64, "a line of the cache for each address");
_Static_assert(CLIENTS_MOST <= 1 << 16, "a place has 16 bits");

/* What every packet asks of a place, apart from the rest. */
struct tenant {
    uint32_t tenure;
    uint32_t four; /* of the last IPv4 address used */
};

struct place {
    uint32_t last; /* second */
    uint16_t turns, minute;
};

struct clients {
    struct table *table;
    struct hosts *hosts;
    struct place *places;
    struct tenant *tenants; /* likewise by place */
    uint64_t seed;
    uint32_t most;       /* places of clients that were seen more than once; behind them: */
    uint32_t newcomers;  /* places */
    uint32_t seen[SEEN]; /* of newcomers: bits of their hashes */
    uint32_t tenures;    /* given out */
    uint32_t used;       /* places that were ever given out */
    uint32_t hand;       /* where the search for a silent place goes on */
};

struct clients *clients_create(size_t most, uint64_t seed)
{
    struct clients *c = calloc(1, sizeof *c);
    struct table_shape shape = {.entry_size = sizeof(struct client),
                                .key_size = sizeof(struct addr),
                                .capacity = most,
                                .seed = seed};

    if (!c)
        return NULL;
    c->newcomers = (uint32_t)most / 64 + 1;
    c->most = (uint32_t)most - c->newcomers;
    c->seed = seed;
    c->table = table_create(&shape);
    c->hosts = hosts_create(most, seed);
    c->places = calloc(most, sizeof *c->places);
    c->tenants = calloc(most, sizeof *c->tenants);
    if (c->table && c->hosts && c->places && c->tenants)
        return c;
    clients_destroy(c);
    return NULL;
}

void clients_destroy(struct clients *c)
{
    if (!c)
        return;
    if (c->table)
        table_destroy(c->table);
    hosts_destroy(c->hosts);
    free(c->places);
    free(c->tenants);
    free(c);
}

void clients_prefetch(const struct clients *c, uint32_t place)
{
    table_prefetch_at(c->table, place);
}

void clients_prefetch_strange(const struct clients *c, const struct observation *o, bool entry)
{
    (entry ? table_prefetch_entry : table_prefetch_bucket)(c->table, &o->client);
}

static uint32_t next_tenure(struct clients *c)
{
    c->tenures = c->tenures + 1 ? c->tenures + 1 : 1;
    return c->tenures;
}

/* Of a few the one that was silent longest. */
static uint32_t silent_place(struct clients *c)
{
    uint32_t found = c->hand;

    for (uint32_t i = 0; i < SEARCH; i++) {
        uint32_t at = (c->hand + i) % c->most;

        if ((int32_t)(c->places[at].last - c->places[found].last) < 0)
            found = at;
    }
    c->hand = (c->hand + SEARCH) % c->most;
    return found;
}

static void new_place(struct clients *c, struct client *client, struct stats *stats)
{
    if (c->used < c->most) {
        client->who = c->used++;
    } else {
        client->who = silent_place(c);
        stats->state_evicted++;
    }
    client->tenure = next_tenure(c);
    c->tenants[client->who] = (struct tenant){.tenure = client->tenure};
    c->places[client->who] = (struct place){.turns = 0};
    client->noted = 0;
}

static bool holds(const struct clients *c, uint32_t who, uint32_t tenure)
{
    return tenure != 0 && c->tenants[who].tenure == tenure;
}

/* What it was thought to be was several: every address starts anew. */
static void dissolve(struct clients *c, const struct host *m)
{
    if (holds(c, m->who, m->tenure))
        c->tenants[m->who].tenure = next_tenure(c);
}

/* IP stacks start at these (RFC 1700; what systems do): a packet that has another was forwarded,
 * and its link address is not its sender's. Known for queries only. */
static bool was_forwarded(const struct observation *o)
{
    return o->kind == OBSERVE_DNS && !dns_is_response(&o->dns.message) && o->ttl != 64 &&
           o->ttl != 128 && o->ttl != 255 && o->ttl != 32 && o->ttl != 0;
}

/* The last eight octets of an address made of a link address (RFC 4291 A). */
static bool is_of_another(const struct addr *a, uint64_t station)
{
    const uint8_t *b = a->b + 8;
    uint64_t own = 0;

    if (addr_is_v4(a) || b[3] != 0xff || b[4] != 0xfe)
        return false;
    own = (uint64_t)(b[0] ^ 2) << 40 | (uint64_t)b[1] << 32 | (uint64_t)b[2] << 24 |
          (uint64_t)b[5] << 16 | (uint64_t)b[6] << 8 | b[7];
    return own != station;
}

/* The machine that had the address has it no longer. */
static void leave(struct clients *c, struct client *client, uint64_t to, nsec_t now)
{
    struct host *m = client->station != to ? hosts_find(c->hosts, client->station) : NULL;

    if (m)
        host_drop(m, &client->address, now);
    client->station = to;
}

/* The address is this machine's: it has the machine's place, or the machine has its. */
static void join(struct clients *c, struct client *client, struct host *m, nsec_t now,
                 struct stats *stats)
{
    bool had = holds(c, client->who, client->tenure), was_others = client->station != 0;

    if (!host_add(m, &client->address, now)) {
        dissolve(c, m);
        leave(c, client, 0, now);
        new_place(c, client, stats);
        return;
    }
    leave(c, client, m->station, now);
    if (holds(c, m->who, m->tenure)) {
        client->who = m->who;
        client->tenure = m->tenure;
        return;
    }
    if (!had || was_others)
        new_place(c, client, stats);
    m->who = client->who;
    m->tenure = client->tenure;
}

static bool is_leased(const struct client *client, nsec_t now)
{
    return client->station && (uint32_t)(now / NSEC_S) < client->leased;
}

/* Not the machine's that its packets came from: of the one that a lease names, or of none. */
static void stand_apart(struct clients *c, struct client *client, nsec_t now, struct stats *stats)
{
    struct host *m = hosts_find(c->hosts, client->station);

    if (m && !m->router && is_leased(client, now)) {
        join(c, client, m, now, stats);
        return;
    }
    leave(c, client, 0, now);
    new_place(c, client, stats);
}

/* Whether a packet with this link address was sent by another station. */
static bool is_from_another(const struct client *client, const struct observation *o)
{
    bool query = o->kind == OBSERVE_DNS && !dns_is_response(&o->dns.message) && o->ttl != 0;

    if (query)
        return was_forwarded(o);
    return (is_leased(client, o->time) && client->station != o->station) ||
           is_of_another(&o->client, o->station);
}

static bool moves_too_often(struct client *client, nsec_t now)
{
    uint32_t second = (uint32_t)(now / NSEC_S);

    if (second - client->moved > MOVES_FOR)
        client->moves = 0;
    client->moved = second;
    return client->moves++ >= MOVES;
}

/* The packet's link address says something new of the client. */
static void settle(struct clients *c, struct client *client, const struct observation *o,
                   struct stats *stats)
{
    bool known = holds(c, client->who, client->tenure), apart;
    struct host *m;

    if (!o->station) {
        if (!known)
            new_place(c, client, stats);
        return;
    }
    client->frame = o->station;
    m = hosts_at(c->hosts, o->station, o->time);
    m->router |= (o->note.roles & ROLE_GATEWAY) != 0;
    apart = is_from_another(client, o);
    if (apart && host_forwards(m)) {
        dissolve(c, m);
        known = holds(c, client->who, client->tenure);
    }
    if (apart || m->router) {
        if (!known)
            stand_apart(c, client, o->time, stats);
    } else if (!known || (client->station != o->station &&
                          !(client->station && moves_too_often(client, o->time)))) {
        join(c, client, m, o->time, stats);
    }
}

static uint32_t four_of(const struct addr *a)
{
    uint32_t four;

    memcpy(&four, a->b + 12, sizeof four);
    return four;
}

/* It is not the IPv4 address that the machine had last. One machine has one at a time; two in turns
 * are two behind one link address. */
static void note_four(struct clients *c, struct client *client, const struct observation *o,
                      struct stats *stats)
{
    struct place *p = &c->places[client->who];
    uint16_t minute = (uint16_t)(o->time / (60 * NSEC_S));
    struct host *m;

    p->turns = p->minute == minute ? p->turns + 1 : 0;
    p->minute = minute;
    c->tenants[client->who].four = four_of(&client->address);
    if (p->turns < TURNS || !(m = hosts_find(c->hosts, client->station)))
        return;
    m->router = m->changed = true;
    dissolve(c, m);
    stand_apart(c, client, o->time, stats);
}

void clients_note(struct clients *c, struct observation *o, uint32_t *place, struct stats *stats)
{
    bool fresh;
    struct client *client = table_insert_at(c->table, place, &o->client, &fresh);
    uint32_t second = (uint32_t)(o->time / NSEC_S);

    if (!holds(c, client->who, client->tenure) || (client->frame != o->station && o->station))
        settle(c, client, o, stats);
    if (second - client->noted >= NOTED) {
        client->noted = second;
        c->places[client->who].last = second;
    }
    if (client->station && c->tenants[client->who].four != four_of(&o->client) &&
        addr_is_v4(&o->client))
        note_four(c, client, o, stats);
    if (o->kind == OBSERVE_DNS && !dns_is_response(&o->dns.message) &&
        several_note(&client->several, o))
        o->note.roles |= ROLE_SEVERAL;
    o->note.who = client->who;
    o->note.tenure = client->tenure;
}

bool clients_newcomer(struct clients *c, const struct observation *o)
{
    uint64_t hash;
    uint32_t *seen, bits;

    if (c->used < c->most / 4 || table_find(c->table, &o->client))
        return false;
    hash = hash_bytes(&o->client, sizeof o->client, c->seed);
    seen = &c->seen[hash % SEEN];
    bits = (uint32_t)(hash >> 32) | 1;
    if (*seen == bits)
        return false;
    *seen = bits;
    return true;
}

void clients_note_newcomer(struct clients *c, struct observation *o)
{
    uint32_t tenure = next_tenure(c);

    o->note.newcomer = true;
    o->note.who = c->most + tenure % c->newcomers;
    o->note.tenure = tenure;
}

/* A lease says whose an address is, wherever its packets come from. */
static void give(struct clients *c, struct host *m, const struct addr *address, uint32_t lifetime_s,
                 nsec_t now, struct stats *stats)
{
    struct client *client = table_insert(c->table, address, &(bool){false});

    client->leased = (uint32_t)(now / NSEC_S) + (lifetime_s ? lifetime_s : LEASE_USUAL);
    client->moves = 0;
    if (!m->router && (client->station != m->station || !holds(c, client->who, client->tenure)))
        join(c, client, m, now, stats);
    host_leased(m, address, client->leased);
}

void clients_lease(struct clients *c, const struct observation *o, struct stats *stats)
{
    const struct lease_observation *l = &o->lease;
    struct host *m;

    if (o->station == 0 || l->source == LEASE_ROUTER || l->step == LEASE_OFFERED)
        return;
    m = hosts_at(c->hosts, o->station, o->time);
    if (l->host[0] && strcmp(m->name, l->host) != 0) {
        memcpy(m->name, l->host, sizeof m->name);
        m->changed = true;
    }
    for (int i = 0; l->step == LEASE_GIVEN && i < l->address_count; i++)
        give(c, m, &l->address[i], l->lifetime_s, o->time, stats);
}

const struct host *clients_host(struct clients *c, const struct addr *address)
{
    const struct client *client = table_find(c->table, address);
    const struct host *m = client ? hosts_find(c->hosts, client->station) : NULL;

    return m && !m->router ? m : NULL;
}

bool clients_find(struct clients *c, const struct addr *address, uint32_t *who, uint32_t *tenure)
{
    const struct client *client = table_find(c->table, address);

    if (!client || !holds(c, client->who, client->tenure))
        return false;
    *who = client->who;
    *tenure = client->tenure;
    return true;
}

void clients_remember(struct clients *c, struct memory_sink sink)
{
    hosts_remember(c->hosts, sink);
}

void clients_recall(struct clients *c, const struct memory *m)
{
    struct host *host = hosts_recall(c->hosts, m);
    struct stats ignored = {0};

    for (int i = 0; host && !host->router && i < HOST_ADDRESSES; i++) {
        struct client *client;

        if (addr_is_zero(&host->address[i]))
            continue;
        client = table_insert(c->table, &host->address[i], &(bool){false});
        if (client->station)
            continue; /* a later piece had it */
        join(c, client, host, m->time, &ignored);
        client->frame = host->station;
        c->places[client->who].last = (uint32_t)(m->time / NSEC_S);
    }
}
