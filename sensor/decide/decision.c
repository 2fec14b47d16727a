/* The ledger of open events. Three clocks run on an event, all in the time of the packets: it is
 * written at once when it is new or has become graver, within a minute or more when it only grew,
 * and for the last time when nothing happened for its idle time. */
#include "decide/decide.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/hash.h"
#include "base/table.h"
#include "decide/verdict.h"
#include "model/mute.h"

#define EVENTS 16384
#define WHEEL  64 /* seconds; more than GROWS */
#define GROWS  (60 * NSEC_S)
#define SLOWER 6 /* times the wait for an event of little weight doubles at most: about an hour */
#define QUIET  600
#define RETRY  NSEC_S /* after the recorder's ring was full */

struct ledger_key {
    uint64_t rule, key;
};

/* Entries are large and stay where they are; the table holds where. */
struct place {
    struct ledger_key key; /* first: the table's key */
    struct entry *entry;
};

struct entry {
    struct ledger_key key;
    TAILQ_ENTRY(entry) link; /* quietest first */
    LIST_ENTRY(entry) slot;  /* of the wheel, while listed */
    bool listed;
    nsec_t due;
    nsec_t idle; /* silence after which it is final */
    struct entry *next;
    struct event event;
};

LIST_HEAD(slot, entry);
TAILQ_HEAD(quiet, entry);

/* Open at the other gateway. */
struct elsewhere {
    struct ledger_key key; /* first: the table's key */
    struct open_event event;
};

struct decision {
    const struct policy *policy;
    enum mode mode;
    bool installed;
    size_t limit;
    struct record_sink sink;
    struct stats *stats;
    struct table *places;
    struct table *elsewhere; /* NULL: nobody ever told of one */
    uint64_t seed;
    struct entry *entries, *unused; /* unused: a chain by way of `next` */
    size_t open, fresh;             /* fresh: entries that were never used lie from here on */
    struct quiet quiet;
    struct slot wheel[WHEEL];
    uint64_t pushed;      /* events that ended for want of room */
    nsec_t pushed_last;   /* the latest time of any of them */
    int64_t turned;       /* seconds: the slots up to here are done */
    int64_t swept;        /* second in which quiet events were last looked for */
    struct record record; /* of the event being written */
};

/* What weighs little and only grows is written after 1, 2, 4 ... minutes: at a thousand clients who
 * ask in clear text all day, the same line each minute is what fills the store. */
static nsec_t next_revision(const struct event *e)
{
    uint32_t doublings = e->revision > 1 ? e->revision - 1 : 0;

    if (e->finding.severity < SEVERITY_LOW)
        doublings = 0;
    return e->written + (GROWS << (doublings < SLOWER ? doublings : SLOWER));
}

/* It has waited for long enough, or the clock was set back since it was written. */
static bool is_due(const struct event *e, nsec_t now)
{
    return now >= next_revision(e) || time_is_ahead(e->written, now);
}

static void unlist(struct entry *e)
{
    if (e->listed)
        LIST_REMOVE(e, slot);
    e->listed = false;
}

static void list(struct decision *d, struct entry *e, nsec_t due)
{
    int64_t second = due / NSEC_S + 1;

    unlist(e);
    if (second <= d->turned)
        second = d->turned + 1;
    e->due = due;
    e->listed = true;
    LIST_INSERT_HEAD(&d->wheel[second % WHEEL], e, slot);
}

static void words_of(const struct decision *d, struct record *r)
{
    const struct finding *f = &r->event.finding;

    r->zone[0] = r->resolver[0] = '\0';
    if (!d->policy)
        return;
    if (f->zone >= 0 && (size_t)f->zone < d->policy->zone_count)
        memcpy(r->zone, d->policy->zones[f->zone].id, sizeof r->zone);
    if (f->resolver >= 0 && (size_t)f->resolver < d->policy->resolver_count)
        memcpy(r->resolver, d->policy->resolvers[f->resolver].id, sizeof r->resolver);
}

static void count_revision(struct decision *d, const struct entry *e)
{
    if (!d->stats)
        return;
    d->stats->events++;
    d->stats->events_muted += e->event.finding.muted != SEVERITY_NONE;
}

