/* The monitor's judgement of zones: which are held, their rules only counting, because none of the
 * resolvers that they approve answers. At the start and with a new policy every zone is asked for
 * before it is enforced (sensor.preflight); later, when all are silent twice, `on_resolver_outage`
 * says whether the zone goes on cutting or is opened. Whatever answers again is enforced again. A
 * check that did not come to its end says nothing of who had not answered yet. */
#ifndef SEALDNS_ENGINE_OUTAGE_H
#define SEALDNS_ENGINE_OUTAGE_H

#include "engine/preflight.h"
#include "engine/sensor.h"

struct monitor;

struct outage {
    struct preflight *asking; /* of the policy of this digest; NULL: nobody asks */
    char digest[17];
    char refused[256]; /* why the first policy was, if it was */
    nsec_t asked;
    bool forced; /* --force: nothing is checked */
    /* Of the policy in force. Kept here, where no child writes; the board has a copy for them. */
    struct admission admission;
};

/* Before a policy is enforced: marks its zones that are held. Waits for the answers, at most six
 * seconds. SD_ESTATE: the policy is refused, error says why. */
int outage_admit(struct monitor *m, struct policy *policy, char error[256]);
/* That policy is the first one, and the network is not to be left unwatched: it only counts. why:
 * of outage_admit(). */
void outage_refuse(struct monitor *m, struct policy *policy, const char *why);
/* The policy that outage_admit() was asked about is not to be, and the one of then stays. */
void outage_restore(struct monitor *m, const struct admission *before);
/* An event for each zone that is held. */
void outage_tell(const struct monitor *m);
/* After every wake-up; never waits. */
void outage_watch(struct monitor *m, nsec_t now);
void outage_end(struct outage *o);
/* A child was waited for that is neither parser nor recorder. */
void outage_reaped(struct outage *o, pid_t child);

#endif
