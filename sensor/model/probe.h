/* What a probe of one resolver address over one transport found: travels as an observation. A plain
 * value; every text is printable ASCII already. */
#ifndef SEALDNS_MODEL_PROBE_H
#define SEALDNS_MODEL_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

/* What is wrong with a resolver: who it is, what it does, and what deserves a remark. */
#define FAULT_LIST(X)                                                                              \
    X(FAULT_WRONG_NAME, "wrong-name")                                                              \
    X(FAULT_WRONG_CA, "wrong-ca")                                                                  \
    X(FAULT_SELF_SIGNED, "self-signed")                                                            \
    X(FAULT_EXPIRED, "expired")                                                                    \
    X(FAULT_NOT_YET_VALID, "not-yet-valid")                                                        \
    X(FAULT_WRONG_PIN, "wrong-pin")                                                                \
    X(FAULT_NO_CONNECTION, "no-connection")                                                        \
    X(FAULT_NOT_TLS, "not-tls")                                                                    \
    X(FAULT_OLD_VERSION, "old-version")                                                            \
    X(FAULT_HANDSHAKE, "handshake-failed")                                                         \
    X(FAULT_NO_ANSWER, "no-answer")                                                                \
    X(FAULT_BAD_ANSWER, "bad-answer")                                                              \
    X(FAULT_TOO_MUCH, "too-much")                                                                  \
    X(FAULT_EXPIRES_SOON, "expires-soon")                                                          \
    X(FAULT_ACCEPTS_OLD, "accepts-old-version")                                                    \
    X(FAULT_ACCEPTS_WEAK, "accepts-weak-cipher")                                                   \
    X(FAULT_NO_PADDING, "no-padding")                                                              \
    X(FAULT_NO_GET, "no-get")                                                                      \
    X(FAULT_NO_POST, "no-post")                                                                    \
    X(FAULT_CANARY, "canary-answered")                                                             \
    X(FAULT_DESIGNATES, "designates-other")

#define X(word, text) word,
enum resolver_fault { FAULT_LIST(X) FAULT_COUNT };
#undef X

/* Names whose answer moves clients to another resolver, or keeps them here. */
enum canary { CANARY_FIREFOX, CANARY_RELAY, CANARY_RELAY_H2, CANARY_DESIGNATION, CANARIES };
enum canary_answer {
    CANARY_UNASKED,
    CANARY_NEGATIVE, /* NXDOMAIN, or no record of the type asked for */
    CANARY_POSITIVE,
    CANARY_FAILED /* SERVFAIL, REFUSED, silence */
};

#define FAULT(f) (1u << (f)) /* a bit of faults */
/* Another server than it should be, or one that cannot prove to be it. */
#define FAULTS_OF_IDENTITY                                                                         \
    (FAULT(FAULT_WRONG_NAME) | FAULT(FAULT_WRONG_CA) | FAULT(FAULT_SELF_SIGNED) |                  \
     FAULT(FAULT_EXPIRED) | FAULT(FAULT_NOT_YET_VALID) | FAULT(FAULT_WRONG_PIN))
/* It works, but it could do better. */
#define FAULTS_TO_REMARK                                                                           \
    (FAULT(FAULT_EXPIRES_SOON) | FAULT(FAULT_ACCEPTS_OLD) | FAULT(FAULT_ACCEPTS_WEAK) |            \
     FAULT(FAULT_NO_PADDING) | FAULT(FAULT_NO_GET) | FAULT(FAULT_NO_POST) | FAULT(FAULT_CANARY) |  \
     FAULT(FAULT_DESIGNATES))

#define PROBE_VERSION(version) (1u << ((version)-0x0301)) /* a bit of versions */

struct probe_observation {
    uint32_t faults;      /* bits FAULT() */
    bool encrypted;       /* there was a handshake that ended */
    bool chain_unchecked; /* this machine has no certificates of authorities to check against */
    bool name_unchecked;  /* nobody says how the resolver is called */
    bool reached;         /* the transport's connection, or an answer over UDP */
    bool post_works, get_works; /* DoH */
    uint8_t versions;           /* that the server accepts, bits PROBE_VERSION() */
    uint8_t canary[CANARIES];
    uint8_t rcode;
    uint16_t version;                /* of the handshake, 0x0304: TLS 1.3 */
    uint16_t answer_length, padding; /* octets of the answer, and of its padding option */
    uint16_t http_status;
    uint32_t connect_us, handshake_us, answer_us;
    nsec_t not_before, not_after;
    uint8_t certificate_sha1[20];
    uint8_t spki_sha256[32];
    char resolver[64]; /* its id in the policy or the catalogue, "" */
    char expected[128];
    char names[192]; /* of the certificate, with commas between, cut to what fits */
    char subject[96], issuer[96];
    char cipher[40];
    char weak_cipher[40]; /* that the server takes if nothing better is offered, or "" */
    char alpn[16];
    char designated[64]; /* the other resolver that _dns.resolver.arpa points to */
    char error[96];      /* what the library, the system or the server said */
};

/* A probe's result on its way from who asked to who judges. A plain value. */
struct probe_report {
    struct addr server;
    uint16_t port;
    uint8_t transport; /* enum transport */
    nsec_t time;
    struct probe_observation found;
};

/* The word of a fault; "?" for none. */
const char *fault_name(unsigned fault);
/* The faults' words with commas between into out; returns out. */
const char *probe_fault_words(uint32_t faults, char *out, unsigned size);

/* "sha256/BASE64" of the digest of a subjectPublicKeyInfo, as `pins` of a policy has it. */
enum { PIN_TEXT = 52 };
const char *pin_text(const uint8_t spki_sha256[32], char out[PIN_TEXT]);

/* False: no probe of ours wrote this (texts that end and are printable, numbers within bounds). */
bool probe_is_sound(const struct probe_observation *o);

#endif
