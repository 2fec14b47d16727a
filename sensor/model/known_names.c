#include "model/known_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* A leading "*." means everything below, a leading "." the name and everything below. */
static const struct known_word {
    const char *name;
    enum name_class class;
} words[] = {
    {".resolver.arpa", NAME_DESIGNATION},
    {"connectivitycheck.gstatic.com", NAME_PROBE},
    {"connectivitycheck.android.com", NAME_PROBE},
    {"clients3.google.com", NAME_PROBE},
    {"captive.apple.com", NAME_PROBE},
    {"detectportal.firefox.com", NAME_PROBE},
    {"www.msftconnecttest.com", NAME_PROBE},
    {"ipv6.msftconnecttest.com", NAME_PROBE},
    {"www.msftncsi.com", NAME_PROBE},
    {"dns.msftncsi.com", NAME_PROBE},
    {"nmcheck.gnome.org", NAME_PROBE},
    {"connectivity-check.ubuntu.com", NAME_PROBE},
    {"network-test.debian.org", NAME_PROBE},
    {"ping.archlinux.org", NAME_PROBE},
    {"conncheck.opensuse.org", NAME_PROBE},
    {"ipv4only.arpa", NAME_PROBE}, /* RFC 7050 */
    {"use-application-dns.net", NAME_PROBE},
    {"example.org", NAME_PROBE},        /* Firefox's connectivity service asks for A and AAAA, */
    {"cloudflare-dns.com", NAME_PROBE}, /* and whether HTTPS gets an answer, never by DoH */
    {"mask.icloud.com", NAME_PROBE},
    {"mask-h2.icloud.com", NAME_PROBE},
    {"mask-canary.icloud.com", NAME_PROBE},
    {".local", NAME_INTERNAL},
    {".localhost", NAME_INTERNAL},
    {".localdomain", NAME_INTERNAL},
    {".home.arpa", NAME_INTERNAL}, /* RFC 8375 */
    {".internal", NAME_INTERNAL},  /* and RFC 6762 appendix G */
    {".intranet", NAME_INTERNAL},
    {".private", NAME_INTERNAL},
    {".corp", NAME_INTERNAL},
    {".home", NAME_INTERNAL},
    {".lan", NAME_INTERNAL},
    {".test", NAME_INTERNAL},
    {".10.in-addr.arpa", NAME_INTERNAL}, /* RFC 6303 */
    {".168.192.in-addr.arpa", NAME_INTERNAL},
    {".0.in-addr.arpa", NAME_INTERNAL},
    {".127.in-addr.arpa", NAME_INTERNAL},
    {".254.169.in-addr.arpa", NAME_INTERNAL},
    {".2.0.192.in-addr.arpa", NAME_INTERNAL},
    {".100.51.198.in-addr.arpa", NAME_INTERNAL},
    {".113.0.203.in-addr.arpa", NAME_INTERNAL},
    {".255.255.255.255.in-addr.arpa", NAME_INTERNAL},
    {".0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", NAME_INTERNAL},
    {".d.f.ip6.arpa", NAME_INTERNAL},
    {".8.e.f.ip6.arpa", NAME_INTERNAL},
    {".9.e.f.ip6.arpa", NAME_INTERNAL},
    {".a.e.f.ip6.arpa", NAME_INTERNAL},
    {".b.e.f.ip6.arpa", NAME_INTERNAL},
    {".8.b.d.0.1.0.0.2.ip6.arpa", NAME_INTERNAL},
};

#define WORDS (sizeof words / sizeof *words)

struct known_name {
    uint64_t hash; /* of the wire form; 0: free */
    int16_t resolver;
    uint8_t class;
    bool exact, below;
};

struct known_names {
    size_t mask;
    uint64_t lengths; /* bit n: names of n octets are in it (63: that or more), to skip hashing */
    struct known_name slots[];
};

size_t name_to_wire(const char *text, uint8_t wire[DNS_NAME_WIRE])
{
    size_t at = 1, label = 0;

    for (; *text && at < DNS_NAME_WIRE - 1; text++) {
        if (*text == '.') {
            if (at - label - 1 == 0 || at - label - 1 > 63)
                return 0;
            wire[label] = (uint8_t)(at - label - 1);
            label = at++;
            continue;
        }
        wire[at++] = (uint8_t)tolower((unsigned char)*text);
    }
    if (*text || at - label - 1 > 63)
        return 0;
    wire[label] = (uint8_t)(at - label - 1);
    if (wire[label] != 0)
        wire[at++] = 0;
    return at;
}

bool name_is_no_domain(const uint8_t *wire, size_t length)
{
    const uint8_t *last = wire;

    for (size_t at = 0; at < length && wire[at]; at += wire[at] + 1U)
        last = wire + at;
    for (unsigned i = 1; length && i <= last[0]; i++)
        if (isdigit(last[i]))
            return last[0] < 4 || memcmp(last + 1, "xn--", 4) != 0;
    return false;
}

static uint64_t wire_hash(const uint8_t *wire, size_t length)
{
    uint64_t h = hash_bytes(wire, length, 0);

    return h ? h : 1;
}

static uint64_t length_bit(size_t length)
{
    return UINT64_C(1) << (length < 63 ? length : 63);
}

