/* What became of the traffic that a finding speaks of. Pure. */
#ifndef SEALDNS_DECIDE_VERDICT_H
#define SEALDNS_DECIDE_VERDICT_H

#include <stdbool.h>

#include "model/finding.h"

/* Blocked only where the kernel said that it was, or else where the installed rules cut it: clear
 * text, port 853, and on 443 what the detector found them to cut. */
enum verdict verdict_of(const struct finding *f, enum mode mode, bool installed);
/* An event keeps its strongest verdict. */
int verdict_strength(enum verdict v);

#endif
