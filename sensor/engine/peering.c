#include "engine/peering.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/table.h"
#include "model/names.h"

#define EVENTS   16384
#define PAIRS    4096
#define AGAIN    NSEC_S
#define LINGER   (30 * NSEC_S)    /* so long a final event is told */
#define OLD      (86400 * NSEC_S) /* no event stays open for longer in silence */
#define ECHO     (5 * NSEC_S)     /* what the peer told so lately is not told back */
#define RECEIVED 64               /* datagrams a wake-up */
#define ROUNDS   2                /* datagrams of each kind, every AGAIN */

struct known_event {
    uint64_t key[2]; /* first: the table's key */
    struct open_event event;
    nsec_t final; /* 0: open */
};

struct known_pair {
    struct addr key[2]; /* first: the table's key; client, server */
    struct cut_pair pair;
    nsec_t until;
    nsec_t heard; /* of the peer; 0: ours */
};

struct peering {
    int descriptor;
    struct peer_key key;
    uint64_t own; /* who we are, to the peer */
    struct sockaddr_storage other;
    socklen_t other_size;
    struct peering_sink sink;
    struct table *events, *pairs;
    size_t event_at, pair_at; /* how far the round is */
    struct peer_packet fresh; /* waits for the end of this wake-up */
    struct peer_seen seen;
    nsec_t told, sent;
    uint64_t refused, unsent;
};

static int read_key(const char *path, struct peer_key *key, char *error)
{
    uint8_t secret[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, secret, sizeof secret);

    if (length < 0)
        snprintf(error, 256, "cannot read sensor.peer.key %.150s: %s", path, strerror(errno));
    else if (length < PEER_SECRET)
        snprintf(error, 256, "sensor.peer.key %.150s is too short: %d octets of chance at least",
                 path, PEER_SECRET);
    if (fd >= 0)
        close(fd);
    if (length >= PEER_SECRET)
        peer_key_make(secret, (size_t)length, key);
    explicit_bzero(secret, sizeof secret);
    return length >= PEER_SECRET ? SD_OK : SD_EIO;
}

static socklen_t name_of(const struct addr *a, uint16_t port, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (void *)out;
    struct sockaddr_in6 *v6 = (void *)out;

    memset(out, 0, sizeof *out);
    if (addr_is_v4(a)) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        memcpy(&v4->sin_addr, a->b + 12, 4);
        return sizeof *v4;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    memcpy(&v6->sin6_addr, a->b, 16);
    return sizeof *v6;
}

/* The address may be one that this machine gets later, and no way to the peer be there yet. */
static int open_socket(const struct policy_peer *wish, char *error)
{
    struct sockaddr_storage own;
    socklen_t own_size = name_of(&wish->listen, wish->port, &own);
    int on = 1, fd = socket(own.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on) == 0 &&
        bind(fd, (void *)&own, own_size) == 0)
        return fd;
    snprintf(error, 256, "sensor.peer: cannot listen on port %u: %s", wish->port, strerror(errno));
    if (fd >= 0)
        close(fd);
    return SD_EIO;
}

static int make_tables(struct peering *p)
{
    struct table_shape events = {.entry_size = sizeof(struct known_event),
                                 .key_size = sizeof(uint64_t[2]),
                                 .capacity = EVENTS,
                                 .seed = p->own},
                       pairs = {.entry_size = sizeof(struct known_pair),
                                .key_size = sizeof(struct addr[2]),
                                .capacity = PAIRS,
                                .seed = p->own};

    p->events = table_create(&events);
    p->pairs = table_create(&pairs);
    return p->events && p->pairs ? SD_OK : SD_EMEM;
}

int peering_open(const struct policy_peer *wish, struct peering_sink sink, struct peering **out,
                 char *error)
{
    struct peering *p = calloc(1, sizeof *p);
    int status = p ? SD_OK : SD_EMEM;

    if (status == SD_OK) {
        p->descriptor = -1;
        p->sink = sink;
        p->other_size = name_of(&wish->address, wish->port, &p->other);
        status = getrandom(&p->own, sizeof p->own, 0) == sizeof p->own ? SD_OK : SD_EIO;
    }
    if (status == SD_OK)
        status = read_key(wish->key, &p->key, error);
    if (status == SD_OK)
        status = make_tables(p);
    if (status == SD_OK)
        p->descriptor = status = open_socket(wish, error);
    if (status < 0) {
        peering_close(p);
        return status;
    }
    *out = p;
    return SD_OK;
}

void peering_close(struct peering *p)
{
    if (!p)
        return;
    if (p->descriptor >= 0)
        close(p->descriptor);
    table_destroy(p->events);
    table_destroy(p->pairs);
    explicit_bzero(&p->key, sizeof p->key);
    free(p);
}

int peering_descriptor(const struct peering *p)
{
    return p->descriptor;
}

/* What does not arrive is told again. */
static void send_packet(struct peering *p, struct peer_packet *packet, nsec_t now)
{
    uint8_t bytes[PEER_DATAGRAM], nonce[PEER_NONCE];

    if (getrandom(nonce, sizeof nonce, 0) != sizeof nonce)
        return;
    packet->sender = p->own;
    packet->time = p->sent = now > p->sent || time_is_ahead(p->sent, now) ? now : p->sent + 1;
    if (sendto(p->descriptor, bytes, peer_seal(&p->key, nonce, packet, bytes), MSG_NOSIGNAL,
               (const void *)&p->other, p->other_size) < 0)
        p->unsent++;
    packet->events.count = packet->pairs.count = 0;
}

