#include "observe/behaviour.h"

#include <stdlib.h>
#include <string.h>

#include "observe/tell.h"

enum {
    FIRST_REPORT = 20, /* client records */
    NEXT_REPORT = 64,
    LAST_REPORT = FIRST_REPORT + 2 * NEXT_REPORT,
    LEAST = 12,         /* below this many of either side nothing is told */
    CLIENT_SKIPPED = 3, /* preface, SETTINGS and WINDOW_UPDATE of HTTP/2 */
    CONTROL_MOST = 39,  /* frames that ask nothing: acknowledgments, PING */
    QUERY_MOST = 330,
    SERVER_SMALL = 700,
    BULK = 8192
};
#define PATIENCE (10 * NSEC_S)  /* then a first report is made of what there is */
#define AGE_MOST (600 * NSEC_S) /* of a watch */
#define PROMPT   (300 * NSEC_MS)

/* --- what is kept of a record ---------------------------------------------------------------- */

static void keep_length(struct watch *w, enum side side, unsigned length)
{
    w->ring[side][w->sized[side] % WATCH_RING] = (uint16_t)length;
    w->sized[side]++;
    if (w->sized[side] == 2 * WATCH_RING) /* the ring is full, and its place the same */
        w->sized[side] = WATCH_RING;
}

static void count_octets(struct watch *w, enum side side, unsigned length)
{
    w->records[side]++;
    if (w->octets[side] < INT32_MAX - length)
        w->octets[side] += length;
}

static void client_record(struct watch *w, unsigned length, nsec_t now)
{
    bool turn = w->server_last || w->records[SIDE_CLIENT] == 0;

    if (w->records[SIDE_CLIENT] == 0)
        w->first = now;
    if (turn) {
        w->gaps += w->last && now - w->last > NSEC_S;
        w->turns++;
        w->asked = now;
    } else {
        w->paired++;
    }
    count_octets(w, SIDE_CLIENT, length);
    w->queries += length > CONTROL_MOST && length <= QUERY_MOST;
    if (w->records[SIDE_CLIENT] > CLIENT_SKIPPED && length > CONTROL_MOST)
        keep_length(w, SIDE_CLIENT, length);
    w->burst = 0;
    w->last = now;
    w->server_last = false;
}

static void server_record(struct watch *w, unsigned length, nsec_t now)
{
    if (w->records[SIDE_CLIENT] == 0)
        return; /* a session ticket, or SETTINGS */
    if (w->asked) {
        w->answered += now - w->asked <= PROMPT;
        w->asked = 0;
    }
    count_octets(w, SIDE_SERVER, length);
    w->small += length < SERVER_SMALL;
    keep_length(w, SIDE_SERVER, length);
    w->burst += length;
    if (w->burst > w->burst_most)
        w->burst_most = w->burst;
    w->server_last = true;
}

/* --- what it comes to ------------------------------------------------------------------------ */