/* A revision that the sink did not take is written again later, with what came to it meanwhile. */
static bool write_event(struct decision *d, struct entry *e, nsec_t now)
{
    uint8_t state = e->event.state;
    nsec_t written = e->event.written;

    unlist(e);
    e->event.state = e->event.state == STATE_FINAL ? STATE_FINAL
                     : e->event.revision == 0      ? STATE_NEW
                                                   : STATE_UPDATE;
    e->event.revision++;
    e->event.written = now;
    d->record.kind = RECORD_EVENT;
    d->record.time = now;
    event_copy(&d->record.event, &e->event);
    words_of(d, &d->record);
    if (d->sink.put(d->sink.context, &d->record) == 0) {
        count_revision(d, e);
        return true;
    }
    e->event.state = state;
    e->event.revision--;
    e->event.written = written;
    if (e->event.state != STATE_FINAL)
        list(d, e, now + RETRY);
    return false;
}

/* False: the sink did not take it; the caller keeps the event or lets it go. */
static bool make_final(struct decision *d, struct entry *e, nsec_t now)
{
    uint8_t state = e->event.state;

    e->event.state = STATE_FINAL;
    if (write_event(d, e, now))
        return true;
    e->event.state = state;
    return false;
}

/* The entry is free again; its place in the table is the caller's to take. */
static void release(struct decision *d, struct entry *e)
{
    unlist(e);
    TAILQ_REMOVE(&d->quiet, e, link);
    e->next = d->unused;
    d->unused = e;
    d->open--;
}

static void forget(struct decision *d, struct entry *e)
{
    table_remove(d->places, table_find(d->places, &e->key));
    release(d, e);
}

static struct entry *take_entry(struct decision *d)
{
    struct entry *e = d->unused;

    d->open++;
    if (!e)
        return &d->entries[d->fresh++];
    d->unused = e->next;
    memset(e, 0, sizeof *e);
    return e;
}

static void push_out(struct decision *d, struct entry *e, nsec_t now)
{
    make_final(d, e, now > e->event.last ? now : e->event.last);
    d->pushed++;
    if (e->event.last > d->pushed_last)
        d->pushed_last = e->event.last;
}

static void evicted(void *context, void *place)
{
    struct decision *d = context;
    struct entry *e = ((struct place *)place)->entry;

    push_out(d, e, e->event.last);
    release(d, e);
    if (d->stats)
        d->stats->state_evicted++;
}

struct decision *decision_create(size_t events, uint64_t seed, struct record_sink sink,
                                 struct stats *stats)
{
    struct decision *d = calloc(1, sizeof *d);
    struct table_shape shape = {.entry_size = sizeof(struct place),
                                .key_size = sizeof(struct ledger_key),
                                .seed = seed,
                                .evicted = evicted,
                                .context = d};

    if (!d)
        return NULL;
    d->limit = events ? events : EVENTS;
    d->sink = sink;
    d->stats = stats;
    d->seed = seed;
    TAILQ_INIT(&d->quiet);
    shape.capacity = d->limit * 4; /* so that no bucket is full before the ledger is */
    d->places = table_create(&shape);
    d->entries = calloc(d->limit, sizeof *d->entries);
    if (d->places && d->entries)
        return d;
    decision_destroy(d);
    return NULL;
}

void decision_destroy(struct decision *d)
{
    if (!d)
        return;
    table_destroy(d->places);
    table_destroy(d->elsewhere);
    free(d->entries);
    free(d);
}

static int16_t zone_again(const struct policy *old, const struct policy *anew, int16_t zone)
{
    for (size_t i = 0; zone >= 0 && (size_t)zone < old->zone_count && i < anew->zone_count; i++)
        if (strcmp(old->zones[zone].id, anew->zones[i].id) == 0)
            return (int16_t)i;
    return -1;
}

static int16_t resolver_again(const struct policy *old, const struct policy *anew, int16_t resolver)
{
    if (resolver < 0 || (size_t)resolver >= old->resolver_count)
        return -1;
    return policy_resolver_called(anew, old->resolvers[resolver].id);
}

