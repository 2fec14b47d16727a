/* A stream of octets to a receiver that says nothing back: UNIX, TCP, or TLS with the receiver's
 * certificate checked against its name. No call waits longer than ten seconds, or than the patience
 * of the caller, resolving a name apart. */
#ifndef SEALDNS_OUTPUT_CONNECTION_H
#define SEALDNS_OUTPUT_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>

#include "output/output.h"

struct connection;

/* "host:port" or "[address]:port" apart. SD_EINVAL: it is neither. */
int connection_target(const char *server, char host[256], char port[8]);
/* The files of certificates can be read. SD_ECONF: error says which not. */
int connection_check(const struct policy_output *config, char error[OUTPUT_ERROR]);
/* To config.path, or to config.server by config.transport. SD_EIO: error got one line. SD_EMEM. */
int connection_open(const struct policy_output *config, const struct patience *patience,
                    struct connection **out, char error[OUTPUT_ERROR]);
/* SD_EIO: it broke, or the receiver takes nothing for ten seconds. */
int connection_send(struct connection *c, const struct patience *patience, const char *octets,
                    size_t count);
/* True: the receiver hung up. */
bool connection_is_broken(struct connection *c);
/* Says that no more comes and waits a second for the receiver to hang up, too: true, it has read
 * all. */
bool connection_finish(struct connection *c);
void connection_close(struct connection *c);

#endif
