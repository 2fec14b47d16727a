/* nDPI behind one opaque type (one instance a thread) and the DNS message. */
#ifndef SEALDNS_CLASSIFY_CLASSIFY_H
#define SEALDNS_CLASSIFY_CLASSIFY_H

#include "model/classifier.h"

struct classifier;

/* NULL: out of memory, or nDPI did not start. */
struct classifier *classifier_create(void);
void classifier_destroy(struct classifier *c);
extern const struct classifier_ops classifier_ops;
/* "nDPI 4.2.0" */
const char *classifier_version(void);

/* The bounded walk of classifier_ops.dns_message, and libknot's verdict on the same bytes: both
 * must agree on what parses (tests/fuzz holds them together). */
int dns_walk(const uint8_t *bytes, size_t length, struct dns_message *out);
int dns_judge(const uint8_t *bytes, size_t length, struct dns_message *out);

#endif
