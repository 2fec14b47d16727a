#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"
#include "classify/classify.h"
#include "model/service.h"

#define HEADER(flags, qd, an, ns, ar) "\x12\x34" flags "\0" qd "\0" an "\0" ns "\0" ar
#define QUERY                         "\x01\x00"
#define RESPONSE                      "\x81\x80"
#define QNAME                         "\3wWw\7EXAMPLE\3nEt\0"
#define QUESTION                      QNAME "\0\1\0\1"

/* Both readers over a copy of exactly this length. */
static int both(const char *bytes, size_t length, struct dns_message *m)
{
    struct dns_message judged;
    uint8_t *exact = malloc(length + (length == 0));

    assert_non_null(exact);
    memcpy(exact, bytes, length);
    int walk = dns_walk(exact, length, m);
    int judge = dns_judge(exact, length, &judged);

    free(exact);
    assert_int_equal(walk == 0 && !m->unsound, judge == 0);
    if (judge == 0) {
        assert_int_equal(m->qname_length, judged.qname_length);
        assert_memory_equal(m->qname, judged.qname, m->qname_length);
        assert_int_equal(m->address_count, judged.address_count);
        assert_int_equal(m->edns, judged.edns);
        assert_int_equal(m->padded, judged.padded);
        assert_int_equal(m->udp_size, judged.udp_size);
        assert_int_equal(m->soa_count, judged.soa_count);
    }
    return walk;
}

#define BOTH(bytes, m) both(bytes, sizeof(bytes) - 1, m)

static void query(void **state)
{
    struct dns_message m;
    char name[DNS_NAME_TEXT];

    (void)state;
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0") QUESTION, &m), 0);
    assert_int_equal(m.id, 0x1234);
    assert_false(dns_is_response(&m));
    assert_true(dns_recursion_desired(&m));
    assert_true(m.has_question);
    assert_int_equal(m.qtype, DNS_TYPE_A);
    assert_int_equal(m.qclass, 1);
    assert_int_equal(m.length, 33);
    assert_int_equal(m.qname_length, 17);
    assert_true(text_name(m.qname, m.qname_length, name, sizeof(name)) > 0);
    assert_string_equal(name, "www.example.net");
    assert_false(m.edns);
}

static void response_with_addresses(void **state)
{
    static const char bytes[] = HEADER(RESPONSE, "\1", "\3", "\0", "\1") QUESTION
        "\xc0\x0c\0\5\0\1\0\0\0\1\0\4\1a\xc0\x10"   /* CNAME a.example.net */
        "\1A\xc0\x10\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1" /* A */
        "\xc0\x2d\0\x1c\0\1\0\0\0\1\0\x10\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" /* AAAA */
        "\0\0\x29\x04\xd0\0\0\x80\0\0\6\0\x0c\0\2\0\0"; /* OPT, DO, padding */
    struct dns_message m;
    char text[ADDR_TEXT];

    (void)state;
    assert_int_equal(BOTH(bytes, &m), 0);
    assert_true(dns_is_response(&m));
    assert_int_equal(m.address_count, 2);
    assert_string_equal(addr_text(&m.address[0], text), "192.0.2.1");
    assert_string_equal(addr_text(&m.address[1], text), "2001:db8::1");
    assert_true(m.edns && m.dnssec_ok && m.padded);
    assert_int_equal(m.udp_size, 1232);
    for (size_t n = 0; n < sizeof(bytes) - 1; n++)
        assert_int_not_equal(both(bytes, n, &m), 0);
    assert_int_equal(both(bytes, 20, &m), SD_ETRUNC);
    assert_int_equal(m.id, 0x1234); /* the header is there for whoever counts a cut message */
}

#define RECORD_1 "\xc0\x0c\0\1\0\1\0\0\0\1\0\4\xc0\0\2\1"
#define RECORD_2 "\xc0\x0c\0\1\0\1\0\0\0\2\0\4\xc0\0\2\2"
#define NS       "\0\2\0\1\0\0\0\1\0\5\2ns\xc0\x0c"

static uint32_t digest_of(const char *bytes, size_t length)
{
    struct dns_message m;

    assert_int_equal(both(bytes, length, &m), 0);
    return m.digest;
}

#define DIGEST(records)                                                                            \
    digest_of(HEADER(RESPONSE, "\1", "\2", "\0", "\0") QUESTION records,                           \
              sizeof(HEADER(RESPONSE, "\1", "\2", "\0", "\0") QUESTION records) - 1)

static void digest_whatever_the_order(void **state)
{
    (void)state;
    assert_int_equal(DIGEST(RECORD_1 RECORD_2), DIGEST(RECORD_2 RECORD_1));
    assert_int_not_equal(DIGEST(RECORD_1 RECORD_2), DIGEST(RECORD_1 RECORD_1));
    assert_int_not_equal(DIGEST(RECORD_1 RECORD_2), 0);
}

