/* What the parts of the writer share. */
#ifndef SEALDNS_STORE_HANDLE_H
#define SEALDNS_STORE_HANDLE_H

#include <sqlite3.h>

#include "store/store.h"

struct expiry;
struct chain;

sqlite3 *store_handle(struct store *s);
struct expiry *store_expiry(struct store *s);
struct chain *store_chain(struct store *s);

#endif
