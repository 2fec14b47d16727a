/* Hours of conversations are read by the million. So the rows never leave SQLite's machine: a
 * function in the WHERE clause is handed each row where it lies, and says that it does not match.
 * That takes half of the time that sqlite3_step() needs for the same rows. */
#include <sqlite3.h>

#include "base/error.h"
#include "store/read.h"
#include "store/store.h"

#define COLUMNS 13

struct reading {
    const struct history_sink *sink;
    int status;
};

static struct history_text value_text(sqlite3_value *v)
{
    struct history_text t = {.at = sqlite3_value_blob(v)};

    t.length = t.at ? (uint32_t)sqlite3_value_bytes(v) : 0;
    if (!t.at)
        t.at = "";
    return t;
}

static uint64_t value_count(sqlite3_value *v)
{
    sqlite3_int64 value = sqlite3_value_int64(v);

    return value > 0 ? (uint64_t)value : 0;
}

static void take_row(sqlite3_context *c, int count, sqlite3_value **v)
{
    struct reading *reading = sqlite3_user_data(c);
    struct history_row row = {.hour = sqlite3_value_int64(v[0]),
                              .client = value_text(v[1]),
                              .server = value_text(v[2]),
                              .server_port = (uint16_t)sqlite3_value_int(v[3]),
                              .transport = value_text(v[4]),
                              .zone = value_text(v[5]),
                              .name = value_text(v[6]),
                              .flows = value_count(v[7]),
                              .flows_failed = value_count(v[8]),
                              .queries = value_count(v[9]),
                              .responses = value_count(v[10])};

    /* Approved without being a resolver that the policy names: account/ says so of nobody else. */
    row.gateway_resolver = row.server_port == 53 && sqlite3_value_int(v[11]) != 0 &&
                           sqlite3_value_type(v[12]) == SQLITE_NULL;
    (void)count;
    reading->status = reading->sink->take(reading->sink->context, &row);
    if (reading->status != SD_OK)
        sqlite3_result_error(c, "", 0);
    else
        sqlite3_result_int(c, 0);
}

int store_history(struct store_reader *r, nsec_t since, const struct history_sink *sink)
{
    static const char text[] =
        "SELECT 1 FROM conversations WHERE hour >= ?1 AND take(hour, client, server, server_port,"
        " transport, zone, name, flows, flows_failed, queries, responses, approved, resolver)";
    struct reading reading = {.sink = sink};
    sqlite3_stmt *q = NULL;
    int code = SQLITE_ERROR;

    if (sqlite3_create_function(r->db, "take", COLUMNS, SQLITE_UTF8, &reading, take_row, NULL,
                                NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(r->db, text, -1, &q, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(q, 1, since - since % (3600 * NSEC_S));
        code = sqlite3_step(q);
    }
    sqlite3_finalize(q);
    sqlite3_create_function(r->db, "take", COLUMNS, SQLITE_UTF8, NULL, NULL, NULL, NULL);
    if (reading.status != SD_OK)
        return reading.status;
    return code == SQLITE_DONE ? SD_OK : SD_EIO;
}
