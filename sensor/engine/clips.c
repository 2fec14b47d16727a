#include "engine/clips.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "base/trail.h"
#include "capture/clip.h"

enum { WAITING = 64, KNOWN = 1024, NAME = 64 };
enum { PORT_DNS = 53, PORT_DOT = 853 };

#define MOMENT NSEC_S
#define MINUTE (60 * NSEC_S)

/* An alert whose packets are to be kept. */
struct wanted {
    char name[NAME];
    struct addr client, server; /* zero: any */
    nsec_t due;
};

/* Events that have a file: further revisions name it again. */
struct named {
    char id[24], name[NAME];
};

struct clips {
    struct trail *const *trails;
    size_t trail_count;
    struct policy_evidence policy;
    struct wanted wanted[WAITING];
    size_t waiting;
    struct named named[KNOWN];
    size_t next_named;
    nsec_t minute; /* since when the files of a minute are counted */
    uint32_t in_minute;
    uint64_t stored; /* octets of all files */
    struct clips_counts counts;
};

struct clips *clips_create(struct trail *const *trails, size_t count)
{
    struct clips *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->trails = trails;
    for (size_t i = 0; i < count && trails[i]; i++)
        c->trail_count++;
    return c;
}

struct clips_counts clips_counts(const struct clips *c)
{
    return c->counts;
}

/* --- the folder --- */

/* sealdns-TIME-ID.pcap: the order of names is that of time. */
static int is_ours(const struct dirent *e)
{
    size_t length = strlen(e->d_name);

    return strncmp(e->d_name, "sealdns-", 8) == 0 && length > 5 &&
           strcmp(e->d_name + length - 5, ".pcap") == 0;
}

static uint64_t size_of(const struct clips *c, const char *name, char path[512])
{
    struct stat s;

    snprintf(path, 512, "%s/%.200s", c->policy.path, name);
    return lstat(path, &s) == 0 && S_ISREG(s.st_mode) ? (uint64_t)s.st_size : 0;
}

/* Measures the folder, and takes the oldest files away until it holds nine tenths of its bound. */
static void trim(struct clips *c)
{
    struct dirent **list;
    char path[512];
    int count = scandir(c->policy.path, &list, is_ours, alphasort);

    c->stored = 0;
    for (int i = 0; i < count; i++)
        c->stored += size_of(c, list[i]->d_name, path);
    for (int i = 0; i < count; i++) {
        uint64_t size = size_of(c, list[i]->d_name, path);

        if (c->stored > c->policy.max_size / 10 * 9 && unlink(path) == 0)
            c->stored -= size < c->stored ? size : c->stored;
        free(list[i]);
    }
    if (count >= 0)
        free(list);
}

void clips_use_policy(struct clips *c, const struct policy_evidence *policy)
{
    c->policy = *policy;
    if (!policy->path[0])
        return;
    if (!c->trail_count)
        log_warning("evidence.pcap begins at the next start: frames are not kept yet");
    if (mkdir(policy->path, 0750) != 0 && errno != EEXIST)
        log_error("cannot make %s: %s", policy->path, strerror(errno));
    trim(c);
    if (c->stored > policy->max_size)
        log_warning("%s holds more than evidence.pcap.max_size", policy->path);
}

/* --- the frames --- */

/* All between client and server; of the client with others what is DNS, sealed or not, and ICMP. */
static bool wants(const void *context, const struct trail_frame *f)
{
    const struct wanted *w = context;
    bool to_client = addr_equal(&f->dst, &w->client), of_client = addr_equal(&f->src, &w->client);
    bool with_server = addr_equal(&f->src, &w->server) || addr_equal(&f->dst, &w->server);

    if (addr_is_zero(&w->client))
        return with_server;
    if (!to_client && !of_client)
        return false;
    return with_server || (f->proto != 6 && f->proto != 17) || f->sport == PORT_DNS ||
           f->dport == PORT_DNS || f->sport == PORT_DOT || f->dport == PORT_DOT;
}

static int by_time(const void *left, const void *right)
{
    const struct clip_frame *a = left, *b = right;

    return (a->frame.time > b->frame.time) - (a->frame.time < b->frame.time);
}

/* The newest of a trail, behind the `count` frames of other ones. */
static size_t pick(struct clips *c, size_t trail, const struct wanted *w, uint8_t *places,
                   struct clip_frame *frames)
{
    size_t most = c->policy.per_event, size = trail_place(c->trails[trail]), count = 0;
    struct trail_pick p = {.wants = wants, .context = w, .places = places, .most = most};

