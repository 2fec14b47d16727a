/* Who a client is, out of what the sensor remembers of the machines on the link; for explain. */
#ifndef SEALDNS_CLI_WHO_H
#define SEALDNS_CLI_WHO_H

#include <stdbool.h>

#include "model/lease.h"
#include "store/store.h"

/* All as text. Of an address that is no machine's: that address alone. */
struct machine {
    char station[STATION_TEXT]; /* "": no machine is known */
    char host[LEASE_NAME];      /* "": it did not say */
    char addresses[1024];       /* those it uses or used, a blank before and behind each */
    char since[TIME_TEXT], leased[ADDR_TEXT], leased_until[TIME_TEXT];
    bool router;
    nsec_t changed;
};

/* By an address, a host name or a link address; of several of one name the last that changed. *out
 * is written in any case; without a machine its addresses are the subject, if it is one. SD_EIO. */
int who_find(struct store_reader *r, const char *subject, struct machine *out);
/* A line or two; nothing when no machine is known. */
void who_print(const struct machine *m);
/* Whether a list with a blank before and behind each has this one. */
bool who_has(const char *addresses, const char *address);
/* The next of the list into out; start with *position = 0. False: that was the last. */
bool who_next(const struct machine *m, size_t *position, struct addr *out);

#endif
