/* Lines of the query log in their table. */
#ifndef SEALDNS_STORE_QUERY_H
#define SEALDNS_STORE_QUERY_H

#include <sqlite3.h>

#include "model/record.h"

extern const char query_insert[]; /* the statement that query_write() is given */

/* SD_EIO. */
int query_write(sqlite3_stmt *insert, const struct record *r);

#endif
