/* A zone that is enforced for some of its clients first. */
#ifndef SEALDNS_ENFORCE_STAGING_H
#define SEALDNS_ENFORCE_STAGING_H

#include "enforce/compile.h"

/* The rules of a zone into its chain, by write(). Those of a zone that is held only count. Where it
 * has a rollout, the clients that it has come to go on to a chain of their own, word_ZONE, and the
 * rules of the first one only count. */
void write_staged(struct compilation *c, int16_t zone, int chain, const char *word,
                  void (*write)(struct compilation *c, int16_t zone, int chain));

#endif
