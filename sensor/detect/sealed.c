#include "detect/sealed.h"

static bool is_silent(uint8_t cause)
{
    return cause == CAUSE_TIMEOUT || cause == CAUSE_NO_ANSWER;
}

void sealed_forget(struct sealed *s, uint64_t flow_id)
{
    for (int i = 0; i < SEALED_OPEN; i++)
        if (s->open[i].flow == flow_id)
            s->open[i].flow = 0;
}

static void begin_anew(struct sealed *s)
{
    s->failed = s->failed_last = s->began = s->counts_from = 0;
    s->attempts = s->failures = s->fresh = 0;
    s->heard_ttl = 0;
}

/* The clock was set back: nothing that lies ahead explains or excuses what happens now. */
static void clock_set_back(struct sealed *s, nsec_t now)
{
    if (time_is_ahead(s->failed_last, now))
        begin_anew(s);
    if (time_is_ahead(s->last_ok, now))
        s->first_ok = s->last_ok = 0;
    if (time_is_ahead(s->told, now))
        s->told = 0;
}

bool sealed_opened(struct sealed *s, const struct observation *o)
{
    int oldest = 0;

    clock_set_back(s, o->time);
    for (int i = 0; i < SEALED_OPEN; i++)
        if (s->open[i].flow == o->flow_id)
            return false;
    for (int i = 0; i < SEALED_OPEN; i++) {
        if (!s->open[i].flow) {
            oldest = i;
            break;
        }
        if (s->open[i].since < s->open[oldest].since)
            oldest = i;
    }
    s->open[oldest].flow = o->flow_id;
    s->open[oldest].since = o->flow.first ? o->flow.first : o->time;
    if (s->attempts < UINT16_MAX)
        s->attempts++;
    return true;
}

/* When it worked, at the earliest: counts are told late, so they prove an answer only since the
 * counts before them. 0: they prove nothing. */
static nsec_t worked_at(struct sealed *s, const struct observation *o)
{
    bool goes_on = s->told_flow == o->flow_id && s->told;
    nsec_t told = s->told;

    s->told_flow = o->flow_id;
    s->told = o->time;
    if (o->flow.phase == FLOW_ESTABLISHED || o->flow.phase == FLOW_RESUMED)
        return o->time;
    return goes_on && o->flow.responses ? told : 0;
}

bool sealed_worked(struct sealed *s, const struct observation *o)
{
    nsec_t at;
    bool ends;

    clock_set_back(s, o->time);
    at = worked_at(s, o);
    ends = s->failed != 0;
    s->answers += o->flow.responses;
    if (at || o->flow.responses) /* else it may be one whose query waits */
        sealed_forget(s, o->flow_id);
    if (!at || at < s->failed_last)
        return false;
    if (!s->first_ok)
        s->first_ok = at;
    if (at > s->last_ok)
        s->last_ok = at;
    s->successes += o->flow.phase == FLOW_ESTABLISHED;
    s->ok_server = o->server;
    s->ok_ttl = o->flow.ttl_server;
    s->name_sent |= o->flow.tls.sni[0] != '\0';
    begin_anew(s);
    return ends;
}

void sealed_sibling_worked(struct sealed *s, nsec_t at)
{
    s->last_ok = at;
    begin_anew(s);
}

static void say_how(struct sealed *s, const struct observation *o)
{
    s->stalled = false;
    s->transport = o->transport;
    s->proto = o->proto;
    s->server = o->server;
    s->client_port = o->client_port;
    s->server_port = o->server_port;
    s->flow_id = o->flow_id;
}

static void begin_failure(struct sealed *s, const struct observation *o)
{
    s->failed = o->time;
    s->began = o->flow.first ? o->flow.first : o->time;
    say_how(s, o);
}

bool sealed_failed(struct sealed *s, const struct observation *o, const struct blame *blame,
                   const struct sealed_times *times)
{
    nsec_t began = o->flow.first ? o->flow.first : o->time;
    nsec_t from = is_silent(o->flow.cause) ? began + times->patience : o->time;

    clock_set_back(s, o->time);
    sealed_forget(s, o->flow_id);
    if (blame->cause == CAUSE_NONE || is_change_of_mind(o))
        return false;
    if (s->last_ok && s->last_ok >= began)
        return false; /* it worked while this one was trying */
    if (from > o->time)
        from = o->time;
    if (s->failed && o->time > s->failed_last + sealed_window(s, times))
        begin_anew(s); /* the old failure is past */
    if (!s->failed) {
        begin_failure(s, o);
        s->counts_from = from;
        s->blame = *blame;
        s->stalled = o->flow.phase == FLOW_STALLED;
    } else if (origin_outweighs(blame, &s->blame)) {
        s->blame = *blame;
    } else if (s->stalled && o->flow.phase == FLOW_FAILED && blame->cause != s->blame.cause) {
        say_how(s, o); /* not that an old connection broke, but why no new one could be made */
        s->blame = *blame;
    }
    if (from < s->counts_from)
        s->counts_from = from;
    if (began < s->began)
        s->began = began;
    s->failed_last = o->time;
    if (s->failures < UINT16_MAX)
        s->failures++;
    if (s->attempts < s->failures)
        s->attempts = s->failures; /* the capture began after the SYN */
    return true;
}

bool sealed_trying(const struct sealed *s, nsec_t now, nsec_t age)
{
    for (int i = 0; i < SEALED_OPEN; i++)
        if (s->open[i].flow && now - s->open[i].since < age)
            return true;
    return false;
}

nsec_t sealed_window(const struct sealed *s, const struct sealed_times *times)
{
    if (s->blame.cause == CAUSE_ICMP)
        return times->window_icmp;
    return is_silent(s->blame.cause) ? times->window_timeout : times->window_reset;
}

bool sealed_was_trying(const struct sealed *s, nsec_t then)
{
    for (int i = 0; i < SEALED_OPEN; i++)
        if (s->open[i].flow && s->open[i].since <= then)
            return true;
    return false;
}

bool sealed_explains(const struct sealed *s, nsec_t clear, const struct sealed_times *times)
{
    return s->failed && clear >= s->counts_from &&
           clear <= s->failed_last + sealed_window(s, times);
}

uint32_t sealed_proof(const struct sealed *s)
{
    return s->successes > s->answers ? s->successes : s->answers;
}
