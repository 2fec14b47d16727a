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

/* The bounded walk of classifier_ops.dns_message, and libknot's verdict on the same bytes: a
 * message that the walk takes and does not call unsound is one that libknot takes, and the other
 * way round (tests/fuzz holds them together). Unsound is what libknot refuses and a server would
 * not answer, but what somebody asked or said all the same; other dissectors count it as well: a
 * name of more than 255 octets or in a loop, data longer than its type, an A without an address.
 * What is no reason to refuse: octets behind the counted sections, more than one question, a
 * compressed question, OPT and TSIG in any place and number, an opcode without a question, data of
 * a type that nobody knows. SD_ETRUNC, SD_EMALF as in model/classifier.h; SD_ELIMIT: names that
 * take more steps to read than a message of this length may ask for. The header is filled in
 * whenever there are twelve octets. */
int dns_walk(const uint8_t *bytes, size_t length, struct dns_message *out);
int dns_judge(const uint8_t *bytes, size_t length, struct dns_message *out);

#endif
