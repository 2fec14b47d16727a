/* Names that are asked in clear text by right or by nature, found by their wire form: one probe of
 * a hash table for each label. Built from the policy and from lists of standards. */
#ifndef SEALDNS_MODEL_KNOWN_NAMES_H
#define SEALDNS_MODEL_KNOWN_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/dns.h"
#include "model/policy.h"

enum name_class {
    NAME_ORDINARY,
    NAME_RESOLVER,    /* of a resolver of the policy or the catalogue: bootstrap */
    NAME_DESIGNATION, /* DDR: RFC 9462 resolver.arpa, RFC 9461 _dns. */
    NAME_PROBE,       /* connectivity checks and canaries */
    NAME_INTERNAL /* split horizon: internal domains, RFC 6303 and RFC 6762 zones, single labels */
};

struct known_names;

/* NULL: no memory. */
struct known_names *known_names_create(const struct policy *p);
void known_names_destroy(struct known_names *k);
size_t known_names_bytes(const struct known_names *k);

/* wire: lower case, no compression, as struct dns_message has it. resolver (may be NULL): index of
 * the resolver of a NAME_RESOLVER, else -1. */
enum name_class known_names_class(const struct known_names *k, const uint8_t *wire, size_t length,
                                  int16_t *resolver);
/* The evidence word of a class. */
const char *name_class_word(enum name_class c);
/* Presentation form to wire form, lower case, without escapes; the length, 0 when it is no name. */
size_t name_to_wire(const char *text, uint8_t wire[DNS_NAME_WIRE]);
/* Its last label has a digit in it as no top-level domain has but those in punycode (RFC 3696 2).
 */
bool name_is_no_domain(const uint8_t *wire, size_t length);

#endif
