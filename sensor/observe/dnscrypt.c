/* DNSCrypt version 2: what a resolver sends begins with a magic of its own. */
#include "observe/identify.h"

static struct name_given recognise(const struct sight *s)
{
    struct name_given given = {.transport = TRANSPORT_DNSCRYPT, .identified_by = BY(BY_PAYLOAD)};

    if (s->dnscrypt)
        given.confidence = 99;
    else if (s->seen == SEEN_OTHER && s->guess == GUESS_DNSCRYPT)
        given.confidence = 90;
    return given;
}

extern const struct protocol protocol_dnscrypt;
const struct protocol protocol_dnscrypt = {"dnscrypt", recognise};
