#include "store/query.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

const char query_insert[] =
    "INSERT INTO queries (time, client, server, transport, zone, resolver, response, name, qtype,"
    " rcode, answers, count, sample) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)";

static void bind_address(sqlite3_stmt *s, int at, const struct addr *a)
{
    char text[ADDR_TEXT] = "";

    sqlite3_bind_text(s, at, addr_is_zero(a) ? "" : addr_text(a, text), -1, SQLITE_TRANSIENT);
}

static void bind_answers(sqlite3_stmt *s, int at, const struct query *q)
{
    char all[DNS_ADDRESSES * ADDR_TEXT + 1] = "", one[ADDR_TEXT];
    size_t used = 0;

    for (size_t i = 0; i < q->address_count; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? " " : "",
                                 addr_text(&q->address[i], one));
    sqlite3_bind_text(s, at, all, -1, SQLITE_TRANSIENT);
}

int query_write(sqlite3_stmt *insert, const struct record *r)
{
    const struct query *q = &r->query;
    char name[DNS_NAME_TEXT] = "";
    int code;

    if (q->qname_length && text_name(q->qname, q->qname_length, name, sizeof name) < 0)
        name[0] = '\0';
    sqlite3_bind_int64(insert, 1, q->last);
    bind_address(insert, 2, &q->client);
    bind_address(insert, 3, &q->server);
    sqlite3_bind_text(insert, 4, transport_name(q->transport), -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 5, r->zone, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 6, r->resolver, -1, SQLITE_STATIC);
    sqlite3_bind_int(insert, 7, q->response);
    sqlite3_bind_text(insert, 8, name, -1, SQLITE_STATIC);
    sqlite3_bind_int(insert, 9, q->qtype);
    sqlite3_bind_int(insert, 10, q->rcode);
    bind_answers(insert, 11, q);
    sqlite3_bind_int64(insert, 12, (sqlite3_int64)q->count);
    sqlite3_bind_int64(insert, 13, q->sample);
    code = sqlite3_step(insert);
    sqlite3_reset(insert);
    return code == SQLITE_DONE ? SD_OK : SD_EIO;
}
