#include "engine/drift.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "engine/gateway.h"
#include "engine/monitor.h"

#define LOOK     (30 * NSEC_S)  /* the second line, for notices that never came */
#define LISTEN   (10 * NSEC_MS) /* somebody changes his own tables all day: 100 wake-ups a second */
#define CALM     (100 * NSEC_MS) /* between two looks */
#define RETRY    NSEC_S          /* ... where nothing was heard */
#define RECENT   (60 * NSEC_S)
#define FIGHT    5 /* in RECENT: the next one is no accident any more */
#define PACE     (250 * NSEC_MS)
#define DOUBLED  3 /* times at most: 2 s */
#define COMPLAIN (60 * NSEC_S)
#define WAIT_MS  500

static int reopen(void)
{
    char error[ENFORCE_ERROR] = "";
    int descriptor = notices_open(error);

    if (descriptor >= 0)
        return descriptor;
    log_warning("%s: changes to the rules are found every half a minute only", error);
    return -1;
}

void drift_open(struct drift *d)
{
    *d = (struct drift){.descriptor = reopen()};
}

void drift_close(struct drift *d)
{
    if (d->descriptor >= 0)
        close(d->descriptor);
    d->descriptor = -1;
}

nsec_t drift_last(const struct drift *d)
{
    return d->last;
}

static unsigned recent(const struct drift *d, nsec_t now)
{
    unsigned count = 0, known = d->heals < DRIFT_RECENT ? d->heals : DRIFT_RECENT;

    for (unsigned i = 0; i < known; i++)
        count += !time_passed(d->healed[i], RECENT, now);
    return count;
}

/* How long to wait after the last heal. */
static nsec_t pace(const struct drift *d, nsec_t now)
{
    unsigned count = recent(d, now), over = count > FIGHT ? count - FIGHT : 0;

    if (count < FIGHT)
        return 0;
    return PACE << (over < DOUBLED ? over : DOUBLED);
}

/* How much of that is left. */
static nsec_t rest(const struct drift *d, nsec_t now)
{
    nsec_t last = d->healed[(d->heals + DRIFT_RECENT - 1) % DRIFT_RECENT], wait = pace(d, now);

    return wait == 0 || time_passed(last, wait, now) ? 0 : last + wait - now;
}

/* Changes that change nothing, one after the other, must not keep us reading: a tenth of the time
 * at most. The first one is looked at at once. */
static nsec_t calm(const struct drift *d)
{
    nsec_t wait = d->heard.touched ? CALM : RETRY;

    return !d->idle || wait > 10 * d->cost ? wait : 10 * d->cost;
}

/* Until there may be something to do that no descriptor wakes us for; 0: nothing, or now. */
static nsec_t due(const struct drift *d, nsec_t now)
{
    nsec_t wait = rest(d, now);

    if (d->suspect && !time_passed(d->looked, calm(d), now) && d->looked + calm(d) - now > wait)
        wait = d->looked + calm(d) - now;
    if (!wait && !time_passed(d->listened, LISTEN, now))
        wait = LISTEN;
    return wait;
}

int drift_descriptor(const struct drift *d, nsec_t now)
{
    /* What comes meanwhile waits in the socket; if it overflows, that is a notice too. */
    return due(d, now) ? -1 : d->descriptor;
}

int drift_patience(const struct drift *d, nsec_t now)
{
    nsec_t wait = due(d, now);

    return wait && wait < WAIT_MS * NSEC_MS ? (int)(wait / NSEC_MS) + 1 : WAIT_MS;
}

static void suspect(struct drift *d, nsec_t now)
{
    if (!d->suspect)
        d->noticed = now;
    d->suspect = true;
}

static void listen_to(struct drift *d, nsec_t now)
{
    bool halfway = d->heard.open;

    if (d->descriptor < 0)
        return;
    notices_read(d->descriptor, &d->heard);
    if (d->heard.messages != 0)
        d->listened = now;
    d->heard.messages = 0;
    /* A transaction whose end did not come with the rest is looked at in the next turn. */
    if (d->heard.touched || d->heard.missed || (halfway && d->heard.open))
        suspect(d, now);
}

static void settle(struct drift *d)
{
    d->suspect = false;
    notices_forget(&d->heard);
}

static void say_who(const struct notices *n, struct evidence *e)
{
    if (!n->touched)
        return;
    if (n->program[0])
        evidence_string(e, "program", n->program);
    if (n->process)
        evidence_integer(e, "process", n->process);
}

static void say_what(const struct enforce_drift *found, struct evidence *e)
{
    evidence_string(e, "detail", found->text);
    if (found->gone)
        return;
    evidence_integer(e, "rules_missing", found->rules_missing);
    evidence_integer(e, "rules_foreign", found->rules_foreign);
    evidence_integer(e, "elements_missing", found->elements_missing);
    evidence_integer(e, "elements_foreign", found->elements_foreign);
}

static void tell(const struct monitor *m, struct message *t)
{
    if (channel_send(&m->wiring->parser, t, -1) != SD_OK)
        log_error("the parser is gone: an event of the rules is not recorded");
}

static const char *who(const struct notices *n)
{
    return n->program[0] ? n->program : "somebody";
}

