/* Several readers of one interface: the part of a kernel filter that leaves to each its share.
 *
 * A share is of pairs of addresses, whichever of the two sends: both directions of a flow, all
 * flows between the two, every fragment, and the ICMP errors that quote one of these packets meet
 * in one reader. Not by PACKET_FANOUT: a socket that has joined a group cannot be bound again when
 * its interface was taken away and made anew (EINVAL), as a dialled-in one is every night; and its
 * hash is by flow, or of fragments that the kernel has put together. The price is that each packet
 * is offered to each reader, about 50 ns for one more of them. */
#ifndef SEALDNS_CAPTURE_SHARE_H
#define SEALDNS_CAPTURE_SHARE_H

#include <pcap.h>

#include "capture/capture.h"

/* A program that returns 0 for what is another reader's, and else goes on behind its end. What is
 * no IP, or in a framing that it does not know (MPLS, three tags, a link without addresses), is
 * the first reader's; of a tunnel the outer addresses count. out->bf_insns is the caller's to
 * free(). SD_EMEM. */
int share_build(int linktype, const struct capture_share *share, struct bpf_program *out);

#endif
