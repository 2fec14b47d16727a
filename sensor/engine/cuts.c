#include "engine/cuts.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/gateway.h"
#include "engine/monitor.h"

#define RETRY (5 * NSEC_S)

void cuts_begin(struct monitor *m)
{
    m->wiring->cannot_log = !cutlog_is_supported();
    if (m->wiring->cannot_log)
        log_warning("this kernel has no nfnetlink_log: rules cut and count, but what they cut is "
                    "known by its counters only (`modprobe nfnetlink_log nft_log`)");
}

static uint16_t wanted(const struct monitor *m)
{
    return m->installed ? m->wiring->policy->log_group : 0;
}

/* descriptor: -1 for none any more. The parser has its own copy when this returns. */
static void hand_over(struct monitor *m, int descriptor, uint16_t group)
{
    struct message tell = {.type = TELL_CUTS};

    if (channel_send(&m->wiring->parser, &tell, descriptor) != SD_OK) {
        log_warning("the parser did not take the log of the rules");
        return;
    }
    m->cuts.group = group;
    m->wiring->board->cut_group = group;
}

/* Each reason is told once, and that it is over. */
static void tell(struct monitor *m, const char *why)
{
    if (strcmp(m->cuts.why, why) == 0)
        return;
    text_copy(m->cuts.why, sizeof m->cuts.why, why);
    if (why[0])
        log_warning("%s; what the rules cut is known by their counters only", why);
    monitor_say(m, KIND_SENSOR, why[0] ? "blocks without evidence" : "blocks with evidence again",
                why);
}

static void open_log(struct monitor *m, uint16_t group)
{
    char error[ENFORCE_ERROR] = "";
    int descriptor = cutlog_open(group, error);

    tell(m, error);
    if (descriptor < 0)
        return;
    hand_over(m, descriptor, group);
    close(descriptor);
}

void cuts_watch(struct monitor *m, nsec_t now)
{
    uint16_t group = wanted(m);

    if (group == m->cuts.group)
        return;
    if (m->cuts.group) {
        m->cuts.tried = 0;
        hand_over(m, -1, 0);
    }
    if (!group || (m->cuts.tried && !time_passed(m->cuts.tried, RETRY, now)))
        return;
    m->cuts.tried = now;
    open_log(m, group);
}
