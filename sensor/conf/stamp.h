/* DNS stamps: "sdns://" and base64url (RFC 4648 5) of what a client must know of a resolver, as
 * public lists have them. Of a stamp only what a catalogue keeps is read. */
#ifndef SEALDNS_CONF_STAMP_H
#define SEALDNS_CONF_STAMP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "model/names.h"

#define STAMP_ERROR 128
#define STAMP_BEGIN "sdns://"

struct stamp {
    enum transport transport; /* TRANSPORT_DO53_UDP stands for both of Do53 */
    bool has_address;
    struct addr address;
    char name[256]; /* of the host, lower case, no final dot; "": none, or DNSCrypt's own */
};

/* text: from "sdns://" on, without what follows the stamp. SD_EMALF, SD_ELIMIT: error says what is
 * wrong, in words that can be printed. SD_EUNSUP: it is of a relay, which is no resolver. */
int stamp_parse(const char *text, size_t length, struct stamp *out, char error[STAMP_ERROR]);

#endif