/* Covered or not by the policy as it is at this time: the severity follows. */
static void mute(const struct policy *p, struct finding *f, nsec_t now)
{
    if (f->muted) {
        f->severity = f->muted;
        f->muted = SEVERITY_NONE;
    }
    if (!policy_mute_for(p, f, now))
        return;
    f->muted = f->severity;
    f->severity = SEVERITY_INFORMATIONAL;
}

/* Zones and resolvers are places in a policy's lists: in another one the same id stands elsewhere.
 * A zone that is no more leaves its clients in the default one. */
static void place_again(struct decision *d, const struct policy *policy)
{
    struct entry *e;

    if (!d->policy || !policy || d->policy == policy)
        return;
    TAILQ_FOREACH(e, &d->quiet, link)
    {
        struct finding *f = &e->event.finding;
        bool placed = f->zone >= 0;

        f->zone = zone_again(d->policy, policy, f->zone);
        if (placed && f->zone < 0)
            f->zone = ZONE_DEFAULT;
        f->resolver = resolver_again(d->policy, policy, f->resolver);
        mute(policy, f, e->event.last);
    }
}

void decision_use_policy(struct decision *d, const struct policy *policy, enum mode mode,
                         bool installed)
{
    place_again(d, policy);
    d->policy = policy;
    d->mode = mode;
    d->installed = installed;
}

static nsec_t idle_of(const struct decision *d, const char *rule)
{
    int64_t seconds = d->policy ? policy_threshold(d->policy, rule, "idle_s", QUIET) : QUIET;

    return (seconds > 0 ? seconds : QUIET) * NSEC_S;
}

/* The same on every run over the same packets. */
static void name_event(const struct decision *d, struct entry *e)
{
    uint64_t id = hash_mix(e->key.rule, e->key.key);

    id = hash_mix(id, (uint64_t)e->event.first);
    if (d->policy)
        id = hash_mix(id, hash_bytes(d->policy->name, strlen(d->policy->name), 0));
    /* Its like may have begun at that time, and ended already. */
    if (e->event.first <= d->pushed_last)
        id = hash_mix(id, d->pushed);
    snprintf(e->event.id, sizeof e->event.id, "%016" PRIx64, id);
}

/* Where the other gateway had it open, it goes on. */
static void go_on(struct decision *d, struct entry *e, nsec_t now)
{
    struct elsewhere *other = d->elsewhere ? table_find(d->elsewhere, &e->key) : NULL;

    if (!other)
        return;
    if (other->event.last + e->idle > now) {
        snprintf(e->event.id, sizeof e->event.id, "%016" PRIx64, other->event.id);
        e->event.revision = other->event.revision;
        e->event.count = other->event.count;
        if (other->event.first < e->event.first)
            e->event.first = other->event.first;
    }
    table_remove(d->elsewhere, other);
}

static void make_room(struct decision *d, nsec_t now)
{
    struct entry *oldest = TAILQ_FIRST(&d->quiet);

    push_out(d, oldest, now);
    forget(d, oldest);
}

static struct entry *new_event(struct decision *d, const struct ledger_key *key,
                               const struct finding *f)
{
    struct place *place;
    struct entry *e;
    bool fresh;

    if (d->open == d->limit)
        make_room(d, f->time);
    place = table_insert(d->places, key, &fresh);
    place->entry = e = take_entry(d);
    e->key = *key;
    e->event.first = f->first ? f->first : f->time;
    e->idle = idle_of(d, f->rule);
    name_event(d, e);
    go_on(d, e, f->time);
    return e;
}

static struct entry *open_event(struct decision *d, const struct finding *f, bool *fresh)
{
    struct ledger_key key = {hash_bytes(f->rule, strnlen(f->rule, sizeof f->rule), 0), f->key};
    struct place *place = table_find(d->places, &key);
    struct entry *e;

    *fresh = place == NULL;
    if (place) {
        e = place->entry;
        TAILQ_REMOVE(&d->quiet, e, link);
    } else {
        e = new_event(d, &key, f);
    }
    TAILQ_INSERT_TAIL(&d->quiet, e, link);
    return e;
}

/* The rules of its zone stand in the kernel and act on its client. */
static bool acts(const struct decision *d, const struct finding *f)
{
    return d->installed && (!d->policy || policy_acts_on(d->policy, f->zone, &f->client));
}

