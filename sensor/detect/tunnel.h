/* Tunnels in DNS: what is noted of a name and an answer (tunnel_note.c), which tool it looks like
 * (tunnel_tool.c), what it amounts to (tunnel_judge.c). The detector is tunnel.c. */
#ifndef SEALDNS_DETECT_TUNNEL_H
#define SEALDNS_DETECT_TUNNEL_H

#include "detect/shape.h"
#include "detect/suspects.h"
#include "model/observation.h"
#include "model/policy.h"

#define TUNNEL_RULE "tunnel"

enum tunnel_tool { TOOL_NONE, TOOL_IODINE, TOOL_DNSCAT2, TOOL_DNS2TCP, TOOL_COUNT };

/* Bits of suspect.types, in the order of their words. */
enum suspect_type {
    TYPE_A,
    TYPE_AAAA,
    TYPE_TXT,
    TYPE_CNAME,
    TYPE_MX,
    TYPE_SRV,
    TYPE_NULL,
    TYPE_KEY,
    TYPE_PRIVATE,
    TYPE_OTHER,
    TYPE_COUNT
};

enum tunnel_family { FAMILY_VOLUME, FAMILY_CONTENT, FAMILY_TYPE, FAMILY_TIMING, FAMILY_COUNT };

/* How strong each family of evidence is: 0 none, 1, 2. */
struct tunnel_verdict {
    uint8_t level[FAMILY_COUNT];
    uint8_t families, score;
    bool alarm;
};

/* The thresholds of rules/detections/tunnel.yaml; shares in thousandths. */
struct tunnel_limits {
    uint32_t names, octets, octets_strong;   /* of five to ten minutes */
    uint32_t names_hour, octets_hour_strong; /* of one to two hours */
    uint32_t coded_share, odd_share, packed_octets, long_share;
    uint32_t exotic_names, carrier_names, carrier_share;
    uint32_t name_long, answer_extra;
    uint32_t stream_s, stream_strong_s, burst_names, prompt_names;
    uint32_t regular, verdict_share, families, score, tool_score;
    uint32_t fleet_factor;
};

void tunnel_limits_read(struct tunnel_limits *l, const struct policy *p);

void tunnel_note_name(struct suspect *s, const struct observation *o, const struct shape *shape);
void tunnel_note_answer(struct suspect *s, const struct observation *o);
/* Of a name that comes for the first time; keeps what it learned in s. */
enum tunnel_tool tunnel_tool_of(struct suspect *s, const struct dns_message *m, unsigned domain);
const char *tunnel_tool_name(unsigned tool);

struct tunnel_verdict tunnel_judge(const struct suspect *s, const struct tunnel_limits *l);
/* Thousandths: median absolute deviation over median of the latest gaps; UINT32_MAX: too few. */
uint32_t tunnel_jitter(const struct suspect *s, uint32_t *median_ms);
/* Names of five to ten minutes. */
uint32_t span_names(const struct suspect_span *span);
uint32_t span_octets(const struct suspect_span *span);

#endif
