/* Entries of a policy that come into each other's way: refused, or told which of them counts. */
#ifndef SEALDNS_CONF_APART_H
#define SEALDNS_CONF_APART_H

#include "conf/reader.h"

/* An entry of the list that is being read has the id of an earlier one. what: "zone". */
void complain_again(struct reader *r, const struct node *entry, const char *what);
/* Of the spots of all zones: one network in two zones that nothing else keeps apart is an error;
 * one within that of another is told, the longer prefix decides. */
void check_zones_apart(struct reader *r);
/* Of the spots of all exceptions: two for the same clients and resolver. */
void check_exceptions_apart(struct reader *r);
/* An exception for one resolver, of clients whose zone approves it for all that an exception gives.
 */
void check_exception_needed(struct reader *r, const struct policy_exception *x,
                            const struct node *resolver);

#endif
