/* Lines of the query log in every format, held against what the schemas require, and what strangers
 * put into names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "output/member.h"
#include "output/output.h"

static char interfaces[1][16] = {"lan0"};
static const struct policy policy = {
    .name = "gw-1", .interfaces = interfaces, .interface_count = 1};

static struct record query(const char *wire, size_t size, bool response)
{
    struct record r = {.kind = RECORD_QUERY, .zone = "office", .resolver = "quad9"};
    struct query *q = &r.query;

    *q = (struct query){.number = 0x0123456789abcdef,
                        .flow_id = 77,
                        .count = 1,
                        .first = INT64_C(1795602578357) * NSEC_MS,
                        .last = INT64_C(1795602578357) * NSEC_MS,
                        .client_port = 40000,
                        .server_port = 53,
                        .transport = TRANSPORT_DO53_UDP,
                        .proto = 17,
                        .id = 4711,
                        .flags = response ? 0x8183 : 0x0100,
                        .response = response,
                        .rcode = response ? 3 : 0,
                        .qtype = 28,
                        .qclass = 1,
                        .qname_length = (uint8_t)size};
    memcpy(q->qname, wire, size);
    assert_int_equal(addr_parse("10.20.0.1", &q->client), SD_OK);
    assert_int_equal(addr_parse("9.9.9.9", &q->server), SD_OK);
    if (response) {
        q->latency_us = 1500;
        q->address_count = 2;
        assert_int_equal(addr_parse("192.0.2.1", &q->address[0]), SD_OK);
        assert_int_equal(addr_parse("2001:db8::1", &q->address[1]), SD_OK);
    }
    return r;
}

static const char name[] = "\3www\7example\3org";

static char *in_format(const struct record *r, const char *format)
{
    char *eve_line = eve_render_query(r, &policy), *line;
    json_t *eve = json_loads(eve_line, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(eve);
    line = output_format_named(format)->render(eve);
    assert_non_null(line);
    json_decref(eve);
    free(eve_line);
    return line;
}

static json_t *as_json(const struct record *r, const char *format)
{
    char *line = in_format(r, format);
    json_t *document = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

    assert_non_null(document);
    free(line);
    return document;
}

static void assert_text(const json_t *document, const char *path, const char *value)
{
    const char *is = member_text(document, path);

    if (!is || strcmp(is, value) != 0)
        fail_msg("%s is %s, not %s", path, is ? is : "not there", value);
}

static void assert_number(const json_t *document, const char *path, json_int_t value)
{
    if (!json_is_integer(member(document, path)) || member_integer(document, path) != value)
        fail_msg("%s is %lld, not %lld", path, (long long)member_integer(document, path),
                 (long long)value);
}

/* As Suricata writes version 3: type, id, flags, rcode, queries, grouped. */
static void eve_is_as_suricata_writes_it(void **state)
{
    struct record r = query(name, sizeof name, false);
    json_t *d = as_json(&r, "eve");

    (void)state;
    assert_text(d, "event_type", "dns");
    assert_text(d, "src_ip", "10.20.0.1");
    assert_number(d, "dest_port", 53);
    assert_number(d, "dns.version", 3);
    assert_text(d, "dns.type", "request");
    assert_text(d, "dns.flags", "100");
    assert_true(json_is_true(member(d, "dns.rd")));
    assert_null(member(d, "dns.rcode"));
    assert_text(d, "dns.queries.0.rrname", "www.example.org");
    assert_text(d, "dns.queries.0.rrtype", "AAAA");
    json_decref(d);
    r = query(name, sizeof name, true);
    d = as_json(&r, "eve");
    assert_text(d, "dns.type", "response");
    assert_text(d, "src_ip", "10.20.0.1"); /* of the flow */
    assert_text(d, "dns.rcode", "NXDOMAIN");
    assert_text(d, "dns.grouped.A.0", "192.0.2.1");
    assert_text(d, "dns.grouped.AAAA.0", "2001:db8::1");
    assert_text(d, "sealdns.id", "0123456789abcdef");
    json_decref(d);
}

static void ecs_has_its_fields(void **state)
{
    struct record r = query(name, sizeof name, true);
    json_t *d = as_json(&r, "ecs");

    (void)state;
    assert_text(d, "ecs.version", "8.11.0");
    assert_text(d, "@timestamp", "2026-11-25T10:29:38.357000Z");
    assert_text(d, "event.kind", "event");
    assert_text(d, "event.category.0", "network");
    assert_text(d, "event.type.1", "protocol");
    assert_text(d, "event.outcome", "failure");
    assert_number(d, "event.duration", 1500000);
    assert_text(d, "dns.type", "answer");
    assert_text(d, "dns.id", "4711");
    assert_text(d, "dns.response_code", "NXDOMAIN");
    assert_text(d, "dns.question.name", "www.example.org");
    assert_text(d, "dns.question.class", "IN");
    assert_text(d, "dns.resolved_ip.1", "2001:db8::1");
    assert_text(d, "dns.header_flags.0", "RD");
    assert_text(d, "source.ip", "10.20.0.1");
    assert_text(d, "network.protocol", "dns");
    assert_null(member(d, "rule"));
    json_decref(d);
}

/* OCSF 1.3: what DNS Activity, metadata, dns_query, dns_answer and network_connection_info
 * require. */