static int by_size(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static int32_t share(uint32_t part, uint32_t whole)
{
    return whole ? (int32_t)((uint64_t)part * 1000 / whole) : 0;
}

static unsigned lengths_of(const struct watch *w, enum side side, uint16_t sorted[WATCH_RING])
{
    unsigned n = w->sized[side] < WATCH_RING ? w->sized[side] : WATCH_RING;

    memcpy(sorted, w->ring[side], n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, by_size);
    return n;
}

/* How many have the commonest remainder. */
static int32_t lattice(const uint16_t *length, unsigned n, unsigned step)
{
    unsigned most = 0;

    for (unsigned i = 0; i < n; i++) {
        unsigned same = 0;

        for (unsigned k = i; k < n; k++)
            same += length[k] % step == length[i] % step;
        if (same > most)
            most = same;
    }
    return share(most, n);
}

static void client_features(const struct watch *w, int32_t *feature)
{
    uint16_t length[WATCH_RING];
    unsigned n = lengths_of(w, SIDE_CLIENT, length), distinct = n > 0;

    for (unsigned i = 1; i < n; i++)
        distinct += length[i] != length[i - 1];
    feature[FEATURE_CLIENT_MEDIAN] = n ? length[n / 2] : 0;
    feature[FEATURE_CLIENT_P90] = n ? length[n * 9 / 10] : 0;
    feature[FEATURE_CLIENT_DISTINCT] = share(distinct, n);
    feature[FEATURE_CLIENT_LATTICE] = lattice(length, n, 128);
    feature[FEATURE_CLIENT_QUERY] = share(w->queries, w->records[SIDE_CLIENT]);
    feature[FEATURE_CLIENT_PAIRED] = share(w->paired, w->records[SIDE_CLIENT]);
}

static void server_features(const struct watch *w, int32_t *feature)
{
    uint16_t length[WATCH_RING];
    unsigned n = lengths_of(w, SIDE_SERVER, length);

    feature[FEATURE_SERVER_MEDIAN] = n ? length[n / 2] : 0;
    feature[FEATURE_SERVER_LATTICE] = lattice(length, n, 468);
    feature[FEATURE_SERVER_SMALL] = share(w->small, w->records[SIDE_SERVER]);
}

static void features_of(const struct watch *w, bool quic, struct behaviour *out)
{
    int32_t *feature = out->feature;
    uint32_t asked = w->octets[SIDE_CLIENT];
    uint64_t ratio = asked ? (uint64_t)w->octets[SIDE_SERVER] * 1000 / asked : 0;

    feature[FEATURE_QUIC] = quic;
    feature[FEATURE_CLIENT_RECORDS] = (int32_t)w->records[SIDE_CLIENT];
    feature[FEATURE_SERVER_RECORDS] = (int32_t)w->records[SIDE_SERVER];
    client_features(w, feature);
    server_features(w, feature);
    feature[FEATURE_BURST] = (int32_t)w->burst_most;
    feature[FEATURE_ANSWERED] = share(w->answered, w->turns);
    feature[FEATURE_RATIO] = ratio < INT32_MAX ? (int32_t)ratio : INT32_MAX;
    feature[FEATURE_LIFETIME] = (int32_t)((w->last - w->first) / NSEC_MS);
    feature[FEATURE_GAPS] = share(w->gaps, w->turns);
}

/* --- the watch ------------------------------------------------------------------------------- */

static bool enough(const struct watch *w)
{
    return w->records[SIDE_CLIENT] >= LEAST && w->records[SIDE_SERVER] >= LEAST;
}

static void report(struct observer *o, struct flow *f)
{
    struct watch *w = f->cold->watch;
    struct behaviour b;

    features_of(w, f->proto == IP_PROTO_UDP, &b);
    while (w->report <= w->records[SIDE_CLIENT])
        w->report += NEXT_REPORT;
    tell_behaviour(o, f, &b);
    o->stats->behaviours++;
}

static void close_watch(struct observer *o, struct cold *c)
{
    pool_put(&o->watches, c->watch);
    c->watch = NULL;
    c->watching = WATCH_OVER;
}

static bool open_watch(struct observer *o, const struct flow *f)
{
    struct cold *c = f->cold;

    if (c->watching != WATCH_NOT || !(f->flags & NAMED) ||
        (f->transport != TRANSPORT_TLS && f->transport != TRANSPORT_QUIC))
        return c->watching == WATCH_ON;
    c->watch = pool_get(&o->watches);
    c->watching = c->watch ? WATCH_ON : WATCH_OVER;
    o->stats->behaviours_unwatched += !c->watch;
    if (c->watch)
        c->watch->report = FIRST_REPORT;
    return c->watch != NULL;
}

void behaviour_record(struct observer *o, struct flow *f, enum side sender, unsigned length)
{
    struct watch *w;

    if (!open_watch(o, f))
        return;
    w = f->cold->watch;
    if (sender == SIDE_CLIENT)
        client_record(w, length, o->now);
    else
        server_record(w, length, o->now);
    if (w->burst > BULK) {
        f->flags |= BULKY;
        close_watch(o, f->cold);
    } else if (sender == SIDE_SERVER && w->records[SIDE_CLIENT] >= w->report && enough(w)) {
        report(o, f);
        if (w->records[SIDE_CLIENT] >= LAST_REPORT)
            close_watch(o, f->cold);
    }
}

nsec_t behaviour_check(struct observer *o, struct flow *f)
{
    struct watch *w = f->cold ? f->cold->watch : NULL;
    nsec_t age;

    if (!w)
        return AGE_MOST;
    age = w->records[SIDE_CLIENT] ? o->now - w->first : 0;
    if (age < PATIENCE)
        return PATIENCE - age;
    if (w->report == FIRST_REPORT && enough(w)) {
        report(o, f);
        w->report = FIRST_REPORT + NEXT_REPORT;
    }
    if (age >= AGE_MOST)
        behaviour_end(o, f);
    return age < AGE_MOST ? PATIENCE : AGE_MOST;
}

void behaviour_end(struct observer *o, struct flow *f)
{
    struct watch *w = f->cold ? f->cold->watch : NULL;

    if (!w)
        return;
    if (w->report == FIRST_REPORT && enough(w))
        report(o, f);
    close_watch(o, f->cold);
}
