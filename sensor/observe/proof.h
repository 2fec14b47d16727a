/* That a client gets what its server sends: only then is the address its own, and not one that
 * somebody wrote into packets of his. TCP: what it sends first acknowledges the number that the
 * server's SYN-ACK began with, or the server answers its bytes; QUIC: it uses the connection id
 * that the server chose. Not proof against who stands on the path and sees the server's packets.
 * Numbers of SYN-ACKs are kept until the client speaks: the latest PROOF_SYN_ACKS, 32 KiB. */
#ifndef SEALDNS_OBSERVE_PROOF_H
#define SEALDNS_OBSERVE_PROOF_H

#include <stdbool.h>
#include <stdint.h>

struct flow;
struct observer;
struct packet;
struct quic_sight;

enum { PROOF_SYN_ACKS = 4096 };

enum proof {
    PROOF_NONE,
    PROOF_GIVEN,
    PROOF_SPOILT /* packets of two connections, before the server spoke: whose name it is, nobody
                    can say */
};

struct proof_syn_ack {
    uint32_t flow, number;
};

/* Another SYN of the client. */
void proof_syn(struct flow *f, uint32_t isn);
/* The server's SYN-ACK. */
void proof_syn_ack(struct observer *o, const struct flow *f, const struct packet *p);
/* The client's first payload; the flow has its cold part. */
void proof_first(const struct observer *o, struct flow *f, const struct packet *p);
/* The server's payload, before it is read and its acknowledgment is taken. */
void proof_answer(struct flow *f, const struct packet *p);
/* A datagram of the flow. True: now it is proven, and was not. */
bool proof_datagram(const struct observer *o, struct flow *f, const struct quic_sight *s,
                    bool from_client);

#endif
