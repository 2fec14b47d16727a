#include "detect/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Routes change by a hop or two; three and more are another sender (SCIENCE: T1). */
enum { TTL_APART = 3, ALERT_HIDDEN = 255 };
#define AT_ONCE     (NSEC_S / 10) /* no client waits so short for an answer */
#define EARLY_SHARE 0.6           /* of the shortest round trip */

bool is_change_of_mind(const struct observation *o)
{
    nsec_t took = o->time - o->flow.first;

    if (!o->flow.from_client)
        return false;
    return (o->flow.cause == CAUSE_RESET && took < NSEC_S) ||
           (o->flow.cause == CAUSE_NO_ANSWER && took < AT_ONCE);
}

void origin_begin(struct blame *b, const struct observation *o, bool own_rule)
{
    const struct flow_observation *f = &o->flow;

    memset(b, 0, sizeof *b);
    b->cause = own_rule ? CAUSE_OWN_RULE : f->cause;
    b->origin = own_rule ? ORIGIN_GATEWAY : f->origin;
    b->signs = f->signs;
    b->ttl_flow = f->ttl_server;
    if (f->cause == CAUSE_RESET && !f->from_client)
        b->ttl_fault = f->ttl_fault;
    if (f->cause == CAUSE_ICMP && addr_equal(&f->icmp_source, &o->server))
        b->ttl_fault = f->ttl_fault; /* a router's says nothing of the server */
    b->from_client = f->from_client;
    b->alert = f->alert;
    b->icmp_type = f->icmp_type;
    b->icmp_code = f->icmp_code;
    b->icmp_source = f->icmp_source;
    b->gap_us = f->gap_us;
    b->flow_id = o->flow_id;
}

static bool is_apart(uint8_t a, uint8_t b)
{
    return a && b && abs((int)a - (int)b) >= TTL_APART;
}

/* Another TTL than the server's packets have, be it the reset's or that of a whole conversation
 * with somebody in its place. */
static void add_ttl_signs(struct blame *b, const struct origin_known *known)
{
    uint8_t spoke = b->ttl_fault ? b->ttl_fault : b->ttl_flow;

    b->ttl_usual = known->ttl ? known->ttl : known->ttl_after;
    if (!b->ttl_usual && b->ttl_fault)
        b->ttl_usual = b->ttl_flow;
    if (is_apart(spoke, b->ttl_usual))
        b->signs |= RESET_TTL;
    if (known->ttl && known->ttl == known->ttl_after && is_apart(spoke, known->ttl))
        b->signs |= RESET_TTL_AGAIN;
    if (b->cause == CAUSE_RESET && b->gap_us && b->gap_us < EARLY_SHARE * known->rtt_us)
        b->signs |= RESET_EARLY;
}

bool origin_outweighs(const struct blame *b, const struct blame *other)
{
    if (b->certain != other->certain)
        return b->certain;
    if (b->cause != other->cause)
        return false;
    if (other->origin == ORIGIN_UNKNOWN)
        return b->origin != ORIGIN_UNKNOWN;
    return b->origin == ORIGIN_PATH && b->signs != other->signs &&
           (b->signs & other->signs) == other->signs;
}

bool origin_is_proven(const struct blame *b)
{
    return b->origin == ORIGIN_PATH && b->signs & (b->signs - 1);
}

/* The TTL, and a server that went on after its own reset, are hard to explain otherwise; the form,
 * the IP ID and the time alone have innocent reasons. */
static enum origin origin_by_signs(const struct blame *b)
{
    uint8_t spoke = b->ttl_fault ? b->ttl_fault : b->ttl_flow;
    bool same_flow = b->ttl_fault && b->ttl_flow == b->ttl_usual;

    if (b->signs & (b->signs - 1) || b->signs & (RESET_TTL | RESET_SEQUENCE))
        return ORIGIN_PATH;
    if (b->signs || !spoke || !b->ttl_usual)
        return ORIGIN_UNKNOWN;
    return spoke == b->ttl_usual || same_flow ? ORIGIN_SERVER : ORIGIN_UNKNOWN;
}

static enum origin judge(const struct blame *b)
{
    enum origin by_signs = origin_by_signs(b);

