#ifndef SEALDNS_CLI_EVENTS_H
#define SEALDNS_CLI_EVENTS_H

#include "cli/document.h"

/* i-th record in the order of the contract, NULL beyond the end; sorts on the first call. */
const struct record *event_list_at(struct event_list *l, size_t i);

#endif
