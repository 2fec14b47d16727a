/* What observe/ asks of classify/, so that neither includes the other: engine/ joins them. One
 * classifier belongs to one thread. */
#ifndef SEALDNS_MODEL_CLASSIFIER_H
#define SEALDNS_MODEL_CLASSIFIER_H

#include <stddef.h>
#include <stdint.h>

#include "model/dns.h"
#include "model/packet.h"
#include "model/tls.h"

enum classify_answer {
    CLASSIFY_MORE,    /* feed me the flow's next packet */
    CLASSIFY_DONE,    /* the facts are complete, release the state */
    CLASSIFY_NOT_TLS, /* neither TLS nor QUIC */
};

enum classify_guess {
    GUESS_UNKNOWN,
    GUESS_TLS,
    GUESS_QUIC,
    GUESS_DNS,
    GUESS_DNSCRYPT,
    GUESS_OTHER
};

struct classifier_ops {
    /* A DNS message (without the length prefix of TCP) into *out. SD_ETRUNC: shorter than its
     * sections say; SD_EMALF: a bad name, pointer or record. Pure. */
    int (*dns_message)(const uint8_t *bytes, size_t length, struct dns_message *out);

    /* State of one flow (about a kilobyte): from the first payload to CLASSIFY_DONE. NULL: no
     * memory. */
    void *(*flow_open)(void *classifier);
    void (*flow_close)(void *classifier, void *flow);
    /* One packet in the order of its stream. from_client: 1 when the flow's client sent it. */
    enum classify_answer (*flow_feed)(void *classifier, void *flow, const struct packet *packet,
                                      int from_client);
    /* What is known by now (also before CLASSIFY_DONE). */
    void (*flow_facts)(void *classifier, void *flow, struct tls_facts *out);
    enum classify_guess (*flow_guess)(void *classifier, void *flow);
};

#endif
