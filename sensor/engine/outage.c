#include "engine/outage.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/gateway.h"
#include "engine/monitor.h"

#define CALM    (15 * NSEC_S)
#define RETRY   (5 * NSEC_S) /* while resolvers are silent */
#define SUSPECT (2 * NSEC_S) /* once silent: asked again before it is believed */
#define SILENT  2            /* times, until it counts */

static bool is_watched(const struct monitor *m, const struct policy *p)
{
    return policy_enforces(p) && !m->outage.forced && (p->preflight || p->open_on_outage);
}

/* The zone's place; NULL: all are taken, and it is enforced unasked. */
static struct zone_state *state_of(struct admission *a, const char *id)
{
    uint64_t hash = hash_bytes(id, strlen(id), 0);

    for (size_t i = 0; i < a->zone_count; i++)
        if (a->zones[i].id == hash)
            return a->zones + i;
    if (a->zone_count == MOST_ZONE_STATES)
        return NULL;
    a->zones[a->zone_count] = (struct zone_state){.id = hash};
    return a->zones + a->zone_count++;
}

/* For the children, before they are told. */
static void publish(struct monitor *m)
{
    m->wiring->board->admission = m->outage.admission;
}

/* What comes and goes all day is one event an hour. */
static void say(const struct monitor *m, size_t zone, const char *what, const char *detail)
{
    const char *id = m->wiring->policy->zones[zone].id;
    struct message tell = {.type = TELL_FINDING};

    own_finding(&tell.finding, KIND_ENFORCEMENT, kind_name(KIND_ENFORCEMENT), what);
    tell.finding.zone = (int16_t)zone;
    tell.finding.key =
        hash_mix(hash_bytes(what, strlen(what), (uint64_t)(tell.finding.time / (3600 * NSEC_S))),
                 hash_bytes(id, strlen(id), 0));
    evidence_string(&tell.finding.evidence, "zone", id);
    evidence_string(&tell.finding.evidence, "detail", detail);
    log_warning("zone %s: %s: %s", id, what, detail);
    if (channel_send(&m->wiring->parser, &tell, -1) != SD_OK)
        log_error("an event of the rules is not recorded: the parser is gone");
}

static const char held_why[] = "none of its approved resolvers answers: its rules only count until "
                               "one does";

/* Its rules cut at this moment. */
static bool is_enforced(const struct monitor *m, const char *id)
{
    const struct policy *p = m->wiring->policy;

    for (size_t z = 0; m->installed && policy_enforces(p) && z < p->zone_count; z++)
        if (strcmp(p->zones[z].id, id) == 0)
            return !p->zones[z].held;
    return false;
}

/* What a start or a new policy begins with: what is silent is held, all else is enforced. Where
 * nobody could be sent to ask (f NULL) all stays as it is. */
static void judge_anew(struct monitor *m, const struct policy *p, const struct preflight *f)
{
    struct admission *a = &m->outage.admission;

    a->zone_count = 0;
    for (size_t z = 0; z < p->zone_count; z++) {
        struct zone_state *s = preflight_concerns(p, z) ? state_of(a, p->zones[z].id) : NULL;

        if (!s)
            continue;
        s->out = s->held = f ? !preflight_answered(f, z) : !is_enforced(m, p->zones[z].id);
        s->silent = s->out ? SILENT : 0;
    }
}

int outage_admit(struct monitor *m, struct policy *policy, char error[256])
{
    struct outage *o = &m->outage;
    struct preflight *f;

    if (!policy_enforces(policy) || !policy->preflight || o->forced) {
        o->admission.zone_count = 0;
    } else if (preflight_objection(policy, clock_now(), error) != SD_OK) {
        return SD_ESTATE;
    } else {
        o->asked = clock_now();
        f = preflight_begin(policy);
        if (f)
            preflight_wait(f);
        else
            log_warning("no process for the preflight: what is not enforced yet is held");
        judge_anew(m, policy, f);
        preflight_destroy(f);
    }
    wiring_hold(&o->admission, policy);
    publish(m);
    return SD_OK;
}

