/* What a suspect amounts to: four families of evidence, each none, some or strong. No family alone
 * is a tunnel: content deliveries have many names, reputation look-ups coded ones, mail asks for
 * TXT, telemetry keeps time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detect/tunnel.h"

#define LEAST 8 /* names, answers: fewer are no sample */

static uint32_t limit(const struct policy *p, const char *name, int64_t otherwise)
{
    int64_t value = policy_threshold(p, TUNNEL_RULE, name, otherwise);

    return (uint32_t)(value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : value);
}

void tunnel_limits_read(struct tunnel_limits *l, const struct policy *p)
{
    l->names = limit(p, "names", 20);
    l->octets = limit(p, "octets", 300);
    l->octets_strong = limit(p, "octets_strong", 1500);
    l->names_hour = limit(p, "names_hour", 100);
    l->octets_hour_strong = limit(p, "octets_hour_strong", 20000);
    l->coded_share = limit(p, "coded_share_milli", 500);
    l->odd_share = limit(p, "odd_share_milli", 200);
    l->packed_octets = limit(p, "packed_octets", 32);
    l->long_share = limit(p, "long_share_milli", 250);
    l->exotic_names = limit(p, "exotic_names", 5);
    l->carrier_names = limit(p, "carrier_names", 10);
    l->carrier_share = limit(p, "carrier_share_milli", 500);
    l->name_long = limit(p, "name_long", 90);
    l->answer_extra = limit(p, "answer_extra", 80);
    l->stream_s = limit(p, "stream_s", 15);
    l->stream_strong_s = limit(p, "stream_strong_s", 60);
    l->burst_names = limit(p, "burst_names", 25);
    l->prompt_names = limit(p, "prompt_names", 10);
    l->regular = limit(p, "regular_milli", 150);
    l->verdict_share = limit(p, "verdict_share_milli", 800);
    l->families = limit(p, "families", 3);
    l->score = limit(p, "score", 5);
    l->tool_score = limit(p, "tool_score", 2);
    l->fleet_factor = limit(p, "fleet_factor", 4);
}

static bool share(uint64_t part, uint64_t whole, uint32_t milli)
{
    return whole > 0 && part * 1000 >= whole * milli;
}

/* Reputation services answer with a verdict: not listed, or an address that means something. */
static bool is_lookup_service(const struct suspect *s, const struct tunnel_limits *l)
{
    return s->answers >= LEAST && share(s->verdicts, s->answers, l->verdict_share);
}

/* Names of services, as a mail relay asks for; a stream of them is none. */
static bool is_services(const struct suspect *s, const struct tunnel_limits *l)
{
    return share(s->service, s->names, 500) && s->run_best_s < l->stream_strong_s;
}

static uint8_t volume(const struct suspect *s, const struct tunnel_limits *l, uint32_t factor)
{
    uint32_t octets = span_octets(&s->minutes), hourly = span_octets(&s->hour);

    if (octets >= l->octets_strong * factor || hourly >= l->octets_hour_strong * factor)
        return is_lookup_service(s, l) || is_services(s, l) ? 1 : 2;
    return octets >= l->octets * factor || span_names(&s->minutes) >= l->names * factor ||
           span_names(&s->hour) >= l->names_hour * factor;
}

static uint8_t content(const struct suspect *s, const struct tunnel_limits *l)
{
    if (s->names < LEAST)
        return 0;
    if (s->coded_octets >= (uint64_t)l->packed_octets * s->names ||
        share(s->odd, s->names, l->odd_share))
        return 2;
    return share(s->coded_octets, s->octets, l->coded_share) ||
           share(s->long_labels, s->names, l->long_share);
}

/* Data come down: much behind the question, and not always as much. */
static bool is_laden(const struct suspect *s, const struct tunnel_limits *l)
{
    float n = (float)(s->answers - s->failures), mean, spread;

    if (s->answers - s->failures < LEAST)
        return false;
    mean = s->extra / n;
    spread = s->extra_squared / n - mean * mean;
    return mean >= (float)l->answer_extra && spread > 0 && sqrtf(spread) >= 0.3F * mean;
}

static uint8_t type_and_size(const struct suspect *s, const struct tunnel_limits *l)
{
    if (s->exotic >= l->exotic_names && share(s->exotic, s->names, 300))
        return 2;
    if (s->carrier >= l->carrier_names && share(s->carrier, s->names, l->carrier_share) &&
        !is_services(s, l))
        return 2;
    return s->names >= LEAST &&
           ((uint64_t)s->name_octets >= (uint64_t)l->name_long * s->names || is_laden(s, l));
}

static int by_size(const void *left, const void *right)
{
    return (int)*(const uint16_t *)left - (int)*(const uint16_t *)right;
}

uint32_t tunnel_jitter(const struct suspect *s, uint32_t *median_ms)
{
    uint16_t gaps[SUSPECT_GAPS];
    uint16_t median;

    *median_ms = 0;
    if (s->gap_count < SUSPECT_GAPS)
        return UINT32_MAX;
    memcpy(gaps, s->gaps, sizeof gaps);
    qsort(gaps, SUSPECT_GAPS, sizeof *gaps, by_size);
    median = gaps[SUSPECT_GAPS / 2];
    *median_ms = median * 100U;
    for (int i = 0; i < SUSPECT_GAPS; i++)
        gaps[i] = (uint16_t)abs((int)s->gaps[i] - (int)median);
    qsort(gaps, SUSPECT_GAPS, sizeof *gaps, by_size);
    return median ? gaps[SUSPECT_GAPS / 2] * 1000U / median : UINT32_MAX;
}

static uint8_t timing(const struct suspect *s, const struct tunnel_limits *l)
{
    uint32_t median;

    if (s->run_best_s >= l->stream_strong_s)
        return 2;
    return s->run_best_s >= l->stream_s || s->second_best >= l->burst_names ||
           (s->prompt >= l->prompt_names && share(s->prompt, s->names, 300)) ||
           tunnel_jitter(s, &median) < l->regular;
}

struct tunnel_verdict tunnel_judge(const struct suspect *s, const struct tunnel_limits *l)
{
    struct tunnel_verdict v = {.alarm = false};
    bool fleet = s->key.who == SUSPECT_ALL;

    v.level[FAMILY_VOLUME] = volume(s, l, fleet ? l->fleet_factor : 1);
    v.level[FAMILY_CONTENT] = v.level[FAMILY_VOLUME] ? content(s, l) : 0;
    if (!v.level[FAMILY_CONTENT] && !s->tool)
        return v; /* most of them: the rest need not be looked at */
    v.level[FAMILY_TYPE] = type_and_size(s, l);
    v.level[FAMILY_TIMING] = timing(s, l);
    for (int i = 0; i < FAMILY_COUNT; i++) {
        v.families += v.level[i] > 0;
        v.score += v.level[i];
    }
    v.score += s->tool ? (uint8_t)l->tool_score : 0;
    /* Advertisers and telemetry make up a coded name for each view, in a stream while somebody
     * reads: what they lack is the load of each name, and an answer that matters. */
    v.alarm = v.families >= l->families && v.score >= l->score &&
              (v.level[FAMILY_TYPE] || v.level[FAMILY_CONTENT] == 2);
    return v;
}
