/* DNS messages out of one direction of a TCP stream (RFC 1035 4.2.2, RFC 7766): split over
 * segments, several in one, behind a lost segment. A message that lies whole in a segment is read
 * in place. */
#ifndef SEALDNS_OBSERVE_ASSEMBLY_H
#define SEALDNS_OBSERVE_ASSEMBLY_H

#include <stdbool.h>
#include <stdint.h>

#include "observe/pool.h"
#include "observe/stream.h"

struct dns_assembly {
    uint8_t *bytes; /* of a message that is not complete */
    uint32_t room, have;
    uint32_t skip; /* rest of a message that was counted by its header */
    uint16_t want;
    uint8_t prefix[2];
    uint8_t prefix_have;
    bool lost;     /* looking for a segment that begins with a message */
    bool doubtful; /* the next header must look like one */
};

struct assembly_reader {
    /* present < whole: the rest was not captured */
    bool (*message)(void *context, const uint8_t *bytes, uint32_t present, uint32_t whole);
    void *context;
};

/* True when these bytes, from a length prefix on, may be a DNS message as far as they go. */
bool assembly_plausible(const uint8_t *bytes, size_t length);
/* The stream begins in the middle. */
void assembly_begin_lost(struct dns_assembly *a);
/* message() returns false for a message that does not parse. */
void assembly_feed(struct dns_assembly *a, struct budget *b, const struct stream_piece *piece,
                   struct assembly_reader reader);
void assembly_drop(struct dns_assembly *a, struct budget *b);

#endif