void outage_refuse(struct monitor *m, struct policy *policy, const char *why)
{
    struct outage *o = &m->outage;

    o->admission = (struct admission){.refused = true};
    text_copy(o->refused, sizeof o->refused, why);
    wiring_hold(&o->admission, policy);
    wiring_refuse(policy);
    publish(m);
    log_error("NOT ENFORCED, rules only count: %s; correct it and `sealdns status reload`, or "
              "start with --force",
              why);
}

void outage_restore(struct monitor *m, const struct admission *before)
{
    m->outage.admission = *before;
    publish(m);
}

/* Somebody who wants to be protected must not overlook that he is not. */
static void tell_refused(const struct monitor *m)
{
    struct message tell = {.type = TELL_FINDING};

    own_finding(&tell.finding, KIND_ENFORCEMENT, kind_name(KIND_ENFORCEMENT), "refused");
    tell.finding.severity = SEVERITY_HIGH;
    evidence_string(&tell.finding.evidence, "detail", m->outage.refused);
    if (channel_send(&m->wiring->parser, &tell, -1) != SD_OK)
        log_error("an event of the rules is not recorded: the parser is gone");
}

void outage_tell(const struct monitor *m)
{
    const struct policy *p = m->wiring->policy;

    for (size_t z = 0; z < p->zone_count; z++)
        if (p->zones[z].held)
            say(m, z, "zone held", held_why);
    if (p->refused)
        tell_refused(m);
    if (m->outage.forced && policy_enforces(p))
        monitor_say(m, KIND_ENFORCEMENT, "forced", "enforced without preflight, as --force says");
}

static void answers(const struct monitor *m, struct zone_state *s, size_t zone)
{
    s->silent = 0;
    if (!s->out)
        return;
    say(m, zone, s->held ? "zone enforced" : "resolvers back",
        "an approved resolver answers again");
    s->out = s->held = false;
}

static void is_silent(const struct monitor *m, struct zone_state *s, size_t zone)
{
    bool opens = m->wiring->policy->open_on_outage;

    if (s->out || ++s->silent < SILENT)
        return;
    s->out = true;
    s->held = opens;
    say(m, zone, "resolvers down",
        opens
            ? "none of its approved resolvers answers: opened, its rules only count until one "
              "does (on_resolver_outage: open)"
            : "none of its approved resolvers answers: its rules stay (on_resolver_outage: stay)");
}

static void judge(struct monitor *m)
{
    const struct preflight *f = m->outage.asking;
    const struct policy *p = m->wiring->policy;
    bool differs = false;
    char error[256] = "";

    for (size_t z = 0; z < p->zone_count; z++) {
        struct zone_state *s = NULL;

        if (preflight_concerns(p, z))
            s = state_of(&m->outage.admission, p->zones[z].id);
        if (s && preflight_answered(f, z))
            answers(m, s, z);
        else if (s && preflight_finished(f))
            is_silent(m, s, z);
        differs |= p->zones[z].held != (s && s->held);
    }
    publish(m);
    if (differs && monitor_recompile(m, NULL, error) != SD_OK)
        log_warning("the rules stay as they are: %s", error);
}

static nsec_t pause_of(const struct admission *a)
{
    nsec_t pause = CALM;

    for (size_t i = 0; i < a->zone_count; i++) {
        if (a->zones[i].silent && !a->zones[i].out)
            return SUSPECT;
        if (a->zones[i].out)
            pause = RETRY;
    }
    return pause;
}

void outage_end(struct outage *o)
{
    preflight_destroy(o->asking);
    o->asking = NULL;
}

void outage_reaped(struct outage *o, pid_t child)
{
    if (o->asking)
        preflight_reaped(o->asking, child);
}

/* While rules are on trial the kernel's are the guard's business. */
void outage_watch(struct monitor *m, nsec_t now)
{
    const struct policy *p = m->wiring->policy;
    struct outage *o = &m->outage;

    if (o->asking && strcmp(o->digest, p->digest) != 0)
        outage_end(o);
    if (!is_watched(m, p) || m->trial) {
        outage_end(o);
        return;
    }
    if (o->asking && preflight_over(o->asking, now)) {
        judge(m);
        outage_end(o);
        o->asked = now;
    } else if (!o->asking && time_passed(o->asked, pause_of(&o->admission), now)) {
        o->asked = now;
        o->asking = preflight_begin(p);
        text_copy(o->digest, sizeof o->digest, p->digest);
    }
}