    switch (b->cause) {
    case CAUSE_OWN_RULE:
        return ORIGIN_GATEWAY;
    case CAUSE_ICMP:
        if (b->origin != ORIGIN_SERVER && b->origin != ORIGIN_UNKNOWN)
            return b->origin;
        return by_signs == ORIGIN_PATH || !b->origin ? by_signs : ORIGIN_SERVER;
    case CAUSE_TIMEOUT:
        return ORIGIN_UNKNOWN; /* silence has no sender */
    case CAUSE_NO_ANSWER:      /* nor has the silence after a handshake, but that had one */
        return by_signs == ORIGIN_PATH || !b->from_client ? by_signs : ORIGIN_UNKNOWN;
    case CAUSE_CERTIFICATE:
        return by_signs == ORIGIN_PATH ? by_signs : ORIGIN_CLIENT;
    default:
        return b->from_client && by_signs != ORIGIN_PATH ? ORIGIN_CLIENT : by_signs;
    }
}

bool origin_judge(struct blame *b, const struct origin_known *known)
{
    uint8_t before = b->origin;

    if (b->cause == CAUSE_NONE)
        return false;
    add_ttl_signs(b, known);
    b->origin = (uint8_t)judge(b);
    return b->origin != before;
}

const char *alert_name(uint8_t alert)
{
    static const struct {
        uint8_t number;
        const char *name;
    } names[] = {{10, "unexpected_message"},
                 {20, "bad_record_mac"},
                 {22, "record_overflow"},
                 {40, "handshake_failure"},
                 {42, "bad_certificate"},
                 {43, "unsupported_certificate"},
                 {44, "certificate_revoked"},
                 {45, "certificate_expired"},
                 {46, "certificate_unknown"},
                 {47, "illegal_parameter"},
                 {48, "unknown_ca"},
                 {49, "access_denied"},
                 {50, "decode_error"},
                 {51, "decrypt_error"},
                 {70, "protocol_version"},
                 {71, "insufficient_security"},
                 {80, "internal_error"},
                 {86, "inappropriate_fallback"},
                 {90, "user_canceled"},
                 {109, "missing_extension"},
                 {110, "unsupported_extension"},
                 {112, "unrecognized_name"},
                 {113, "bad_certificate_status_response"},
                 {115, "unknown_psk_identity"},
                 {116, "certificate_required"},
                 {120, "no_application_protocol"},
                 {121, "ech_required"},
                 {ALERT_HIDDEN, "encrypted"}};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == alert)
            return names[i].name;
    return "";
}

static void write_signs(const struct blame *b, struct evidence *e)
{
    static const char *const words[] = {"ttl",   "ip-id",     "sequence", "form",
                                        "early", "both-ways", "ttl-again"};
    char text[96] = "";
    size_t used = 0;

    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (b->signs & 1u << i)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                                     words[i]);
    if (used)
        evidence_string(e, "signs", text);
}

void origin_write(const struct blame *b, struct evidence *e)
{
    uint8_t spoke = b->ttl_fault ? b->ttl_fault : b->ttl_flow;
    char text[ADDR_TEXT];

    evidence_string(e, "origin", origin_name(b->origin));
    if (b->cause == CAUSE_OWN_RULE)
        evidence_string(e, "proof", b->certain ? "kernel-log" : "policy");
    write_signs(b, e);
    if (b->cause != CAUSE_TIMEOUT && spoke && b->ttl_usual) {
        evidence_integer(e, "ttl_seen", spoke);
        evidence_integer(e, "ttl_server", b->ttl_usual);
    }
    if (b->alert) {
        if (b->alert != ALERT_HIDDEN)
            evidence_integer(e, "alert", b->alert);
        evidence_string(e, "alert_name", alert_name(b->alert));
        evidence_string(e, "alert_from", b->from_client ? "client" : "server");
    }
    if (!addr_is_zero(&b->icmp_source)) {
        snprintf(text, sizeof text, "type %u code %u", b->icmp_type, b->icmp_code);
        evidence_string(e, "icmp", text);
        evidence_string(e, "icmp_source", addr_text(&b->icmp_source, text));
    }
}
