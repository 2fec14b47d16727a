/* Who is to be cut off a server that others share (model/pair.h), and what the finding says then.
 */
#ifndef SEALDNS_DETECT_PAIRING_H
#define SEALDNS_DETECT_PAIRING_H

#include "detect/draft.h"
#include "model/pair.h"

/* Asks for it where the policy cuts such a pair, and its rules do not cut it by address anyway. */
void pairing_ask(const struct pair_sink *to, const struct policy *p, const struct sighting *s,
                 enum pair_proof proof);
/* What is done with the traffic of one that the kernel has. */
enum action pairing_action(const struct policy *p, const struct sighting *s);

#endif
