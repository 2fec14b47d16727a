#include <stdlib.h>
#include <string.h>

#include "account/query_log.h"
#include "base/log.h"
#include "decide/decide.h"
#include "detect/detect.h"
#include "engine/pipeline.h"

#define HOUR     (3600 * NSEC_S)
#define REMEMBER (60 * NSEC_S)

struct back {
    bool points;
    struct account *account;
    struct detection *detection;
    struct decision *decision;
    struct query_log *queries; /* NULL: nobody wants them */
    const struct bounds *bounds;
    uint64_t seed;
    struct record_sink sink;
    struct stats stats;
    struct record named; /* of the event being written */
    nsec_t hour, flushed, flush, now, remembered;
    size_t waiting;
    struct observation batch[ACCOUNT_BATCH];
};

static void put_finding(void *context, struct finding *f)
{
    struct back *b = context;

    decision_finding(b->decision, f);
}

/* An event says who its client is, as far as it is known when the line is written. */
static int put_event(void *context, const struct record *r)
{
    struct back *b = context;
    struct record *named = &b->named;

    if (r->kind != RECORD_EVENT)
        return b->sink.put(b->sink.context, r);
    memcpy(named, r, record_event_size(r));
    memset(&named->client, 0, sizeof named->client);
    if (!addr_is_zero(&r->event.finding.client))
        account_identify(b->account, &r->event.finding.client, &named->client);
    return b->sink.put(b->sink.context, named);
}

struct back *back_create(const struct back_options *options, const struct policy *policy,
                         enum mode mode)
{
    struct back *b = calloc(1, sizeof *b);
    struct detector_setup setup = {
        .policy = policy, .bounds = options->bounds, .seed = options->seed};

    if (!b)
        return NULL;
    b->sink = options->sink;
    b->points = options->points;
    b->flush = options->flush;
    b->bounds = options->bounds;
    b->seed = options->seed;
    setup.sink = (struct finding_sink){put_finding, b};
    setup.pairs = options->pairs;
    setup.stats = &b->stats;
    b->account = account_create(options->bounds, options->seed);
    b->decision = decision_create(options->bounds->events, options->seed,
                                  (struct record_sink){put_event, b}, &b->stats);
    b->detection = detection_create(&setup);
    if (!b->account || !b->decision || !b->detection) {
        back_destroy(b);
        return NULL;
    }
    account_tell_latencies(b->account, options->latencies);
    back_use_policy(b, policy, mode, false);
    return b;
}

void back_destroy(struct back *b)
{
    if (!b)
        return;
    query_log_destroy(b->queries);
    detection_destroy(b->detection);
    decision_destroy(b->decision);
    account_destroy(b->account);
    free(b);
}

/* What the old policy wanted told is told as it wanted it. */
static void log_queries(struct back *b, const struct policy *policy)
{
    query_log_destroy(b->queries);
    b->queries = NULL;
    if (policy->query_log.mode == QUERIES_OFF)
        return;
    b->queries = query_log_create(policy, b->bounds, b->seed, b->sink, &b->stats);
    if (!b->queries)
        log_error("no memory for the query log: nothing is written of queries");
}

void back_use_policy(struct back *b, const struct policy *policy, enum mode mode, bool installed)
{
    account_use_policy(b->account, policy);
    detection_use_policy(b->detection, policy, b->now);
    decision_use_policy(b->decision, policy, mode, installed);
    log_queries(b, policy);
}

static void mark(struct back *b, nsec_t now)
{
    struct record r = {.kind = RECORD_MARK, .time = now};

    if (b->sink.put(b->sink.context, &r) < 0)
        return; /* the ring counted it; the next mark commits */
}

static void flush_account(struct back *b, nsec_t now)
{
    account_flush(b->account, b->hour, b->sink);
    b->flushed = now;
    mark(b, now);
}

/* A small network is told of sooner: somebody is trying the program. */
static nsec_t flush_interval(const struct back *b)
{
    if (b->flush)
        return b->flush;
    return b->stats.conversations < 2000 ? 10 * NSEC_S : 60 * NSEC_S;
}

/* Conversations are told hour by hour: what belongs to the old hour goes before the new one starts.
 */
static void turn_hour(struct back *b, nsec_t now)
{
    if (b->hour)
        flush_account(b, now);
    b->hour = now - now % HOUR;
    b->flushed = now;
}

static bool is_another_hour(const struct back *b, nsec_t now)
{
    return now >= b->hour + HOUR || time_is_ahead(b->hour, now);
}

static int put_memory(void *context, const struct memory *m)
{
    struct back *b = context;
    struct record r = {.kind = RECORD_MEMORY, .time = m->time};

    r.memory = *m;
    return b->sink.put(b->sink.context, &r);
}

static void remember(struct back *b, nsec_t now)
{
    b->remembered = now;
    detection_remember(b->detection, (struct memory_sink){put_memory, b}, now);
    account_remember(b->account, (struct memory_sink){put_memory, b});
}

void back_recall(struct back *b, const struct memory *m)
{
    struct memory placed = *m;

    account_recall(b->account, m);
    account_place(b->account, &placed);
    detection_recall(b->detection, &placed);
}

static void work(struct back *b)
{
    if (!b->waiting)
        return;
    account_observe(b->account, b->batch, b->waiting, &b->stats);
    detection_observe(b->detection, b->batch, b->waiting);
    if (b->queries)
        query_log_observe(b->queries, b->batch, b->waiting);
    b->now = b->batch[b->waiting - 1].time;
    b->waiting = 0;
}

void back_observation(struct back *b, const struct observation *o)
{
    if (b->points && account_twice(b->account, o, &b->stats))
        return;
    if (is_another_hour(b, o->time)) {
        work(b);
        turn_hour(b, o->time);
    }
    if (o != &b->batch[b->waiting])
        memcpy(&b->batch[b->waiting], o, observation_size(o));
    b->waiting++;
    if (b->waiting == ACCOUNT_BATCH)
        work(b);
}

struct observation *back_room(struct back *b)
{
    return &b->batch[b->waiting];
}

void back_tick(struct back *b, nsec_t now)
{
    work(b);
    if (is_another_hour(b, now))
        turn_hour(b, now);
    detection_tick(b->detection, now);
    decision_tick(b->decision, now);
    if (b->queries)
        query_log_tick(b->queries, now);
    if (time_passed(b->flushed, flush_interval(b), now))
        flush_account(b, now);
    if (!b->remembered)
        b->remembered = now;
    if (time_passed(b->remembered, REMEMBER, now))
        remember(b, now);
}

void back_flush(struct back *b, nsec_t now)
{
    work(b);
    detection_flush(b->detection, now);
    decision_flush(b->decision, now);
    remember(b, now);
    query_log_destroy(b->queries);
    b->queries = NULL;
    flush_account(b, now);
}

void back_finding(struct back *b, const struct finding *f)
{
    b->stats.findings++;
    decision_finding(b->decision, f);
}

void back_adopt(struct back *b, const struct open_event_batch *batch, nsec_t now)
{
    for (uint32_t i = 0; i < batch->count && i < OPEN_EVENTS_AT_ONCE; i++)
        decision_adopt(b->decision, batch->event + i, now);
}

const struct account *back_account(const struct back *b)
{
    return b->account;
}

struct stats *back_stats(struct back *b)
{
    return &b->stats;
}