static void servers_of_a_zone_that_was_not_asked_about(void **state)
{
    struct dns_message m;

    (void)state;
    /* of example.net, of the root, of www.example.net itself: written out, or by a pointer */
    assert_int_equal(BOTH(HEADER(RESPONSE, "\1", "\0", "\3", "\0") QUESTION "\xc0\x10" NS "\0" NS
                                                                            "\xc0\x0c" NS,
                          &m),
                     0);
    assert_false(m.foreign);
    assert_int_equal(
        BOTH(HEADER(RESPONSE, "\1", "\0", "\1", "\0") QUESTION "\7Example\3net\0" NS, &m), 0);
    assert_false(m.foreign);
    assert_int_equal(
        BOTH(HEADER(RESPONSE, "\1", "\0", "\1", "\0") QUESTION "\7victims\3net\0" NS, &m), 0);
    assert_true(m.foreign);
    assert_int_equal(BOTH(HEADER(RESPONSE, "\1", "\0", "\1", "\0") QUESTION "\1x\xc0\x0c" NS, &m),
                     0);
    assert_true(m.foreign);
    /* an alias leads elsewhere, and the servers there are told of */
    assert_int_equal(BOTH(HEADER(RESPONSE, "\1", "\1", "\1", "\0") QUESTION
                          "\xc0\x0c\0\5\0\1\0\0\0\1\0\6\1a\2io\0"
                          "\2io\0" NS,
                          &m),
                     0);
    assert_false(m.foreign);
}

static void bytes_behind_the_sections(void **state)
{
    struct dns_message m;

    (void)state;
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0") QUESTION "junk", &m), 0);
    assert_int_equal(m.length, 37);
}

static void no_question_and_two(void **state)
{
    struct dns_message m;

    (void)state;
    assert_int_equal(BOTH(HEADER("\x10\x00", "\0", "\0", "\0", "\0"), &m), 0);
    assert_false(m.has_question);
    assert_int_equal(m.qname_length, 0);
    assert_int_equal(dns_opcode(&m), 2);
    assert_int_equal(BOTH(HEADER(QUERY, "\2", "\0", "\0", "\0") QUESTION "\xc0\x0c\0\x1c\0\1", &m),
                     0);
    assert_int_equal(m.qtype, DNS_TYPE_A); /* of the first */
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0") "\0\0\2\0\1", &m), 0);
    assert_int_equal(m.qname_length, 1);
}

static void malformed(void **state)
{
    struct dns_message m;

    (void)state;
    assert_int_equal(BOTH("\x12\x34", &m), SD_ETRUNC);
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0"), &m), SD_ETRUNC);
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0") "\100abc\0\0\1\0\1", &m), SD_EMALF);
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0") "\x80\0\0\1\0\1", &m), SD_EMALF);
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0") "\xc0\xff\0\1\0\1", &m), SD_EMALF);
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\1", "\0", "\0") QUESTION, &m), SD_ETRUNC);
    assert_int_equal(BOTH(HEADER(QUERY, "\0", "\1", "\0", "\0") "\0\0\5\0\1\0\0\0\0\0\2\7a", &m),
                     SD_EMALF); /* a CNAME that leaves its data */
    assert_int_equal(BOTH(HEADER(QUERY, "\0", "\1", "\0", "\0") "\0\0\1\0\1\0\0\0\0\0\3abc", &m),
                     SD_EMALF);
    assert_int_equal(
        BOTH(HEADER(QUERY, "\0", "\0", "\0", "\1") "\0\0\x29\4\xd0\0\0\0\0\0\5\0\x0c\0\2\0", &m),
        SD_EMALF); /* an EDNS option longer than the record */
    assert_int_equal(BOTH(HEADER(RESPONSE, "\0", "\1", "\0",
                                 "\0") "\0\0\x41\0\1\0\0\0\0\0\x0a\0\1\0\0\1\0\3\5h2",
                          &m),
                     SD_EMALF); /* an HTTPS record whose ALPN is longer than its parameter */
}

static void counted_though_refused(void **state)
{
    struct dns_message m;
    char bytes[400] = HEADER(QUERY, "\1", "\0", "\0", "\0");
    size_t n = 12;

    (void)state;
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0") "\xc0\x0c\0\1\0\1", &m), 0);
    assert_true(m.unsound);
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0") "\1a\xc0\x0c\0\1\0\1", &m), 0);
    assert_true(m.unsound); /* a loop that grows to 255 octets */
    assert_int_equal(m.qname[m.qname_length - 1], 0);
    assert_int_equal(BOTH(HEADER("\x08\x00", "\0", "\1", "\0", "\0") "\0\0\1\0\1\0\0\0\0\0\0", &m),
                     0);
    assert_true(m.unsound); /* an inverse query without its address */
    for (int i = 0; i < 5; i++, n += 61) {
        bytes[n] = 60;
        memset(bytes + n + 1, 'A', 60);
    }
    memcpy(bytes + n, "\0\0\1\0\1", 5);
    assert_int_equal(both(bytes, n + 5, &m), 0);
    assert_true(m.unsound && m.has_question);
    assert_int_equal(m.qname_length, 4 * 61 + 1);
    assert_int_equal(m.qname[0], 60);
    assert_int_equal(m.qname[1], 'a');
    assert_int_equal(m.qname[m.qname_length - 1], 0);
}

