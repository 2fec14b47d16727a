/* The values of --since and the like. */
#ifndef SEALDNS_CLI_WHEN_H
#define SEALDNS_CLI_WHEN_H

#include "base/time.h"

/* "7d" ago, or a date: "2026-01-31", "2026-01-31T12:00:00Z". SD_EINVAL: neither. */
int when_parse(const char *text, nsec_t *out);

#endif