    trail_read(c->trails[trail], &p);
    for (uint64_t n = p.found > most ? p.found - most : 0; n < p.found; n++) {
        const uint8_t *place = places + n % (most + 1) * size;

        memcpy(&frames[count].frame, place, sizeof frames->frame);
        frames[count++].bytes = place + sizeof frames->frame;
    }
    return count;
}

static size_t pick_all(struct clips *c, const struct wanted *w, uint8_t *places,
                       struct clip_frame *frames)
{
    size_t count = 0, room = (c->policy.per_event + 1) * trail_place(c->trails[0]);

    for (size_t i = 0; i < c->trail_count; i++)
        count += pick(c, i, w, places + i * room, frames + count);
    qsort(frames, count, sizeof *frames, by_time);
    return count;
}

static void write_clip(struct clips *c, const struct wanted *w)
{
    size_t most = c->policy.per_event, places = (most + 1) * c->trail_count;
    uint8_t *bytes = malloc(places * trail_place(c->trails[0]));
    struct clip_frame *frames = malloc(places * sizeof *frames);
    uint64_t octets = 0;
    size_t count, skip;
    int status = SD_EMEM;

    if (bytes && frames) {
        count = pick_all(c, w, bytes, frames);
        skip = count > most ? count - most : 0;
        status = clip_write(c->policy.path, w->name, frames + skip, count - skip, &octets);
    }
    if (status == SD_OK) {
        c->counts.written++;
        c->stored += octets;
    } else if (c->counts.failed++ == 0) {
        log_error("cannot write %s/%s: %s", c->policy.path, w->name,
                  status == SD_EIO ? strerror(errno) : sd_strerror(status));
    }
    free(frames);
    free(bytes);
    if (c->stored > c->policy.max_size)
        trim(c);
}

void clips_work(struct clips *c, nsec_t now)
{
    size_t done = 0;

    while (done < c->waiting && time_passed(c->wanted[done].due, 0, now))
        write_clip(c, &c->wanted[done++]);
    if (!done)
        return;
    c->waiting -= done;
    memmove(c->wanted, c->wanted + done, c->waiting * sizeof *c->wanted);
}

void clips_destroy(struct clips *c)
{
    if (!c)
        return;
    clips_work(c, INT64_MAX);
    free(c);
}

/* --- the alerts --- */

static bool may_write(struct clips *c, nsec_t now)
{
    if (time_passed(c->minute, MINUTE, now)) {
        c->minute = now;
        c->in_minute = 0;
    }
    if (c->in_minute >= c->policy.per_minute || c->waiting == WAITING) {
        c->counts.refused++;
        return false;
    }
    c->in_minute++;
    return true;
}

static struct named *named_before(struct clips *c, const char *id)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (strcmp(c->named[i].id, id) == 0)
            return &c->named[i];
    return NULL;
}

/* "sealdns-20261125T041500.123456-ID.pcap" */
static void name_it(const struct event *e, char name[NAME])
{
    char text[TIME_TEXT], compact[TIME_TEXT];
    size_t used = 0;

    time_text(e->finding.time, text);
    for (const char *p = text; *p; p++)
        if (*p != '-' && *p != ':' && *p != 'Z')
            compact[used++] = *p;
    compact[used] = '\0';
    snprintf(name, NAME, "sealdns-%.24s-%.20s.pcap", compact, e->id);
}

static bool is_about_packets(const struct finding *f)
{
    return f->kind != KIND_SENSOR && f->kind != KIND_ENFORCEMENT &&
           !(addr_is_zero(&f->client) && addr_is_zero(&f->server));
}

const char *clips_name(struct clips *c, const struct record *r, nsec_t now)
{
    const struct event *e = &r->event;
    struct named *n;
    struct wanted *w;

    if (!c->policy.path[0] || !c->trail_count || !is_about_packets(&e->finding))
        return "";
    n = named_before(c, e->id);
    if (n)
        return n->name;
    if (e->finding.severity > c->policy.severity || e->state == STATE_FINAL || !may_write(c, now))
        return "";
    n = &c->named[c->next_named++ % KNOWN];
    text_copy(n->id, sizeof n->id, e->id);
    name_it(e, n->name);
    w = &c->wanted[c->waiting++];
    *w = (struct wanted){
        .client = e->finding.client, .server = e->finding.server, .due = now + MOMENT};
    memcpy(w->name, n->name, sizeof w->name);
    return n->name;
}
