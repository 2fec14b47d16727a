/* What a flow is: its transport, the evidence, and how certain that is. Each protocol is one file
 * with a struct protocol and one word in PROTOCOLS of sensor/CMakeLists.txt; the most certain wins.
 */
#ifndef SEALDNS_OBSERVE_IDENTIFY_H
#define SEALDNS_OBSERVE_IDENTIFY_H

#include "observe/observer.h"

enum seen_as { SEEN_NOTHING, SEEN_TLS, SEEN_QUIC, SEEN_OTHER };

/* All that is known when the question is put. */
struct sight {
    enum seen_as seen;
    enum classify_guess guess;
    bool dnscrypt;    /* its magic was seen */
    uint16_t port;    /* of the server */
    const char *alpn; /* offered, "" */
    bool named;       /* the SNI is a known resolver's */
    bool addressed;   /* the server's address is a known resolver's */
    bool shared;      /* ... and others live there too */
};

struct name_given {
    uint8_t transport;     /* enum transport */
    uint8_t identified_by; /* bits BY() */
    uint8_t confidence;    /* 0: not this protocol */
};

struct protocol {
    const char *name;
    struct name_given (*recognise)(const struct sight *s);
};

extern const struct protocol *const protocols[]; /* ends in NULL */

/* One of the names in a list like "h2,http/1.1". */
bool alpn_offers(const char *alpn, const char *name);

/* The name in this hello is the outer one of ECH. */
bool identify_outer(const struct observer *o, const struct tls_facts *facts);
/* From the port alone: what an attempt is meant to be. */
void identify_by_port(const struct observer *o, struct flow *f);
/* What the port says is wrong: nothing is known yet. */
void identify_again(struct flow *f);
/* From what was seen; sets NAMED. */
void identify(struct observer *o, struct flow *f, enum seen_as seen);
/* The flow ends or fails: decides, if nothing has. */
void identify_at_last(struct observer *o, struct flow *f);

#endif
