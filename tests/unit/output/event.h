/* An event of clear text, as the tests of formats start from. */
#ifndef SEALDNS_TESTS_OUTPUT_EVENT_H
#define SEALDNS_TESTS_OUTPUT_EVENT_H

#include <string.h>

#include "base/error.h"
#include "model/record.h"

static inline struct record event(const char *name)
{
    struct record r = {.kind = RECORD_EVENT, .zone = "office"};
    struct event *e = &r.event;

    strcpy(e->id, "0123456789abcdef");
    e->revision = 1;
    e->count = 3;
    e->finding.kind = KIND_CLEARTEXT;
    e->finding.severity = SEVERITY_MEDIUM;
    e->finding.proto = 17;
    e->finding.transport = TRANSPORT_DO53_UDP;
    e->finding.client_port = 40000;
    e->finding.server_port = 53;
    e->finding.qtype = 28;
    strcpy(e->finding.rule, "cleartext");
    strncpy(e->finding.name, name, sizeof e->finding.name - 1);
    assert_int_equal(addr_parse("10.20.0.1", &e->finding.client), SD_OK);
    assert_int_equal(addr_parse("9.9.9.9", &e->finding.server), SD_OK);
    evidence_clear(&e->finding.evidence);
    evidence_string(&e->finding.evidence, "names", name);
    return r;
}

#endif
