/* IP addresses and prefixes. IPv4 is held as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so that one key,
 * one comparison and one longest-prefix match serve both families. */
#ifndef SEALDNS_BASE_ADDR_H
#define SEALDNS_BASE_ADDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ADDR_TEXT 46 /* INET6_ADDRSTRLEN */

struct addr {
    union {
        uint8_t b[16];
        uint64_t w[2];
    };
};

struct prefix {
    struct addr addr;
    uint8_t length; /* of the 128-bit form: an IPv4 /24 is 120 */
};

static inline struct addr addr_v4(const uint8_t *four)
{
    struct addr a = {.b = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

    memcpy(a.b + 12, four, 4);
    return a;
}

static inline struct addr addr_v6(const uint8_t *sixteen)
{
    struct addr a;

    memcpy(a.b, sixteen, 16);
    return a;
}

static inline bool addr_is_v4(const struct addr *a)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return memcmp(a->b, mapped, 12) == 0;
}

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
    return a->w[0] == b->w[0] && a->w[1] == b->w[1];
}

static inline bool addr_is_zero(const struct addr *a)
{
    return (a->w[0] | a->w[1]) == 0;
}

/* <0, 0, >0: IPv4 before IPv6, then by number. */
int addr_compare(const struct addr *a, const struct addr *b);
/* Text of the family's own form into text[ADDR_TEXT]; returns text. */
const char *addr_text(const struct addr *a, char text[ADDR_TEXT]);
/* SD_EINVAL: text is no IPv4 or IPv6 address. */
int addr_parse(const char *text, struct addr *out);
/* "address" or "address/length". SD_EINVAL: no address, or length beyond the family's;
 * SD_EMALF: bits set behind the length. */
int prefix_parse(const char *text, struct prefix *out);
/* "192.0.2.0/24" into text[ADDR_TEXT + 4]; returns text. */
const char *prefix_text(const struct prefix *p, char text[ADDR_TEXT + 4]);
/* A link address (EUI-48) as a number: "02:00:00:00:00:09" into text[STATION_TEXT]. */
enum { STATION_TEXT = 18 };
/* SD_EINVAL: no six pairs of hexadecimal digits with colons, or a group's. */
int station_parse(const char *text, uint64_t *out);
/* A place among the addresses, so that it may stand where one does: in 100::/64, which nobody has
 * (RFC 6666). */
struct addr addr_of_station(uint64_t station);
const char *station_text(uint64_t station, char text[STATION_TEXT]);
bool prefix_holds(const struct prefix *p, const struct addr *a);
/* RFC 1918, RFC 4193, link-local, loopback: an address of no public network. */
bool addr_is_private(const struct addr *a);

#endif