static void ocsf_is_dns_activity(void **state)
{
    struct record r = query(name, sizeof name, false);
    json_t *d = as_json(&r, "ocsf");

    (void)state;
    assert_number(d, "category_uid", 4);
    assert_number(d, "class_uid", 4003);
    assert_number(d, "activity_id", 1);
    assert_number(d, "type_uid", 400301);
    assert_number(d, "severity_id", 1);
    assert_number(d, "time", INT64_C(1795602578357));
    assert_text(d, "metadata.version", "1.3.0");
    assert_text(d, "metadata.product.vendor_name", "sealdns");
    assert_null(member(d, "metadata.profiles")); /* it would ask for action_id */
    assert_text(d, "src_endpoint.ip", "10.20.0.1");
    assert_text(d, "dst_endpoint.ip", "9.9.9.9");
    assert_number(d, "connection_info.direction_id", 2);
    assert_text(d, "query.hostname", "www.example.org");
    json_decref(d);
    r = query(name, sizeof name, true);
    d = as_json(&r, "ocsf");
    assert_number(d, "type_uid", 400302);
    assert_number(d, "rcode_id", 3);
    assert_text(d, "rcode", "NXDOMAIN");
    assert_text(d, "answers.1.rdata", "2001:db8::1");
    json_decref(d);
}

static void a_row_has_the_columns_of_its_table(void **state)
{
    struct record r = query(name, sizeof name, true);
    json_t *d = as_json(&r, "row");

    (void)state;
    assert_number(d, "time", 1795602578);
    assert_text(d, "type", "response");
    assert_text(d, "query", "www.example.org");
    assert_text(d, "rcode", "NXDOMAIN");
    assert_text(d, "answers.0", "192.0.2.1");
    assert_number(d, "count", 1);
    assert_text(d, "id", "0123456789abcdef");
    assert_null(member(d, "eve"));
    json_decref(d);
}

static void cef_and_text_say_it(void **state)
{
    struct record r = query(name, sizeof name, true);
    char *cef = in_format(&r, "cef"), *text = in_format(&r, "text");

    (void)state;
    assert_memory_equal(cef, "CEF:0|sealdns|sealdns|", 22);
    assert_non_null(strstr(cef, "|dns|DNS response|0|rt=1795602578357 "));
    assert_non_null(strstr(cef, "src=10.20.0.1 "));
    assert_non_null(strstr(cef, "cs3Label=query cs3=www.example.org "));
    assert_non_null(strstr(cef, "outcome=NXDOMAIN "));
    assert_non_null(strstr(text, "9.9.9.9 answered 10.20.0.1 NXDOMAIN over do53-udp, AAAA of "
                                 "www.example.org"));
    free(cef);
    free(text);
}

/* A sum of what is encrypted has no question and no client port. */
static void what_is_sealed_is_a_number(void **state)
{
    struct record r = query(name, 0, true);
    json_t *d;

    (void)state;
    r.query.sum = r.query.sealed = true;
    r.query.client_port = r.query.address_count = 0;
    r.query.transport = TRANSPORT_DOT;
    r.query.proto = 6;
    r.query.count = 12;
    d = as_json(&r, "eve");
    assert_int_equal(json_array_size(member(d, "dns.queries")), 0);
    assert_null(member(d, "dns.rcode"));
    assert_null(member(d, "dns.id"));
    assert_number(d, "sealdns.count", 12);
    json_decref(d);
    d = as_json(&r, "ocsf");
    assert_number(d, "type_uid", 400306);
    assert_null(member(d, "query"));
    json_decref(d);
    for (size_t i = 0; output_formats[i]; i++)
        free(in_format(&r, output_formats[i]->name));
}

/* The longest name, of octets that are all escaped. */
static size_t hostile_name(uint8_t wire[DNS_NAME_WIRE], const char *octets)
{
    size_t at = 0, left = 254, n = strlen(octets);

    while (left > 1) {
        size_t label = left - 1 > 63 ? 63 : left - 1;

        wire[at++] = (uint8_t)label;
        for (size_t i = 0; i < label; i++, at++)
            wire[at] = (uint8_t)octets[at % n];
        left -= label + 1;
    }
    wire[at++] = 0;
    return at;
}

static void hostile_names_stay_one_line_of_printable_ascii(void **state)
{
    static const char *const octets[] = {"\n\r\t\x1b[2J\x7f", "\"\\'{}<>|=&", "\xff\xc3\x28\x80"};
    uint8_t wire[DNS_NAME_WIRE];

    (void)state;
    for (size_t n = 0; n < sizeof octets / sizeof *octets; n++) {
        size_t size = hostile_name(wire, octets[n]);
        struct record r = query((const char *)wire, size, true);

        assert_int_equal(size, DNS_NAME_WIRE);
        for (size_t i = 0; output_formats[i]; i++) {
            char *line = in_format(&r, output_formats[i]->name);

            for (const char *c = line; *c; c++)
                assert_true(*c >= 0x20 && *c < 0x7f);
            if (strcmp(output_formats[i]->name, "cef") != 0 &&
                strcmp(output_formats[i]->name, "text") != 0) {
                json_t *d = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

                assert_non_null(d);
                json_decref(d);
            }
            free(line);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eve_is_as_suricata_writes_it),
        cmocka_unit_test(ecs_has_its_fields),
        cmocka_unit_test(ocsf_is_dns_activity),
        cmocka_unit_test(a_row_has_the_columns_of_its_table),
        cmocka_unit_test(cef_and_text_say_it),
        cmocka_unit_test(what_is_sealed_is_a_number),
        cmocka_unit_test(hostile_names_stay_one_line_of_printable_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
