/* DNS over HTTPS (RFC 8484): HTTP/2 over TLS or HTTP/3 over QUIC to a known resolver, by its name
 * or by an address that nobody else uses. A resolver's own address may carry its web site as well.
 */
#include "observe/identify.h"

enum { BY_NAME = 98, BY_SHARED_NAME = 90, BY_OWN_ADDRESS = 85 };

static struct name_given recognise(const struct sight *s)
{
    struct name_given given = {0};

    if (s->seen != SEEN_TLS && s->seen != SEEN_QUIC)
        return given;
    given.transport = s->seen == SEEN_TLS ? TRANSPORT_DOH2 : TRANSPORT_DOH3;
    if (s->named)
        given.confidence = s->shared ? BY_SHARED_NAME : BY_NAME;
    else if (s->addressed && !s->shared)
        given.confidence = BY_OWN_ADDRESS;
    else
        return given;
    given.identified_by =
        (uint8_t)((s->named ? BY(BY_SNI) : 0) | (s->addressed && !s->shared ? BY(BY_ADDRESS) : 0));
    return given;
}

extern const struct protocol protocol_doh;
const struct protocol protocol_doh = {"doh", recognise};
