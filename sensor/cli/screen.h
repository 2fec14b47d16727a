/* What `sealdns top` shows: what the running sensor says, and the store of the last hour, day or
 * week, as lines. */
#ifndef SEALDNS_CLI_SCREEN_H
#define SEALDNS_CLI_SCREEN_H

#include <jansson.h>

#include "store/summary.h"

enum {
    SCREEN_WIDE = 256,
    SCREEN_HIGH = 128,
    SCREEN_LIST = 8,
    SCREEN_ZONES = 16,
    SCREEN_ALERTS = 64
};

enum screen_style {
    SCREEN_PLAIN,
    SCREEN_TITLE,
    SCREEN_GOOD,
    SCREEN_NOTICE,
    SCREEN_BAD,
    SCREEN_FAINT
};

/* A zone, or all of them: queries in the window. */
struct screen_share {
    char name[64];
    uint64_t sealed, clear, against; /* against: of both, with somebody the zone does not approve */
};

struct screen_row {
    char text[SCREEN_WIDE];
    enum screen_style style;
};

struct screen {
    nsec_t now, window;
    int width;
    struct screen_share all, zones[SCREEN_ZONES];
    int zone_count;
    struct screen_row servers[SCREEN_LIST], clients[SCREEN_LIST];
    int server_count, client_count;
    struct screen_row alerts[SCREEN_ALERTS]; /* a ring, the newest last */
    int64_t alert_total, alert_row;          /* the last that was read */
    const char *store_error;                 /* NULL: it was read */
    uint64_t packets, bytes, queries;        /* counters of the status before this one */
    nsec_t counted;
    struct screen_row row[SCREEN_HIGH]; /* what screen_compose() made */
    int rows;
};

/* Reads zones, resolvers, clients and the alerts that are new. SD_EIO. */
int screen_read(struct screen *s, struct store_reader *r);
/* status: of the control socket; NULL: nobody answers there. high: lines there is room for. */
void screen_compose(struct screen *s, const json_t *status, int high);

#endif
