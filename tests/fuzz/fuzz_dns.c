/* dns_walk() and libknot agree on every input: on the verdict, and on every field when it parses.
 */
#include <libknot/libknot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "classify/classify.h"
#include "model/service.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void differ(const char *what)
{
    fprintf(stderr, "dns_walk and libknot differ: %s\n", what);
    abort();
}

static void compare(const struct dns_message *a, const struct dns_message *b)
{
    if (a->id != b->id || a->flags != b->flags || a->rcode != b->rcode || a->length != b->length)
        differ("header");
    if (memcmp(a->counts, b->counts, sizeof(a->counts)) != 0)
        differ("counts");
    if (a->has_question != b->has_question || a->qtype != b->qtype || a->qclass != b->qclass)
        differ("question");
    if (a->qname_length != b->qname_length || memcmp(a->qname, b->qname, a->qname_length) != 0)
        differ("name of the question");
    if (a->edns != b->edns || a->udp_size != b->udp_size || a->dnssec_ok != b->dnssec_ok ||
        a->padded != b->padded)
        differ("EDNS");
    if (a->address_count != b->address_count ||
        memcmp(a->address, b->address, a->address_count * sizeof(a->address[0])) != 0)
        differ("addresses");
    if (a->soa_count != b->soa_count)
        differ("SOA records");
}

/* What stands behind the question's name stays in its room. */
static void check_services(const struct dns_message *m)
{
    struct dns_service one;
    size_t at = 0, count = 0;

    while (service_next(m, &at, &one)) {
        count++;
        if (one.target < m->qname + m->qname_length ||
            one.target + one.target_length > m->qname + sizeof m->qname ||
            one.svcb.hint_count > SVCB_HINTS)
            differ("a service lies outside");
    }
    if (count != m->services)
        differ("services");
}

/* Whatever libknot takes as a whole packet is a message for us. */
static bool knot_takes(const uint8_t *bytes, size_t length)
{
    knot_pkt_t *packet = knot_pkt_new((uint8_t *)bytes, (uint16_t)length, NULL);
    bool taken = packet && knot_pkt_parse(packet, 0) == KNOT_EOK;

    knot_pkt_free(packet);
    return taken;
}

/* SVCB and HTTPS (64, 65): their parameters are ours to check, libknot takes what comes. */
static bool may_hold_svcb(const uint8_t *bytes, size_t length)
{
    for (size_t i = 12; i + 1 < length; i++)
        if (bytes[i] == 0 && (bytes[i + 1] == 64 || bytes[i + 1] == 65))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct dns_message walked, judged;
    int walk, judge;

    if (length > UINT16_MAX)
        return 0;
    walk = dns_walk(bytes, length, &walked);
    if (walk == SD_ELIMIT) /* the walk's bound on work is its own */
        return 0;
    judge = dns_judge(bytes, length, &judged);
    if ((walk == 0 && !walked.unsound) != (judge == 0))
        differ(walk == 0 ? "only the walk takes it" : "only libknot takes it");
    if (judge == 0)
        compare(&walked, &judged);
    if (walk == 0)
        check_services(&walked);
    if ((walk != 0 || walked.unsound) && length >= 12 && !may_hold_svcb(bytes, length)) {
        uint8_t *copy = malloc(length); /* libknot strips a TSIG in place */

        if (copy) {
            memcpy(copy, bytes, length);
            if (knot_takes(copy, length))
                differ("knot_pkt_parse takes it");
        }
        free(copy);
    }
    return 0;
}
