/* What every detector does to write a finding. */
#ifndef SEALDNS_DETECT_DRAFT_H
#define SEALDNS_DETECT_DRAFT_H

#include "model/finding.h"
#include "model/observation.h"
#include "model/policy.h"

/* What a finding needs of the observation it rests on, when that one is gone. */
struct sighting {
    struct addr client, server;
    uint64_t flow_id, station;
    nsec_t time;
    uint16_t vlan, iface, client_port, server_port;
    int16_t zone, resolver;
    uint8_t transport, proto, roles;
};

struct sighting sighting_of(const struct observation *o);

/* Everything of the finding that follows from rule and sighting; count 1, evidence empty, severity
 * as the detection's file has it, or otherwise. */
void draft(struct finding *f, const struct policy *p, const char *rule, enum kind kind,
           const struct sighting *s, enum severity otherwise);

/* The zone of an index, the default one for an index that is none. */
const struct policy_zone *draft_zone(const struct policy *p, int16_t zone);
/* severity_<...> among the thresholds, held within the scale. */
enum severity draft_severity(const struct policy *p, const char *rule, const char *threshold,
                             enum severity otherwise);
/* A threshold of the rule, held within 32 bits. */
uint32_t draft_threshold(const struct policy *p, const char *rule, const char *name,
                         uint32_t otherwise);
/* The name, as text, is in a domain of the operator's own or one that the rule's file calls
 * ordinary.
 */
bool draft_is_ordinary(const struct policy *p, const char *rule, const char *name);
/* idle_s among the thresholds: silence after which an event ends. */
nsec_t draft_idle(const struct policy *p, const char *rule);
/* A question's name as text that fits; longer ones are cut and end in '~'. */
void draft_name(const struct dns_message *m, char *out, size_t size);
/* Takes over a text that is not empty, cut to what fits. */
void draft_text(char *to, size_t size, const char *from);
/* The name a client asked for; the outer one of ECH is called so: it says nothing of the server. */
void draft_sni(struct evidence *e, const char *name, bool outer);
/* The kernel said that it was cut: the verdict rests on that. */
void draft_proven(struct finding *f);
/* The words of identified_by, joined by commas. */
void draft_identified_by(unsigned bits, char *out, size_t size);
bool transport_is_sealed(unsigned transport);
bool transport_is_clear(unsigned transport);

#endif
