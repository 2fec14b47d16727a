/* What reports and dashboards ask of the store: DNS by zone, transport, resolver and client, and
 * what was told, over hours to years. Answered from sums, and from the hours that are not summed up
 * yet, so always exact; a year of 10,000 clients in under a second (tests/bench/run.sh --report). A
 * store older than the sums has no rows until a sensor has opened it. Texts are valid during the
 * call; fn returns non-zero to stop; all return SD_OK or SD_EIO. */
#ifndef SEALDNS_STORE_SUMMARY_H
#define SEALDNS_STORE_SUMMARY_H

#include "store/store.h"

/* From since (of a day or month: the one it lies in) to before until. */
struct summary_period {
    nsec_t since, until;
    const char *zone; /* NULL: all */
};

struct summary_counts {
    uint64_t flows, flows_failed, queries, responses;
};

/* By time, zone, transport, approved: the share that is sealed, transports, trends. step: an hour
 * or a day. */
struct zone_row {
    nsec_t time;
    const char *zone;
    enum transport transport;
    bool approved;
    struct summary_counts counts;
};
int store_zones(struct store_reader *r, const struct summary_period *p, nsec_t step,
                int (*fn)(void *context, const struct zone_row *row), void *context);

/* The servers that were asked most, at most limit; days are whole. resolver, name: "" where
 * unknown. */
struct server_row {
    const char *server, *resolver, *name;
    uint16_t server_port;
    enum transport transport;
    bool approved;
    struct summary_counts counts;
};
int store_servers(struct store_reader *r, const struct summary_period *p, int limit,
                  int (*fn)(void *context, const struct server_row *row), void *context);

/* Queries of a client. */
struct client_row {
    nsec_t day; /* store_client_days() only */
    const char *client, *zone;
    uint64_t queries[TRANSPORT_DNSCRYPT + 1]; /* by enum transport */
    uint64_t clear_unapproved, sealed_unapproved;
};
/* Those with the most unapproved queries in clear text, at most limit, none without; days are
 * whole. */
int store_clear_clients(struct store_reader *r, const struct summary_period *p, int limit,
                        int (*fn)(void *context, const struct client_row *row), void *context);
/* Day by day. */
int store_client_days(struct store_reader *r, const char *client, const struct summary_period *p,
                      int (*fn)(void *context, const struct client_row *row), void *context);

/* What was told, by day, zone, kind, severity, verdict. */
struct told_row {
    nsec_t day;
    const char *zone, *kind, *verdict;
    int severity;
    int64_t events; /* that began on that day, as they were told last */
    int64_t count;  /* how often it was seen on that day */
};
int store_told(struct store_reader *r, const struct summary_period *p,
               int (*fn)(void *context, const struct told_row *row), void *context);

#endif
