/* The vocabularies of the query log and of privacy, as those of model/vocabulary.h. */
#ifndef SEALDNS_MODEL_PRIVACY_WORDS_H
#define SEALDNS_MODEL_PRIVACY_WORDS_H

#define QUERY_MODES(X)                                                                             \
    X(QUERIES_OFF, "off")                                                                          \
    X(QUERIES_ALL, "all")                                                                          \
    X(QUERIES_SAMPLED, "sampled")                                                                  \
    X(QUERIES_AGGREGATED, "aggregated")

/* What stands where a client's address would. */
#define CLIENT_FORMS(X)                                                                            \
    X(CLIENTS_PLAIN, "plain")                                                                      \
    X(CLIENTS_PSEUDONYM, "pseudonym")                                                              \
    X(CLIENTS_NETWORK, "network") /* its /24 or /48 */

#define NAME_FORMS(X) X(NAME_FORM_FULL, "full") X(NAME_FORM_REGISTERED, "registered")

/* Where clients are pseudonyms. */
#define PRIVACY_PLACES(X) X(PRIVACY_STORE, "store") X(PRIVACY_FEED, "feed")

/* What an output is told of: event_type of EVE, where alert is also what the sensor says of itself;
 * hours of conversations and the sensor's counters, as rows of packaging/clickhouse/schema.sql. */
#define EVENT_TYPES(X)                                                                             \
    X(EVENT_ALERT, "alert")                                                                        \
    X(EVENT_DNS, "dns")                                                                            \
    X(EVENT_CONVERSATION, "conversation")                                                          \
    X(EVENT_STATS, "stats")

#endif
