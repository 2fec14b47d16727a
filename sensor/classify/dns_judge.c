/* The referee of dns_walk(): the same verdict, every name and record read by libknot. Its parser of
 * whole packets (knot_pkt_parse) is a server's: it also refuses what a server may not answer but
 * what is a DNS message all the same and counts as one (see classify.h); so it is asked name by
 * name and record by record, and tests hold that whatever knot_pkt_parse takes is taken here. */
#include <libknot/libknot.h>
#include <stdlib.h>

#include "base/error.h"
#include "classify/classify.h"
#include "classify/dns_rdata.h"

enum { PADDING = 12 };

struct bench {
    uint8_t *wire;
    size_t length, at;
};

static int judge_question(struct bench *b, struct dns_message *out, bool first)
{
    knot_dname_storage_t name;
    int octets = knot_dname_wire_check(b->wire + b->at, b->wire + b->length, b->wire);

    if (octets <= 0 || b->length - b->at < (size_t)octets + 4)
        return SD_EMALF;
    if (first) {
        int plain = knot_dname_unpack(name, b->wire + b->at, sizeof(name), b->wire);

        if (plain <= 0)
            return SD_EMALF;
        knot_dname_to_lower(name);
        memcpy(out->qname, name, (size_t)plain);
        out->qname_length = (uint8_t)plain;
        out->qtype = knot_wire_read_u16(b->wire + b->at + octets);
        out->qclass = knot_wire_read_u16(b->wire + b->at + octets + 2);
        out->has_question = true;
    }
    b->at += (size_t)octets + 4;
    return 0;
}

static int judge_edns(knot_rrset_t *rr, struct dns_message *out)
{
    knot_edns_options_t *options = NULL;

    out->edns = true;
    out->udp_size = knot_edns_get_payload(rr);
    out->dnssec_ok = knot_edns_do(rr);
    if (knot_edns_get_options(rr, &options, NULL) != KNOT_EOK)
        return SD_EMALF;
    free(options);
    out->padded |= knot_edns_get_option(rr, PADDING, NULL) != NULL;
    return 0;
}

static void judge_address(const knot_rrset_t *rr, struct dns_message *out)
{
    const knot_rdata_t *rdata = rr->rrs.rdata;

    if (rr->rclass != KNOT_CLASS_IN || out->address_count == DNS_ADDRESSES)
        return;
    if (rr->type == KNOT_RRTYPE_A && rdata->len == 4)
        out->address[out->address_count++] = addr_v4(rdata->data);
    else if (rr->type == KNOT_RRTYPE_AAAA && rdata->len == 16)
        out->address[out->address_count++] = addr_v6(rdata->data);
}

static int judge_svcb(const knot_rrset_t *rr)
{
    const knot_rdata_t *rdata = rr->rrs.rdata;

    return rdata->len == 0 ? 0 : dns_svcb_check(cursor_over(rdata->data, rdata->len));
}

static int judge_record(struct bench *b, struct dns_message *out, knot_section_t section)
{
    knot_rrset_t rr;
    int error = 0;

    if (b->at >= b->length)
        return SD_ETRUNC;
    knot_rrset_init_empty(&rr);
    if (knot_rrset_rr_from_wire(b->wire, &b->at, b->length, &rr, NULL, false) != KNOT_EOK)
        return SD_EMALF; /* it has cleared what it had taken */
    if (section == KNOT_ANSWER) {
        judge_address(&rr, out);
        out->soa_count += rr.type == KNOT_RRTYPE_SOA && out->soa_count < UINT8_MAX;
    }
    if (section == KNOT_ADDITIONAL && rr.type == KNOT_RRTYPE_OPT)
        error = judge_edns(&rr, out);
    if (rr.type == KNOT_RRTYPE_SVCB || rr.type == KNOT_RRTYPE_HTTPS)
        error = judge_svcb(&rr);
    knot_rrset_clear(&rr, NULL);
    return error;
}

static int judge_sections(struct bench *b, struct dns_message *out)
{
    int error = 0;

    for (unsigned i = 0; !error && i < out->counts[0]; i++)
        error = judge_question(b, out, i == 0);
    for (knot_section_t s = KNOT_ANSWER; s <= KNOT_ADDITIONAL; s++)
        for (unsigned i = 0; !error && i < out->counts[s + 1]; i++)
            error = judge_record(b, out, s);
    return error;
}

int dns_judge(const uint8_t *bytes, size_t length, struct dns_message *out)
{
    memset(out, 0, sizeof(*out));
    out->length = (uint16_t)length;
    if (length > UINT16_MAX || length < KNOT_WIRE_HEADER_SIZE)
        return length > UINT16_MAX ? SD_EMALF : SD_ETRUNC;
    /* A copy of exactly this length, so that a sanitizer sees libknot read beyond it. */
    struct bench b = {.wire = malloc(length), .length = length, .at = KNOT_WIRE_HEADER_SIZE};

    if (!b.wire)
        return SD_EMEM;
    memcpy(b.wire, bytes, length);
    out->id = knot_wire_get_id(b.wire);
    out->flags = knot_wire_read_u16(b.wire + 2);
    out->rcode = knot_wire_get_rcode(b.wire);
    for (unsigned i = 0; i < 4; i++)
        out->counts[i] = knot_wire_read_u16(b.wire + 4 + 2 * i);
    int error = judge_sections(&b, out);

    free(b.wire);
    return error;
}
