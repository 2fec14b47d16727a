/* The keys of QUIC's Initial packets, and what they open (RFC 9001 5). */
#ifndef SEALDNS_CLASSIFY_QUIC_KEYS_H
#define SEALDNS_CLASSIFY_QUIC_KEYS_H

#include "classify/quic_initial.h"

/* Whether Initial packets of this version are read here. */
bool quic_version_known(uint32_t version);
/* Whether the type bits of a long header's first octet say Initial in this version. */
bool quic_is_initial(uint32_t version, uint8_t first);
/* Both sides' keys from the destination connection id of the client's first packet. */
void quic_keys_derive(uint32_t version, const uint8_t *dcid, size_t length,
                      struct quic_keys *client, struct quic_keys *server);
/* Opens a packet: its `length` octets up to the end of its payload, the packet number at `number`.
 * plain: at least `length` octets. The length of the payload; SD_ETRUNC: too short to be one;
 * SD_EMALF: not with these keys. */
int quic_open(const struct quic_keys *keys, const uint8_t *packet, size_t length, size_t number,
              uint8_t *plain);

#endif
