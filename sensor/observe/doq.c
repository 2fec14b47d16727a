/* DNS over QUIC (RFC 9250): port 853 with QUIC, or ALPN "doq" (or "doq-iNN" of a draft) on any. */
#include <string.h>

#include "observe/identify.h"

static bool offers_doq(const char *alpn)
{
    return alpn_offers(alpn, "doq") || strncmp(alpn, "doq-i", 5) == 0 || strstr(alpn, ",doq-i");
}

static struct name_given recognise(const struct sight *s)
{
    struct name_given given = {.transport = TRANSPORT_DOQ};
    bool alpn = offers_doq(s->alpn), port = s->port == 853;

    if (s->seen != SEEN_QUIC || (!alpn && !port))
        return given;
    given.confidence = alpn ? 100 : 99;
    given.identified_by =
        (uint8_t)((port ? BY(BY_PORT) : 0) | (alpn ? BY(BY_ALPN) : 0) |
                  (s->named ? BY(BY_SNI) : 0) | (s->addressed ? BY(BY_ADDRESS) : 0));
    return given;
}

extern const struct protocol protocol_doq;
const struct protocol protocol_doq = {"doq", recognise};