/* Takes the finding in; true when the event has become graver by it (or is new). */
static bool grow(struct decision *d, struct entry *e, const struct finding *f, bool fresh)
{
    uint8_t verdict = (uint8_t)verdict_of(f, d->mode, acts(d, f));
    nsec_t first = f->first ? f->first : f->time;
    struct event *event = &e->event;
    bool graver = fresh || f->severity < event->finding.severity ||
                  verdict_strength(verdict) > verdict_strength(event->verdict) ||
                  f->proof > event->finding.proof;

    if (fresh || verdict_strength(verdict) > verdict_strength(event->verdict))
        event->verdict = verdict;
    if (fresh || f->severity <= event->finding.severity)
        finding_copy(&event->finding, f);
    event->count += f->count;
    if (first < event->first)
        event->first = first;
    if (f->time > event->last)
        event->last = f->time;
    return graver;
}

static void take_finding(struct decision *d, const struct finding *f)
{
    bool fresh;
    struct entry *e = open_event(d, f, &fresh);

    if (grow(d, e, f, fresh) || is_due(&e->event, f->time))
        write_event(d, e, f->time);
    else if (!e->listed)
        list(d, e, next_revision(&e->event));
}

static bool is_handed_over(const struct entry *e, const struct open_event *o, nsec_t now)
{
    return strtoull(e->event.id, NULL, 16) == o->id && o->revision > e->event.revision &&
           o->last > e->event.last && time_passed(e->event.last, GROWS, now);
}

void decision_adopt(struct decision *d, const struct open_event *o, nsec_t now)
{
    struct table_shape shape = {.entry_size = sizeof(struct elsewhere),
                                .key_size = sizeof(struct ledger_key),
                                .capacity = EVENTS,
                                .seed = d->seed};
    struct ledger_key key = {o->rule, o->key};
    struct place *own = table_find(d->places, &key);
    struct elsewhere *other;
    bool fresh;

    if (own && !is_handed_over(own->entry, o, now))
        return;
    if (own)
        forget(d, own->entry);
    if (!d->elsewhere)
        d->elsewhere = table_create(&shape);
    if (!d->elsewhere)
        return;
    other = table_insert(d->elsewhere, &key, &fresh);
    if (fresh || o->revision >= other->event.revision)
        other->event = *o;
    if (other->event.state == STATE_FINAL)
        table_remove(d->elsewhere, other);
}

void decision_finding(struct decision *d, const struct finding *f)
{
    struct finding muted;

    if (!d->policy || !d->policy->mute_count || !policy_mute_for(d->policy, f, f->time)) {
        take_finding(d, f);
        return;
    }
    finding_copy(&muted, f);
    mute(d->policy, &muted, f->time);
    take_finding(d, &muted);
}

static void turn_wheel(struct decision *d, nsec_t now)
{
    int64_t second = now / NSEC_S;

    if (second - d->turned > WHEEL || d->turned - second > TIME_SLACK / NSEC_S)
        d->turned = second > WHEEL ? second - WHEEL : 0;
    while (d->turned < second) {
        struct slot *slot = &d->wheel[(d->turned + 1) % WHEEL];
        struct entry *e, *next;

        d->turned++;
        for (e = LIST_FIRST(slot); e; e = next) {
            next = LIST_NEXT(e, slot);
            if (e->due <= now || is_due(&e->event, now))
                write_event(d, e, now);
        }
    }
}

void decision_tick(struct decision *d, nsec_t now)
{
    struct entry *e, *next;

    turn_wheel(d, now);
    if (now / NSEC_S == d->swept)
        return;
    d->swept = now / NSEC_S;
    for (e = TAILQ_FIRST(&d->quiet); e; e = next) {
        next = TAILQ_NEXT(e, link);
        if (e->event.last + e->idle <= now) {
            if (!make_final(d, e, now))
                break; /* in a second again */
            forget(d, e);
        } else if (e->event.last + QUIET * NSEC_S > now) {
            break; /* nobody behind it has been quiet for longer */
        }
    }
}

void decision_flush(struct decision *d, nsec_t now)
{
    struct entry *e;

    while ((e = TAILQ_FIRST(&d->quiet))) {
        make_final(d, e, now > e->event.last ? now : e->event.last);
        forget(d, e);
    }
}
