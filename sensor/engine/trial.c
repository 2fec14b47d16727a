#include "engine/trial.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/audit.h"
#include "engine/gateway.h"
#include "engine/guard.h"

#define END_MS 15000

struct trial {
    struct guard guard;
    struct change_request request;
    nsec_t until;
    /* As it was. */
    struct policy_files *files;
    struct policy *policy;
    struct admission admission;
    bool installed, lost, opened;
    uint64_t addresses;
};

static uint64_t hash_addresses(const struct own_addresses *own)
{
    return hash_bytes(own->list, own->count * sizeof *own->list, 0);
}

/* Who ended it stands beside what became of it; nobody where the time was over. */
static void say(const struct monitor *m, const char *what, const char *detail,
                const struct guard_message *end)
{
    struct audit a = {.what = what, .detail = detail, .who = {end->uid, end->pid}};

    if (end->pid)
        a.via = "socket";
    text_copy(a.after, sizeof a.after, m->wiring->policy->digest);
    audit_tell(m, &a);
}

static void as_before(struct monitor *m, const struct trial *t)
{
    m->installed = t->installed;
    m->lost = t->lost;
    m->opened = t->opened;
}

static int try_policy(struct monitor *m, struct trial *t, struct policy_files *files,
                      struct policy *policy, char error[256])
{
    int status;

    if (policy->mode == MODE_MONITOR) {
        snprintf(error, 256, "%s",
                 policy->place == PLACE_TAP
                     ? TAP_CANNOT_CUT
                     : "mode is monitor: there are no rules to try; say sensor.mode, or start "
                       "with --mode shadow or enforce");
        return SD_ESTATE;
    }
    if (policy->owner_flag) {
        snprintf(error, 256, "nftables.owner is set: a guard could not put the old rules back");
        return SD_ESTATE;
    }
    status = guard_start(t->request.seconds, &t->guard, error);
    if (status != SD_OK)
        return status;
    m->opened = false;
    status = monitor_enforce(m, policy, error);
    if (status == SD_OK)
        status = monitor_hand_over(m, files);
    if (status == SD_OK)
        status = guard_arm(&t->guard);
    if (status == SD_OK)
        return SD_OK;
    if (!error[0])
        snprintf(error, 256, "the change cannot be tried: %s (the old policy stays)",
                 sd_strerror(status));
    guard_undo(&t->guard);
    outage_restore(m, &t->admission);
    if (monitor_hand_over(m, t->files) != SD_OK)
        log_error("the sensor's other processes did not get the old policy: start it again");
    guard_leave(&t->guard);
    as_before(m, t);
    return status;
}

static void begun(struct monitor *m, struct trial *t, struct policy_files *files,
                  struct policy *policy)
{
    struct audit a = {.what = "installed on trial", .who = t->request.who, .via = "socket"};
    char detail[128];

    audit_compare(&a, m->wiring->policy, policy);
    t->until = clock_now() + t->request.seconds * NSEC_S;
    m->trial = t;
    m->wiring->files = files;
    m->wiring->policy = policy;
    snprintf(detail, sizeof detail, "mode %s, rolled back in %u s unless confirmed",
             mode_name(policy->mode), t->request.seconds);
    a.detail = detail;
    audit_tell(m, &a);
    monitor_tell_installed(m);
    outage_tell(m);
}

int trial_begin(struct monitor *m, const struct change_request *request, char error[256])
{
    struct trial *t = calloc(1, sizeof *t);
    struct policy_files *files = NULL;
    struct policy *policy = NULL;
    struct admission before = m->outage.admission;
    int status = t ? monitor_read_policy(m, true, &files, &policy, error) : SD_EMEM;

    if (status == SD_OK) {
        *t = (struct trial){.request = *request,
                            .guard = {.channel = -1, .netlink = -1},
                            .files = m->wiring->files,
                            .policy = m->wiring->policy,
                            .admission = before,
                            .installed = m->installed,
                            .lost = m->lost,
                            .opened = m->opened,
                            .addresses = hash_addresses(&m->own)};
        status = try_policy(m, t, files, policy, error);
        if (status != SD_OK)
            outage_restore(m, &before);
    }
    if (status == SD_OK) {
        begun(m, t, files, policy);
        return SD_OK;
    }
    if (status != SD_EEXIST)
        audit_tell(
            m, &(struct audit){
                   .what = "trial refused", .detail = error, .who = request->who, .via = "socket"});
    policy_destroy(policy);
    policy_files_free(files);
    free(t);
    return status;
}

