/* One question to ClickHouse over HTTP, its answer row by row. */
#ifndef SEALDNS_FLEET_ASK_H
#define SEALDNS_FLEET_ASK_H

#include <curl/curl.h>
#include <stdio.h>

#include "fleet/fleet.h"

enum { FIELDS_MOST = 16, LINE_MOST = 1 << 20 };

struct fleet {
    CURL *curl;
    struct curl_slist *headers;
    char url[1024];
    char sensor[64]; /* "" all */
    char error[FLEET_ERROR];
};

/* A field ends in NUL. */
struct answer_row {
    char *fields[FIELDS_MOST];
};

struct question {
    const char *sql; /* without a FORMAT */
    int fields;      /* that each row has, exactly; at most FIELDS_MOST */
    /* Anything but 0 ends the reading, and comes back in *stopped. */
    int (*row)(void *context, const struct answer_row *row);
    void *context;
};

/* SD_EIO: the server was not reached, refused, or what it said is no such answer: f->error. */
int ask(struct fleet *f, const struct question *q, int *stopped);

/* q: all but its words, which put() writes. As ask(); SD_EMEM. */
typedef void put_sql(FILE *to, const struct fleet *f, const void *what);
int ask_as_written(struct fleet *f, put_sql *put, const void *what, struct question *q,
                   int *stopped);

/* A text within quotes, whatever is in it. */
void put_quoted(FILE *to, const char *text);
/* "transport IN (...)": those that are DNS; the rest of a conversation's is ordinary TLS and QUIC.
 */
void put_dns(FILE *to);
/* " AND host = '...'", or nothing. */
void put_sensor(FILE *to, const struct fleet *f);

uint64_t field_number(const char *field); /* 0: it is none, or too large */

#endif