static void complain(struct drift *d, nsec_t now)
{
    if (!time_passed(d->complained, COMPLAIN, now))
        return;
    d->complained = now;
    log_error("%s (process %d) fights over table sealdns: its rules were put back %u times "
              "in a minute; that goes on, %d s apart",
              who(&d->heard), d->heard.process, recent(d, now), (int)((PACE << DOUBLED) / NSEC_S));
}

/* Each of the first few by itself, then one that grows. */
static void tell_healed(struct monitor *m, const struct enforce_drift *found, nsec_t now)
{
    struct drift *d = &m->drift;
    bool fight = recent(d, now) > FIGHT;
    struct message t = {.type = TELL_FINDING};
    struct finding *f = &t.finding;

    own_finding(f, KIND_ENFORCEMENT, "enforcement", fight ? "fought over" : "healed");
    f->severity = fight ? SEVERITY_HIGH : SEVERITY_MEDIUM;
    say_what(found, &f->evidence);
    say_who(&d->heard, &f->evidence);
    evidence_integer(&f->evidence, "healed_in_us", (clock_now() - d->noticed) / NSEC_US);
    if (fight)
        complain(d, now);
    else
        log_warning("the rules in the kernel were changed by %s: %s; put back", who(&d->heard),
                    found->text);
    d->fought = fight ? (d->fought ? d->fought : now) : 0;
    if (fight)
        f->key = hash_mix(hash_bytes("fought", 6, 0), (uint64_t)d->fought);
    tell(m, &t);
}

void drift_lost(struct monitor *m, const char *error)
{
    if (m->lost)
        return; /* said already */
    m->installed = m->lost = true;
    m->drift.looked = 0;
    log_error("NOT ENFORCED: the rules are not in the kernel as the policy says: %s; tried again "
              "every few seconds",
              error);
    monitor_alarm(m, KIND_ENFORCEMENT, "lost", error);
    monitor_tell_installed(m);
}

/* Changes can be heard of once the kernel has nf_tables. */
static void found_again(struct monitor *m)
{
    if (m->drift.descriptor < 0)
        m->drift.descriptor = reopen();
    monitor_tell_installed(m);
}

static void heal(struct monitor *m, const struct enforce_drift *found, nsec_t now)
{
    struct drift *d = &m->drift;
    bool was_lost = m->lost;
    char error[ENFORCE_ERROR] = "";
    int status = monitor_enforce(m, m->wiring->policy, error);

    d->healed[d->heals++ % DRIFT_RECENT] = now; /* a try counts: it must not be made all the time */
    if (status != SD_OK) {
        drift_lost(m, error);
        return;
    }
    m->since = d->last = now;
    m->wiring->board->monitor.rules_healed++;
    tell_healed(m, found, now);
    settle(d);
    if (was_lost)
        found_again(m);
}

/* `sealdns rules remove` opens everything, also where this process could not be asked. */
static bool was_opened(const struct drift *d, const struct enforce_drift *found)
{
    return found->gone && d->heard.deleted && !d->heard.missed &&
           strcmp(d->heard.program, "sealdns") == 0;
}

static void open_up(struct monitor *m)
{
    char by[64];

    snprintf(by, sizeof by, "by `sealdns rules remove`, process %d", m->drift.heard.process);
    m->installed = m->lost = false;
    m->opened = true;
    log_warning("`sealdns rules remove` took the rules away: they stay out until `sealdns rules "
                "apply`, a reload or a start");
    monitor_say(m, KIND_ENFORCEMENT, "removed", by);
    monitor_tell_installed(m);
}

static void found_right(struct monitor *m)
{
    settle(&m->drift);
    if (!m->lost)
        return;
    m->lost = false;
    monitor_say(m, KIND_ENFORCEMENT, "restored", "");
    found_again(m);
}

static void look(struct monitor *m, nsec_t now)
{
    const struct policy *p = m->wiring->policy;
    struct enforce_drift found;
    struct ruleset *rules = NULL;
    char error[ENFORCE_ERROR] = "";
    int status = monitor_ruleset(m, p, &rules, error);

    if (status == SD_OK)
        status = ruleset_examine(rules, &found, error);
    ruleset_destroy(rules);
    m->drift.looked = now;
    m->drift.cost = clock_now() - now;
    m->drift.idle = status == SD_OK && m->drift.heard.touched;
    if (status == SD_OK) {
        found_right(m);
    } else if (status != SD_ENOENT && status != SD_ESTATE) {
        if (time_passed(m->drift.complained, COMPLAIN, now))
            log_warning("%s", error);
        m->drift.complained = now;
    } else {
        m->wiring->board->monitor.rules_drifted += !m->lost;
        if (was_opened(&m->drift, &found))
            open_up(m);
        else
            heal(m, &found, now);
    }
}

void drift_watch(struct monitor *m, nsec_t now)
{
    struct drift *d = &m->drift;

    if (rest(d, now))
        return;
    if (m->netlink >= 0 && !d->heard.own)
        d->heard.own = notices_port(m->netlink);
    listen_to(d, now);
    if (!m->installed || m->trial) { /* on trial: what is there may be the guard's work */
        settle(d);
        return;
    }
    if (recent(d, now) < FIGHT)
        d->fought = 0;
    if (time_passed(d->looked, LOOK, now))
        suspect(d, now);
    if (d->suspect && time_passed(d->looked, calm(d), now))
        look(m, now);
}
