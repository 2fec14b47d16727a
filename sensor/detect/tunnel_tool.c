/* What the common tools show of themselves, read in their sources:
 * iodine: the version query, 'v' and version 0x00000502 in base32 with a nonce behind it;
 * dnscat2: hex of packet id (4), type 00 to 03 (2), session (4), maybe behind the label "dnscat";
 * dns2tcp: a label "=auth" or "=connect". */
#include <string.h>

#include "detect/tunnel.h"

#define VOTES 5 /* names of one session */

const char *tunnel_tool_name(unsigned tool)
{
    static const char *const names[TOOL_COUNT] = {"", "iodine", "dnscat2", "dns2tcp"};

    return tool < TOOL_COUNT ? names[tool] : "";
}

static int nibble(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool label_is(const uint8_t *label, const char *text)
{
    return label[0] == strlen(text) && memcmp(label + 1, text, label[0]) == 0;
}

static bool is_iodine(const uint8_t *label)
{
    return label[0] >= 10 && label[0] <= 16 && memcmp(label + 1, "vaaaaka", 7) == 0 &&
           label[8] >= 'q' && label[8] <= 'x';
}

static bool is_dns2tcp(const uint8_t *name, unsigned end)
{
    for (unsigned at = 0; at < end && name[at]; at += 1U + name[at])
        if (label_is(name + at, "=auth") || label_is(name + at, "=connect"))
            return true;
    return false;
}

/* All hex, of even length, and the type of a packet in its place: the session; else -1. */
static int dnscat2_session(const uint8_t *name, unsigned end)
{
    unsigned at = label_is(name, "dnscat") ? 7 : 0, digits = 0;
    int head[10];

    for (; at < end && name[at]; at += 1U + name[at])
        for (unsigned i = 1; i <= name[at]; i++, digits++) {
            int value = nibble(name[at + i]);

            if (value < 0)
                return -1;
            if (digits < 10)
                head[digits] = value;
        }
    if (digits < 18 || digits % 2 || head[4] != 0 || head[5] > 3)
        return -1;
    return head[6] << 12 | head[7] << 8 | head[8] << 4 | head[9];
}

/* Majority by votes (Boyer and Moore): a few names of another session do no harm. */
static bool is_dnscat2(struct suspect *s, const uint8_t *name, unsigned end)
{
    int session = dnscat2_session(name, end);

    if (session < 0)
        return false;
    if (s->session_votes == 0)
        s->session = (uint16_t)session;
    if (s->session == session)
        s->session_votes++;
    else
        s->session_votes--;
    return s->session_votes >= VOTES;
}

enum tunnel_tool tunnel_tool_of(struct suspect *s, const struct dns_message *m, unsigned domain)
{
    if (s->tool)
        return s->tool;
    if (is_iodine(m->qname))
        s->tool = TOOL_IODINE;
    else if (is_dns2tcp(m->qname, domain))
        s->tool = TOOL_DNS2TCP;
    else if (is_dnscat2(s, m->qname, domain))
        s->tool = TOOL_DNSCAT2;
    return s->tool;
}
