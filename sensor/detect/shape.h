/* The shape of what stands below a registrable domain: how much it can carry, and whether it looks
 * like words or like coded data. Entropy is held against what text of that length can have: a fixed
 * limit takes short data for words and long words for data. */
#ifndef SEALDNS_DETECT_SHAPE_H
#define SEALDNS_DETECT_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

/* n * log2(n), made once. */
struct shape_logs {
    float n_log_n[256];
};

struct shape {
    uint16_t letters;     /* octets of the labels, without '-' and '_' */
    uint16_t information; /* octets it carries at most, by its alphabet */
    uint8_t longest;      /* label */
    uint16_t evenness;    /* thousandths: entropy over the most that such a length can have */
    bool coded;           /* data rather than words */
    bool odd;             /* octets that no host name has (RFC 1123 2.1), '_' apart */
    bool address;         /* an address backwards (DNSBL, RFC 5782; SPF, RFC 7208 5.7) */
    bool service;         /* a label begins with '_' (RFC 8552), or holds keys of mail */
};

void shape_logs_fill(struct shape_logs *logs);
/* Wire form, lower case, up to `end`, where the registrable domain begins. */
struct shape shape_of(const uint8_t *wire, unsigned end, const struct shape_logs *logs);

#endif
