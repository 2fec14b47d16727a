/* What the lengths of records and the handshakes of one client and one server say of the privacy of
 * what they talk about. */
#ifndef SEALDNS_DETECT_PRIVACY_H
#define SEALDNS_DETECT_PRIVACY_H

#include "base/json.h"
#include "model/observation.h"

enum padding { PADDING_FEW, PADDING_PADDED, PADDING_PARTIAL, PADDING_UNPADDED, PADDING_BLURRED };

/* The words of a verdict: "too few", "padded", "partial", "unpadded", "not measurable". */
const char *padding_word(enum padding verdict);

/* One direction. */
struct lattice {
    uint32_t messages, padded; /* of suites that show lengths exactly */
    uint32_t blurred;          /* of the others */
};

/* Thresholds of rules/detections/privacy-weak.yaml. */
struct padding_rule {
    uint32_t messages_min, padded_milli, unpadded_milli;
};

void lattice_add(struct lattice *l, const struct record_side *side, bool exact);
enum padding lattice_verdict(const struct lattice *l, const struct padding_rule *rule);

/* Bits: what is weak about a conversation. */
enum weakness {
    WEAK_VERSION = 1, /* below TLS 1.2 (RFC 8996) */
    WEAK_BROKEN = 2,  /* the suite protects nothing */
    WEAK_DATED = 4,
    WEAK_QUERIES = 8, /* not padded, or not all */
    WEAK_ANSWERS = 16 /* ... though the client asks for it by padding itself (RFC 8467 4.2) */
};

struct privacy_key {
    struct addr client, server;
    uint64_t transport;
};

struct privacy_pair {
    struct privacy_key key; /* first */
    struct lattice queries, answers;
    uint32_t connections, resumed;
    uint16_t version, suite; /* of the last handshake, 0: not seen */
    uint8_t said;            /* bits of enum weakness that were told */
    bool counted;            /* among the server's weak clients */
    bool changed;            /* since it was remembered */
    nsec_t last;
};

void privacy_take(struct privacy_pair *p, const struct observation *o);
unsigned privacy_judge(const struct privacy_pair *p, const struct padding_rule *rule);
/* All of it as members, for an event and for memory. */
void privacy_write(const struct privacy_pair *p, const struct padding_rule *rule,
                   struct evidence *e);

#endif
