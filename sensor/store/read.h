/* What the files that read the store share. */
#ifndef SEALDNS_STORE_READ_H
#define SEALDNS_STORE_READ_H

#include <sqlite3.h>

struct store_reader {
    sqlite3 *db;
};

#endif