/* Every record's owner points into one chain of pointers: the work is bounded by the message. */
static void chain_of_pointers(void **state)
{
    size_t chain = 8000, n = 12, length = 60000;
    uint8_t *b = calloc(1, length);
    struct dns_message m;
    unsigned records = 0;

    (void)state;
    assert_non_null(b);
    memcpy(b, HEADER(RESPONSE, "\0", "\0", "\0", "\0"), 12);
    memcpy(b + n, "\0\0\x10\0\1\0\0\0\0", 9); /* a TXT that holds the chain */
    b[n + 9] = (uint8_t)(chain >> 8);
    b[n + 10] = (uint8_t)chain;
    n += 11;
    for (size_t at = n; at + 3 < n + chain; at += 2) {
        size_t target = at == n ? 12 : at - 2;

        b[at] = (uint8_t)(0xc0 | target >> 8);
        b[at + 1] = (uint8_t)target;
    }
    size_t last = n + chain - 6 - (chain & 1);

    for (n += chain, records = 1; n + 12 < length && records < 4000; n += 12, records++) {
        b[n] = (uint8_t)(0xc0 | last >> 8);
        b[n + 1] = (uint8_t)last;
        b[n + 3] = 10; /* NULL */
        b[n + 5] = 1;
    }
    b[6] = (uint8_t)(records >> 8);
    b[7] = (uint8_t)records;
    assert_int_equal(dns_walk(b, n, &m), SD_ELIMIT);
    free(b);
}

#define DDR_NAME                       "\4_dns\10resolver\4arpa\0"
#define DDR                            DDR_NAME "\0\100\0\1"
#define SVCB(rdlength, target, params) "\xc0\14\0\100\0\1\0\0\1\54\0" rdlength "\0\1" target params

static void services_of_a_designation(void **state)
{
    struct dns_message m;
    struct dns_service one;
    size_t at = 0;

    (void)state;
    assert_int_equal(
        BOTH(HEADER(RESPONSE, "\1", "\2", "\0", "\0")
                 DDR SVCB("\42", "\3Dns\4cOrp\0", "\0\1\0\4\3dot\0\3\0\2\3\x55\0\4\0\4\12\0\0\65")
                     SVCB("\27", "\5other\3net\0", "\0\1\0\6\2h2\2h3"),
             &m),
        0);
    assert_int_equal(m.services, 2);
    assert_true(service_next(&m, &at, &one));
    assert_int_equal(one.target_length, 10);
    assert_memory_equal(one.target, "\3dns\4corp\0", 10);
    assert_int_equal(one.svcb.transports, 1u << TRANSPORT_DOT);
    assert_int_equal(one.svcb.port, 853);
    assert_int_equal(one.svcb.hint_count, 1);
    assert_int_equal(one.svcb.hint[0].b[15], 0x35);
    assert_true(service_next(&m, &at, &one));
    assert_int_equal(one.svcb.transports, 1u << TRANSPORT_DOH2 | 1u << TRANSPORT_DOH3);
    assert_false(service_next(&m, &at, &one));
    assert_memory_equal(m.qname, DDR_NAME, sizeof DDR_NAME - 1);
    /* Another type's records, and a question without an answer, hold none. */
    assert_int_equal(BOTH(HEADER(QUERY, "\1", "\0", "\0", "\0") DDR, &m), 0);
    assert_int_equal(m.services, 0);
}

static void services_without_room_are_left_out(void **state)
{
    char bytes[4096];
    size_t n = sizeof(HEADER(RESPONSE, "\1", "\x40", "\0", "\0") DDR) - 1;
    struct dns_message m;
    struct dns_service one;
    size_t at = 0, count = 0;

    (void)state;
    memcpy(bytes, HEADER(RESPONSE, "\1", "\x40", "\0", "\0") DDR, n);
    for (int i = 0; i < 64; i++) {
        static const char record[] = SVCB("\24", "\5other\3net\0", "\0\1\0\3\2h2");

        memcpy(bytes + n, record, sizeof record - 1);
        n += sizeof record - 1;
    }
    assert_int_equal(both(bytes, n, &m), 0);
    assert_true(m.services_cut);
    while (service_next(&m, &at, &one))
        count++;
    assert_int_equal(count, m.services);
    assert_in_range(count, 5, 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query),
        cmocka_unit_test(response_with_addresses),
        cmocka_unit_test(digest_whatever_the_order),
        cmocka_unit_test(servers_of_a_zone_that_was_not_asked_about),
        cmocka_unit_test(bytes_behind_the_sections),
        cmocka_unit_test(no_question_and_two),
        cmocka_unit_test(malformed),
        cmocka_unit_test(counted_though_refused),
        cmocka_unit_test(chain_of_pointers),
        cmocka_unit_test(services_of_a_designation),
        cmocka_unit_test(services_without_room_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
