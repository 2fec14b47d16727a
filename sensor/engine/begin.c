#include "engine/begin.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/audit.h"
#include "engine/gateway.h"

/* The text of a last good policy is compared, so that a catalogue beside the file is no change. */
static void tell_policy(const struct monitor *m)
{
    struct wiring *w = m->wiring;
    struct audit a = {.what = "policy changed", .who = audit_self(), .via = "start"};
    struct policy_files *files = NULL;
    struct policy *before = NULL;
    char path[256];

    last_good_path(policy_files_path(w->files), path);
    if (!path[0] || access(path, R_OK) != 0)
        return;
    a.detail = "since a sensor last ran";
    if (policy_files_read(path, path, stderr, &files) == SD_OK &&
        !policy_files_agree(files, w->files) && wiring_quietly(w, files, &before) == SD_OK) {
        audit_compare(&a, before, w->policy);
        audit_tell(m, &a);
    }
    policy_destroy(before);
    policy_files_free(files);
}

static void tell_refused(const struct monitor *m)
{
    struct audit a = {.what = "policy refused", .who = audit_self(), .via = "start"};

    a.detail = "the policy file is wrong, shrank by half or was never confirmed: started from the "
               "last good one";
    text_copy(a.after, sizeof a.after, m->wiring->policy->digest);
    audit_tell(m, &a);
}

/* What is found: of a sensor that was killed or keeps its rules, of `rules apply`, of another
 * version; or changed by hand while nobody watched. */
static void tell_table(const struct monitor *m)
{
    const struct policy *p = m->wiring->policy;
    struct audit a = {.what = "found changed"};
    struct enforce_drift found;
    struct enforce_status there;
    struct ruleset *rules = NULL;
    char error[ENFORCE_ERROR];

    if (p->mode == MODE_MONITOR) {
        a.what = "found";
        a.detail = "a table of before, and mode monitor has none: it is removed";
        if (ruleset_status(&there, error) == SD_OK)
            audit_tell(m, &a);
        return;
    }
    if (ruleset_compile(p, p->mode, clock_now(), &rules, error) != SD_OK)
        return; /* who installs them will say it */
    if (ruleset_examine(rules, &found, error) == SD_ESTATE) {
        a.what = found.another ? "found another" : "found changed";
        a.detail = found.another ? "a table of another policy, mode or version: it is replaced"
                                 : found.text;
        audit_tell(m, &a);
    }
    ruleset_destroy(rules);
}

void begin_tell(const struct monitor *m)
{
    if (is_last_good(policy_files_path(m->wiring->files)))
        tell_refused(m);
    else if (!m->wiring->policy->refused)
        tell_policy(m);
    tell_table(m);
}
