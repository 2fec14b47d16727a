/* What the files that read the store share. */
#ifndef SEALDNS_STORE_READ_H
#define SEALDNS_STORE_READ_H

#include <sqlite3.h>
#include <stdint.h>

#include "model/names.h"

struct store_reader {
    sqlite3 *db;
    int64_t budget; /* steps that are left, where there is one (search.h) */
};

/* Columns, made harmless: a store may be damaged. */
static inline const char *text_at(sqlite3_stmt *q, int at)
{
    const char *text = (const char *)sqlite3_column_text(q, at);

    return text ? text : "";
}

static inline uint64_t count_at(sqlite3_stmt *q, int at)
{
    sqlite3_int64 value = sqlite3_column_int64(q, at);

    return value > 0 ? (uint64_t)value : 0;
}

static inline enum transport transport_at(sqlite3_stmt *q, int at)
{
    int transport = transport_of(text_at(q, at));

    return transport > 0 ? (enum transport)transport : TRANSPORT_UNKNOWN;
}

#endif
