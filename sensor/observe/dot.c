/* DNS over TLS (RFC 7858): port 853 with TLS, or ALPN "dot" on any. */
#include "observe/identify.h"

static struct name_given recognise(const struct sight *s)
{
    struct name_given given = {.transport = TRANSPORT_DOT};
    bool alpn = alpn_offers(s->alpn, "dot"), port = s->port == 853;

    if (s->seen != SEEN_TLS || (!alpn && !port))
        return given;
    given.confidence = alpn ? 100 : 99;
    given.identified_by =
        (uint8_t)((port ? BY(BY_PORT) : 0) | (alpn ? BY(BY_ALPN) : 0) |
                  (s->named ? BY(BY_SNI) : 0) | (s->addressed ? BY(BY_ADDRESS) : 0));
    return given;
}

extern const struct protocol protocol_dot;
const struct protocol protocol_dot = {"dot", recognise};
