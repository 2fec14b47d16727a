/* A line of the query log as EVE's event of type dns, version 3 of it: as Suricata writes it, with
 * its sender's own part beside it. The client is the source of responses as well. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "output/dns_words.h"
#include "output/output.h"

#define LINE 8192 /* more than a name of 1,020 octets, each escaped, and all the rest */

static void put_address(struct json_writer *w, const char *key, const struct addr *a)
{
    char text[ADDR_TEXT];

    json_string_member(w, key, addr_text(a, text));
}

static void put_number(struct json_writer *w, const char *key, uint64_t number)
{
    if (number)
        json_integer_member(w, key, (int64_t)number);
}

static void put_ends(struct json_writer *w, const struct query *q)
{
    put_number(w, "flow_id", q->flow_id);
    put_address(w, "src_ip", &q->client);
    put_number(w, "src_port", q->client_port);
    put_address(w, "dest_ip", &q->server);
    put_number(w, "dest_port", q->server_port);
    json_string_member(w, "proto", q->proto == 6 ? "TCP" : "UDP");
    if (q->vlan) {
        json_open(w, "vlan", '[');
        json_integer_member(w, NULL, q->vlan);
        json_close(w, ']');
    }
}

static void put_flags(struct json_writer *w, const struct query *q)
{
    static const struct {
        const char *key;
        uint16_t bit;
    } flags[] = {{"qr", 0x8000}, {"aa", 0x0400}, {"tc", 0x0200}, {"rd", 0x0100}, {"ra", 0x0080}};
    char text[8];

    json_integer_member(w, "id", q->id);
    snprintf(text, sizeof text, "%x", q->flags);
    json_string_member(w, "flags", text);
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (q->flags & flags[i].bit)
            json_raw_member(w, flags[i].key, "true");
    json_integer_member(w, "opcode", q->flags >> 11 & 15);
}

static void put_question(struct json_writer *w, const struct query *q)
{
    char name[DNS_NAME_TEXT], type[DNS_WORD];

    json_open(w, "queries", '[');
    if (q->qname_length && text_name(q->qname, q->qname_length, name, sizeof name) >= 0) {
        json_open(w, NULL, '{');
        json_string_member(w, "rrname", name);
        json_string_member(w, "rrtype", dns_type_word(q->qtype, type));
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_family(struct json_writer *w, const struct query *q, const char *type, bool v4)
{
    bool any = false;

    for (size_t i = 0; i < q->address_count; i++) {
        if (addr_is_v4(&q->address[i]) != v4)
            continue;
        if (!any)
            json_open(w, type, '[');
        any = true;
        put_address(w, NULL, &q->address[i]);
    }
    if (any)
        json_close(w, ']');
}

static void put_dns(struct json_writer *w, const struct query *q)
{
    char rcode[DNS_WORD];

    json_open(w, "dns", '{');
    json_integer_member(w, "version", 3);
    json_string_member(w, "type", q->response ? "response" : "request");
    if (!q->sum)
        put_flags(w, q);
    if (q->response && !q->sealed)
        json_string_member(w, "rcode", dns_rcode_word(q->rcode, rcode));
    put_question(w, q);
    if (q->address_count) {
        json_open(w, "grouped", '{');
        put_family(w, q, "A", true);
        put_family(w, q, "AAAA", false);
        json_close(w, '}');
    }
    json_close(w, '}');
}

static void put_own(struct json_writer *w, const struct record *r)
{
    const struct query *q = &r->query;
    char id[17], time[TIME_TEXT];

    snprintf(id, sizeof id, "%016" PRIx64, q->number);
    json_open(w, "sealdns", '{');
    json_string_member(w, "kind", "query");
    json_string_member(w, "id", id);
    json_integer_member(w, "revision", 1);
    put_address(w, "client", &q->client);
    put_address(w, "server", &q->server);
    if (r->zone[0])
        json_string_member(w, "zone", r->zone);
    if (r->resolver[0])
        json_string_member(w, "resolver", r->resolver);
    json_string_member(w, "transport", transport_name(q->transport));
    json_integer_member(w, "count", (int64_t)q->count);
    put_number(w, "sample", q->sample);
    put_number(w, "latency_us", q->latency_us);
    if (q->sealed)
        json_raw_member(w, "sealed", "true");
    json_string_member(w, "first", time_text(q->first, time));
    json_string_member(w, "last", time_text(q->last, time));
    json_close(w, '}');
}

char *eve_render_query(const struct record *r, const struct policy *policy)
{
    const struct query *q = &r->query;
    char line[LINE], time[TIME_TEXT];
    struct json_writer w = json_writer_over(line, sizeof line);

    json_open(&w, NULL, '{');
    json_string_member(&w, "timestamp", time_text_eve(q->last, time));
    if (q->iface < policy->interface_count)
        json_string_member(&w, "in_iface", policy->interfaces[q->iface]);
    json_string_member(&w, "event_type", "dns");
    put_ends(&w, q);
    if (policy->name[0])
        json_string_member(&w, "host", policy->name);
    put_dns(&w, q);
    put_own(&w, r);
    json_close(&w, '}');
    assert(!w.full);
    return strdup(line);
}