void peering_event(struct peering *p, const struct event *e, nsec_t now)
{
    struct open_event_batch *fresh = &p->fresh.events;
    struct known_event *known;
    struct open_event o;
    bool anew;

    if (!open_event_of(e, &o))
        return;
    known = table_insert(p->events, (uint64_t[2]){o.rule, o.key}, &anew);
    known->event = o;
    known->final = o.state == STATE_FINAL ? now : 0;
    fresh->event[fresh->count++] = o;
    if (fresh->count == OPEN_EVENTS_AT_ONCE)
        send_packet(p, &p->fresh, now);
}

static struct known_pair *place_of(struct peering *p, const struct cut_pair *c, bool *anew)
{
    return table_insert(p->pairs, (struct addr[2]){c->client, c->server}, anew);
}

void peering_pairs(struct peering *p, const struct pair_batch *b, nsec_t now)
{
    for (uint32_t i = 0; i < b->count && i < PAIRS_AT_ONCE; i++) {
        bool anew;
        struct known_pair *known = place_of(p, b->pair + i, &anew);

        known->until = now + b->pair[i].left_ms * NSEC_MS;
        if (known->heard && !time_passed(known->heard, ECHO, now))
            continue; /* it is here because the peer said so */
        known->heard = 0;
        known->pair = b->pair[i];
        known->pair.left_ms = 0;
    }
}

static void tell_events(struct peering *p, nsec_t now)
{
    struct peer_packet packet = {.sender = 0};
    struct known_event *e = NULL;

    while (packet.events.count < OPEN_EVENTS_AT_ONCE &&
           (e = table_next(p->events, &p->event_at)) != NULL) {
        if ((e->final && time_passed(e->final, LINGER, now)) ||
            time_passed(e->event.last, OLD, now))
            table_remove(p->events, e);
        else
            packet.events.event[packet.events.count++] = e->event;
    }
    if (!e)
        p->event_at = 0;
    send_packet(p, &packet, now); /* an empty one says that we are there */
}

static void tell_pairs(struct peering *p, nsec_t now)
{
    struct peer_packet packet = {.sender = 0};
    struct known_pair *k = NULL;

    while (packet.pairs.count < PAIRS_AT_ONCE && (k = table_next(p->pairs, &p->pair_at)) != NULL) {
        if (now >= k->until)
            table_remove(p->pairs, k);
        else if (!k->heard)
            packet.pairs.pair[packet.pairs.count++] = k->pair;
    }
    if (!k)
        p->pair_at = 0;
    if (packet.pairs.count)
        send_packet(p, &packet, now);
}

/* Asked for once: what is told again is no reason to cut for longer. */
static void take_pairs(struct peering *p, struct pair_batch *b, nsec_t now)
{
    struct pair_batch news = {.count = 0};

    for (uint32_t i = 0; i < b->count; i++) {
        bool anew;
        struct known_pair *known;

        if (!pair_is_sound(b->pair + i))
            continue;
        known = place_of(p, b->pair + i, &anew);
        if (!anew && !known->heard)
            continue;
        known->heard = now;
        if (!anew)
            continue;
        known->pair = b->pair[i];
        known->until = now + LINGER; /* until the kernel has it */
        news.pair[news.count++] = b->pair[i];
    }
    if (news.count)
        p->sink.pairs(p->sink.context, &news);
}

static void take_events(struct peering *p, const struct open_event_batch *b, nsec_t now)
{
    struct open_event_batch sound = {.count = 0};

    for (uint32_t i = 0; i < b->count; i++)
        if (open_event_is_sound(b->event + i, now))
            sound.event[sound.count++] = b->event[i];
    if (sound.count)
        p->sink.events(p->sink.context, &sound);
}

static void hear(struct peering *p, nsec_t now)
{
    uint8_t bytes[PEER_DATAGRAM + 1];
    struct peer_packet packet;

    for (int i = 0; i < RECEIVED; i++) {
        ssize_t length = recv(p->descriptor, bytes, sizeof bytes, 0);

        if (length < 0 && errno == EAGAIN)
            return;
        if (length < 0)
            continue;
        if (peer_open(&p->key, bytes, (size_t)length, &packet) != SD_OK ||
            !peer_is_fresh(&p->seen, &packet, p->own, now)) {
            p->refused++;
            continue;
        }
        take_events(p, &packet.events, now);
        take_pairs(p, &packet.pairs, now);
    }
}

void peering_work(struct peering *p, nsec_t now)
{
    hear(p, now);
    if (p->fresh.events.count)
        send_packet(p, &p->fresh, now);
    if (!time_passed(p->told, AGAIN, now))
        return;
    p->told = now;
    for (int i = 0; i < ROUNDS; i++) {
        tell_events(p, now);
        tell_pairs(p, now);
    }
}

nsec_t peering_heard(const struct peering *p)
{
    return p->seen.heard;
}

uint64_t peering_refused(const struct peering *p)
{
    return p->refused;
}

uint64_t peering_unsent(const struct peering *p)
{
    return p->unsent;
}
