#include "event.h"

#include <stdio.h>
#include <string.h>

void event_make(struct record *r, uint64_t n)
{
    uint64_t id = n % 3 == 2 ? n - 1 : n;

    memset(r, 0, sizeof *r);
    r->kind = RECORD_EVENT;
    snprintf(r->zone, sizeof r->zone, "office");
    snprintf(r->event.id, sizeof r->event.id, "%016llx", (unsigned long long)id);
    snprintf(r->event.finding.rule, RULE_ID, "cleartext");
    r->event.revision = n % 3 == 2 ? 2 : 1;
    r->event.count = r->event.revision;
    r->event.finding.severity = SEVERITY_MEDIUM;
    r->event.first = r->event.last = r->event.finding.time =
        INT64_C(1767225600) * NSEC_S + (nsec_t)n * 20000;
    r->event.finding.client.w[1] = id;
    r->event.finding.server.w[1] = 53;
    evidence_clear(&r->event.finding.evidence);
    evidence_string(&r->event.finding.evidence, "name", "www.example.org");
}
