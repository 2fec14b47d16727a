/* The records of a pcap file (draft-ietf-opsawg-pcap), read in blocks and given where they lie in
 * them. libpcap opens the file and judges its header; what it asks of the stream for each packet,
 * a head and a body, costs more than all else that is done to read one. Internal to capture/. */
#ifndef SEALDNS_CAPTURE_RECORDS_H
#define SEALDNS_CAPTURE_RECORDS_H

#include <pcap.h>
#include <stdio.h>

#include "model/frame.h"

struct records;

/* Reads on behind the header that pcap has taken from file, which stays the caller's; first: the
 * file's first octet. SD_EUNSUP: not of the plain kind (another byte order, version or layout, or a
 * link type whose packets libpcap works on): pcap reads on itself. SD_EMEM. */
int records_open(FILE *file, pcap_t *pcap, int first, struct records **out);
void records_close(struct records *r);
/* The next packet but for its link type, borrowed until the next call. SD_EEND. SD_ETRUNC: the file
 * ends inside a record. SD_EMALF: longer than any packet, nothing behind it can be read. SD_EIO. */
int records_next(struct records *r, struct frame *out);

#endif