static struct known_name *slot_of(struct known_names *k, uint64_t hash)
{
    size_t at = (size_t)hash & k->mask;

    while (k->slots[at].hash && k->slots[at].hash != hash)
        at = (at + 1) & k->mask;
    return k->slots + at;
}

static void add(struct known_names *k, const char *name, enum name_class class, int16_t resolver)
{
    bool below = name[0] == '.' || strncmp(name, "*.", 2) == 0;
    bool exact = name[0] != '*';
    struct known_name *slot;
    uint8_t wire[DNS_NAME_WIRE];
    size_t length;

    name += name[0] == '*' ? 2 : name[0] == '.';
    length = name_to_wire(name, wire);
    if (length < 2)
        return;
    slot = slot_of(k, wire_hash(wire, length));
    k->lengths |= length_bit(length);
    if (!slot->hash) /* the first one keeps its class */
        *slot =
            (struct known_name){wire_hash(wire, length), resolver, (uint8_t) class, false, false};
    slot->exact |= exact;
    slot->below |= below;
}

static size_t count_names(const struct policy *p)
{
    size_t count = WORDS + p->internal_domain_count;

    for (size_t i = 0; i < p->resolver_count; i++)
        count += p->resolvers[i].name_count;
    return count;
}

struct known_names *known_names_create(const struct policy *p)
{
    size_t slots = 256, count = count_names(p);
    struct known_names *k;

    while (slots < 4 * count)
        slots *= 2;
    k = calloc(1, sizeof *k + slots * sizeof k->slots[0]);
    if (!k)
        return NULL;
    k->mask = slots - 1;
    for (size_t i = 0; i < p->internal_domain_count; i++) {
        char name[258] = ".";

        strncat(name, p->internal_domains[i], sizeof name - 2);
        add(k, name, NAME_INTERNAL, -1);
    }
    for (size_t i = 0; i < p->resolver_count; i++)
        for (size_t n = 0; n < p->resolvers[i].name_count; n++)
            add(k, p->resolvers[i].names[n], NAME_RESOLVER, (int16_t)i);
    for (size_t i = 0; i < WORDS; i++)
        add(k, words[i].name, words[i].class, -1);
    return k;
}

void known_names_destroy(struct known_names *k)
{
    free(k);
}

size_t known_names_bytes(const struct known_names *k)
{
    return sizeof *k + (k->mask + 1) * sizeof k->slots[0];
}

/* 16 to 31.172.in-addr.arpa: sixteen zones, one rule. */
static bool is_172_reverse(const uint8_t *wire, size_t length)
{
    static const uint8_t tail[] = "\3"
                                  "172\7in-addr\4arpa";
    unsigned number;

    if (length < sizeof tail + 3 || memcmp(wire + length - sizeof tail, tail, sizeof tail) != 0)
        return false;
    wire += length - sizeof tail - 3;
    if (wire[0] != 2 || !isdigit(wire[1]) || !isdigit(wire[2]))
        return false;
    number = (unsigned)(wire[1] - '0') * 10 + (unsigned)(wire[2] - '0');
    return number >= 16 && number <= 31;
}

static bool ends_in(const uint8_t *wire, size_t length, const void *tail, size_t tail_length)
{
    return length > tail_length && memcmp(wire + length - tail_length, tail, tail_length) == 0;
}

/* Names whose first label varies: Android's probes (XXXXXX-dnsotls-ds.metric.gstatic.com). */
static bool is_probe(const uint8_t *wire, size_t length)
{
    static const char dot[] = "-dnsotls-ds\6metric\7gstatic\3com";
    static const char doh[] = "-dnsohttps-ds\6metric\7gstatic\3com";

    return ends_in(wire, length, dot, sizeof dot) || ends_in(wire, length, doh, sizeof doh);
}

static enum name_class by_form(const uint8_t *wire, size_t length)
{
    if (length >= 2 && (size_t)wire[0] + 2 == length)
        return NAME_INTERNAL; /* a single label */
    if (length > 5 && memcmp(wire, "\4_dns", 5) == 0)
        return NAME_DESIGNATION;
    if (length > 20 && is_172_reverse(wire, length))
        return NAME_INTERNAL;
    if (length > 24 && is_probe(wire, length))
        return NAME_PROBE;
    return NAME_ORDINARY;
}

enum name_class known_names_class(const struct known_names *k, const uint8_t *wire, size_t length,
                                  int16_t *resolver)
{
    if (resolver)
        *resolver = -1;
    for (size_t at = 0; at < length && wire[at]; at += (size_t)wire[at] + 1) {
        const struct known_name *n;
        uint64_t hash;

        if (length - at > 7 && memcmp(wire + at, "\6_msdcs", 7) == 0)
            return NAME_INTERNAL; /* Active Directory */
        if (!(k->lengths & length_bit(length - at)))
            continue;
        hash = wire_hash(wire + at, length - at);
        n = slot_of((struct known_names *)k, hash);
        if (!n->hash || !(at == 0 ? n->exact : n->below))
            continue;
        if (resolver)
            *resolver = n->resolver;
        return n->class;
    }
    return by_form(wire, length);
}

const char *name_class_word(enum name_class c)
{
    static const char *const text[] = {"ordinary", "bootstrap", "designation", "probe", "internal"};

    return text[c];
}
