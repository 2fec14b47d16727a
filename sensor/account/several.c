#include "account/several.h"

#include <string.h>

enum {
    WINDOW = 600, /* seconds within which signs add up */
    HOLDS = 3600, /* seconds after which they must have come again */
    SWITCHES = 6  /* a route that changed changes the TTL once */
};

/* What asks for these is the system, not a program on it (vendors' documentation). The text's end
 * is the root label. */
#define CHECKS(X)                                                                                  \
    X(1, "\7captive\5apple\3com")                                                                  \
    X(2, "\3www\17msftconnecttest\3com")                                                           \
    X(2, "\3dns\10msftncsi\3com")                                                                  \
    X(4, "\21connectivitycheck\7gstatic\3com")                                                     \
    X(4, "\21connectivitycheck\7android\3com")                                                     \
    X(8, "\22connectivity-check\6ubuntu\3com")                                                     \
    X(8, "\7nmcheck\5gnome\3org")                                                                  \
    X(8, "\14network-test\6debian\3org")

#define CHECK(system, name) {system, sizeof name, name},
static const struct {
    uint8_t system, length;
    const char *wire;
} checks[] = {CHECKS(CHECK)};

/* Bits of their lengths, by which most names are told from all of them. */
#define LENGTH(system, name) | UINT64_C(1) << sizeof name
static const uint64_t lengths = 0 CHECKS(LENGTH);

static uint8_t system_of(const struct dns_message *m)
{
    if (m->qname_length > 63 || !(lengths >> m->qname_length & 1))
        return 0;
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (m->qname_length == checks[i].length &&
            memcmp(m->qname, checks[i].wire, checks[i].length) == 0)
            return checks[i].system;
    return 0;
}

static void note_ttl(struct several *s, const struct observation *o)
{
    if (s->ttl == o->ttl)
        return;
    if (!s->ttl) {
        s->ttl = o->ttl;
        s->iface = o->iface;
        s->vlan = o->vlan;
        return;
    }
    if (s->iface != o->iface || s->vlan != o->vlan)
        return;
    s->ttl = o->ttl;
    s->switches += s->switches < UINT8_MAX;
}

bool several_note(struct several *s, const struct observation *o)
{
    uint32_t now = (uint32_t)(o->time / NSEC_S);

    if (now - s->began > WINDOW) {
        s->began = now;
        s->switches = s->systems = 0;
    }
    note_ttl(s, o);
    s->systems |= system_of(&o->dns.message);
    if (s->switches >= SWITCHES || (s->systems & (s->systems - 1)) != 0)
        s->until = now + HOLDS;
    return now < s->until;
}
