#include "dns.h"

#include "names.h"
#include "wire.h"

#include <stdbool.h>
#include <string.h>

enum { TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_OPT = 41, CLASS_IN = 1 };
enum { FLAGS_QUERY = 0x0100, FLAGS_RESPONSE = 0x8180, RCODE_NXDOMAIN = 3 };
enum { QNAME_OFFSET = 0xc00c };

static void put_name(struct pen *pen, uint32_t number)
{
    char text[NAME_MAX_LENGTH];
    name_text(number, text);
    for (const char *label = text; *label != '\0';) {
        size_t length = strcspn(label, ".");
        pen_u8(pen, (uint8_t)length);
        pen_bytes(pen, label, length);
        label += length + (label[length] == '.');
    }
    pen_u8(pen, 0);
}

static void put_head(struct pen *pen, const struct question *question, uint16_t flags,
                     const uint16_t counts[2])
{
    pen_u16(pen, question->id);
    pen_u16(pen, flags);
    pen_u16(pen, 1);
    pen_u16(pen, counts[0]);
    pen_u16(pen, counts[1]);
    pen_u16(pen, 1); /* the OPT record */
    put_name(pen, question->name);
    pen_u16(pen, question->type);
    pen_u16(pen, CLASS_IN);
}

static void put_opt(struct pen *pen)
{
    pen_u8(pen, 0);
    pen_u16(pen, TYPE_OPT);
    pen_u16(pen, 1232);
    pen_u32(pen, 0);
    pen_u16(pen, 0);
}

static void put_record(struct pen *pen, uint16_t owner, uint16_t type, uint16_t length)
{
    pen_u16(pen, owner);
    pen_u16(pen, type);
    pen_u16(pen, CLASS_IN);
    pen_u32(pen, 300);
    pen_u16(pen, length);
}

static void put_address(struct pen *pen, uint16_t owner, const struct question *question)
{
    uint64_t mixed = random_mix(question->name);
    if (question->type == DNS_AAAA) {
        put_record(pen, owner, DNS_AAAA, 16);
        pen_u32(pen, 0x20010db8);
        pen_u32(pen, 0);
        pen_u32(pen, 0);
        pen_u32(pen, (uint32_t)mixed);
        return;
    }
    put_record(pen, owner, DNS_A, 4);
    pen_u32(pen, 0xc6120000 | (uint32_t)(mixed & 0x1ffff)); /* 198.18.0.0/15 */
}

/* The alias is one label in front of the name that was asked for. */
static uint16_t put_alias(struct pen *pen, const uint8_t *message)
{
    put_record(pen, QNAME_OFFSET, TYPE_CNAME, 6);
    uint16_t owner = (uint16_t)(0xc000 | (pen->at - message));
    pen_u8(pen, 3);
    pen_bytes(pen, "lb1", 3);
    pen_u16(pen, QNAME_OFFSET);
    return owner;
}

static void put_soa(struct pen *pen)
{
    put_record(pen, QNAME_OFFSET, TYPE_SOA, 24);
    pen_u16(pen, QNAME_OFFSET);
    pen_u16(pen, QNAME_OFFSET);
    for (uint32_t timer = 1; timer <= 5; timer++) {
        pen_u32(pen, timer * 300);
    }
}

size_t dns_query(uint8_t out[DNS_MESSAGE_MAX], const struct question *question)
{
    struct pen pen = {out};
    put_head(&pen, question, FLAGS_QUERY, (const uint16_t[2]){0, 0});
    put_opt(&pen);
    return (size_t)(pen.at - out);
}

size_t dns_response(uint8_t out[DNS_MESSAGE_MAX], const struct question *question)
{
    struct pen pen = {out};
    uint64_t mixed = random_mix(question->name + 0x5eedU);
    bool exists = mixed % 32 != 0, aliased = mixed / 32 % 4 == 0;
    uint16_t counts[2] = {(uint16_t)(exists ? 1 + aliased : 0), !exists};
    put_head(&pen, question, (uint16_t)(FLAGS_RESPONSE | (exists ? 0 : RCODE_NXDOMAIN)), counts);
    if (exists) {
        uint16_t owner = aliased ? put_alias(&pen, out) : QNAME_OFFSET;
        put_address(&pen, owner, question);
    } else {
        put_soa(&pen);
    }
    put_opt(&pen);
    return (size_t)(pen.at - out);
}