static void discard(struct policy_files *files, struct policy *policy)
{
    policy_destroy(policy);
    policy_files_free(files);
}

static void confirmed(struct monitor *m, const struct trial *t, const struct guard_message *end)
{
    discard(t->files, t->policy);
    say(m, "confirmed", mode_name(m->wiring->policy->mode), end);
    monitor_keep_policy(m);
}

/* The kernel has the old rules already; here follows what they mean. */
static void rolled_back(struct monitor *m, const struct trial *t, const struct guard_message *end)
{
    struct wiring *w = m->wiring;
    char error[256] = "";

    discard(w->files, w->policy);
    w->files = t->files;
    w->policy = t->policy;
    as_before(m, t);
    outage_restore(m, &t->admission);
    say(m, "rolled back", m->stopping ? "the sensor ends" : end->text, end);
    log_warning("the rules are rolled back: policy %s", w->policy->digest);
    pairs_rewrite(m); /* also those of meanwhile */
    if (monitor_hand_over(m, w->files) != SD_OK)
        log_error("the sensor's other processes did not get the old policy: start it again");
    if (t->addresses != hash_addresses(&m->own) &&
        monitor_recompile(m, "addresses changed", error) != SD_OK)
        log_warning("%s", error);
}

static void ended(struct monitor *m, const struct guard_message *end)
{
    struct trial *t = m->trial;

    m->trial = NULL;
    if (end->word == GUARD_ROLLED_BACK) {
        rolled_back(m, t, end);
    } else if (end->word == GUARD_CONFIRMED) {
        confirmed(m, t, end);
    } else {
        discard(t->files, t->policy);
        say(m, end->word == GUARD_FAILED ? "not rolled back" : "trial ended", end->text, end);
    }
    guard_leave(&t->guard);
    free(t);
    m->drift.looked = 0; /* what others changed meanwhile is put right now */
    monitor_tell_installed(m);
}

int trial_descriptor(const struct monitor *m)
{
    return m->trial ? m->trial->guard.channel : -1;
}

static bool hear(struct monitor *m, int timeout_ms)
{
    struct guard_message end;

    if (guard_hear(&m->trial->guard, &end, timeout_ms) != SD_OK)
        return false;
    ended(m, &end);
    return true;
}

void trial_hear(struct monitor *m)
{
    if (m->trial)
        hear(m, 0);
}

static void ask_to_end(struct monitor *m, enum guard_word word)
{
    if (!m->trial)
        return;
    if (guard_say(m->trial->guard.channel, word) != SD_OK)
        log_warning("the guard of the rules is gone");
    if (!hear(m, END_MS))
        log_error("the guard of the rules does not answer: it still waits for its time");
}

void trial_end(struct monitor *m)
{
    ask_to_end(m, GUARD_ROLL_BACK);
}

void trial_give_up(struct monitor *m)
{
    ask_to_end(m, GUARD_GIVE_UP);
}

uint32_t trial_left(const struct monitor *m)
{
    nsec_t left = m->trial ? m->trial->until - clock_now() : 0;

    return left > 0 ? (uint32_t)(left / NSEC_MS) : (m->trial ? 1 : 0);
}

bool trial_abandoned(void)
{
    struct guard_message end;
    char error[ENFORCE_ERROR];
    int status = guard_ask(GUARD_ROLL_BACK, &end, error);

    if (status == SD_ENOENT)
        return false;
    if (status != SD_OK) {
        log_warning("%s", error);
        return false;
    }
    log_warning("the rules were on trial when the sensor before this one ended: %s",
                end.word == GUARD_FAILED ? end.text : "rolled back");
    return true;
}
