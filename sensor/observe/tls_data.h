/* Application data of a TLS flow, by the lengths of its records alone: which may be queries, which
 * answers, and which are neither (session tickets, HTTP/2's own frames). */
#ifndef SEALDNS_OBSERVE_TLS_DATA_H
#define SEALDNS_OBSERVE_TLS_DATA_H

#include "observe/observer.h"

/* A record of the client after its handshake. */
void tls_client_data(struct observer *o, struct flow *f, uint16_t length);
/* A record of the server after the client's handshake. */
void tls_server_data(struct observer *o, struct flow *f, uint16_t length);
/* No second ticket came: the first was none, but an answer. */
void tls_no_ticket(struct flow *f);

#endif
