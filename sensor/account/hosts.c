#include "account/hosts.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define TOPIC "client"

enum {
    COUNT_FOR = 600, /* seconds within which new addresses are counted */
    FOURS = 3,       /* a lease may change twice in ten minutes */
    SIXES = 8,       /* stable and temporary ones of several prefixes */
    FORWARDED = 3,
    VERSION = 1,
    RENEWED = 600,    /* seconds that a lease must last longer to be told again */
    REMEMBERED = 1024 /* pieces at a time */
};

/* What is kept of a machine, as it lies in a piece of memory. */
struct piece {
    uint8_t version;
    uint8_t router, leased;
    uint8_t zero;
    uint32_t until;
    uint64_t station;
    nsec_t since;
    struct addr address[HOST_ADDRESSES];
    char name[LEASE_NAME];
};

struct hosts *hosts_create(size_t most, uint64_t seed)
{
    struct table_shape shape = {.entry_size = sizeof(struct host),
                                .key_size = sizeof(uint64_t),
                                .capacity = most,
                                .seed = seed};

    return (struct hosts *)table_create(&shape);
}

static struct table *table_of(const struct hosts *m)
{
    return (struct table *)m;
}

void hosts_destroy(struct hosts *m)
{
    if (m)
        table_destroy(table_of(m));
}

struct host *hosts_find(struct hosts *m, uint64_t station)
{
    return station ? table_find(table_of(m), &station) : NULL;
}

struct host *hosts_at(struct hosts *m, uint64_t station, nsec_t now)
{
    bool fresh;
    struct host *host = table_insert(table_of(m), &station, &fresh);

    if (fresh)
        host->since = host->seen = now;
    return host;
}

/* Index of the address, -1: it does not use it. */
static int place_of(const struct host *m, const struct addr *address)
{
    for (int i = 0; i < HOST_ADDRESSES; i++)
        if (addr_equal(&m->address[i], address))
            return i;
    return -1;
}

bool host_add(struct host *m, const struct addr *address, nsec_t now)
{
    uint32_t second = (uint32_t)(now / NSEC_S);
    bool four = addr_is_v4(address);
    const struct addr none = {.w = {0, 0}};
    int i;

    m->seen = now;
    if (second - m->counted > COUNT_FOR) {
        m->counted = second;
        m->fours = m->sixes = 0;
    }
    if (place_of(m, address) >= 0)
        return true;
    m->fours += four;
    m->sixes += !four;
    m->changed = true;
    if (m->fours >= FOURS || m->sixes > SIXES) {
        m->router = true;
        return false;
    }
    i = place_of(m, &none);
    if (i < 0) { /* the oldest goes */
        i = m->next;
        m->next = (uint8_t)((m->next + 1) % HOST_ADDRESSES);
    }
    if (m->leased == i + 1)
        m->leased = 0;
    m->address[i] = *address;
    return true;
}

void host_drop(struct host *m, const struct addr *address, nsec_t now)
{
    int i = place_of(m, address);

    if (i < 0)
        return;
    m->address[i] = (struct addr){.w = {0, 0}};
    if (m->leased == i + 1)
        m->leased = 0;
    m->seen = now;
    m->changed = true;
}

void host_leased(struct host *m, const struct addr *address, uint32_t until)
{
    uint8_t leased = (uint8_t)(place_of(m, address) + 1);

    if (!leased || (leased == m->leased && until < m->until + RENEWED))
        return;
    m->changed = true;
    m->leased = leased;
    m->until = until;
}

bool host_forwards(struct host *m)
{
    if (m->router || ++m->forwarded < FORWARDED)
        return false;
    m->router = m->changed = true;
    return true;
}

/* For people: explain reads it. */
static void write_text(const struct host *m, struct evidence *e)
{
    char station[STATION_TEXT], time[TIME_TEXT], one[ADDR_TEXT];
    char all[HOST_ADDRESSES * (ADDR_TEXT + 1)] = "";
    size_t used = 0;

    evidence_clear(e);
    evidence_string(e, "station", station_text(m->station, station));
    if (m->name[0])
        evidence_string(e, "host", m->name);
    for (int i = 0; i < HOST_ADDRESSES && !m->router; i++)
        if (!addr_is_zero(&m->address[i]))
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? " " : "",
                                     addr_text(&m->address[i], one));
    evidence_string(e, "addresses", all);
    if (m->leased && !m->router) {
        evidence_string(e, "leased", addr_text(&m->address[m->leased - 1], one));
        evidence_string(e, "leased_until", time_text(m->until * NSEC_S, time));
    }
    if (m->router)
        evidence_boolean(e, "router", true);
    evidence_string(e, "since", time_text(m->since, time));
}

static int put_piece(const struct host *m, struct memory_sink sink)
{
    struct piece p = {.version = VERSION,
                      .router = m->router,
                      .leased = m->leased,
                      .until = m->until,
                      .station = m->station,
                      .since = m->since};
    struct memory out = {.topic = TOPIC, .time = m->seen, .size = sizeof p};

    memcpy(p.address, m->address, sizeof p.address);
    memcpy(p.name, m->name, sizeof p.name);
    station_text(m->station, out.key);
    memcpy(out.body, &p, sizeof p);
    write_text(m, &out.text);
    return sink.put(sink.context, &out);
}

void hosts_remember(struct hosts *m, struct memory_sink sink)
{
    struct host *host;
    size_t position = 0;

    for (int told = 0; told < REMEMBERED && (host = table_next(table_of(m), &position));) {
        if (!host->changed)
            continue;
        if (put_piece(host, sink) != SD_OK)
            return;
        host->changed = false;
        told++;
    }
}

struct host *hosts_recall(struct hosts *m, const struct memory *piece)
{
    struct piece p;
    struct host *host;

    if (strcmp(piece->topic, TOPIC) != 0 || piece->size != sizeof p)
        return NULL;
    memcpy(&p, piece->body, sizeof p);
    if (p.version != VERSION || p.station == 0 || p.leased > HOST_ADDRESSES)
        return NULL;
    host = hosts_at(m, p.station, p.since);
    host->seen = piece->time;
    host->router = p.router == 1;
    host->leased = p.leased;
    host->until = p.until;
    memcpy(host->address, p.address, sizeof p.address);
    text_printable(p.name, sizeof p.name, host->name, sizeof host->name);
    return host;
}
