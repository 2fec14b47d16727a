/* The inside of dns_walk(): where it stands in the message, and what it asks of a record's data. */
#ifndef SEALDNS_CLASSIFY_DNS_RDATA_H
#define SEALDNS_CLASSIFY_DNS_RDATA_H

#include "base/cursor.h"
#include "model/dns.h"

/* Labels and pointers that the names of a whole message may take to read. Honest messages stay far
 * below (34 labels of an ip6.arpa owner on a record of 14 octets are 2.4 an octet); without a
 * bound, 64 KiB of records that all point into one long chain of pointers cost 40 million steps. */
#define DNS_STEPS_PER_OCTET 4
#define DNS_STEPS_LEAST     512

struct dns_walk {
    const uint8_t *bytes; /* of the message: what a compression pointer counts from */
    size_t length;
    struct cursor at;
    unsigned budget;
    unsigned qname; /* octets of the question's name, which stands at octet 12 without a pointer in
                       it; 0: not read yet, or not so */
    bool alias;     /* a CNAME or DNAME among the answers */
    bool unsound;   /* as in struct dns_message */
};

/* Reads the name at c, which ends within c (RFC 1035 4.1.4: what a pointer leads to may lie before
 * it), and moves c behind it; lower case into lower[DNS_NAME_WIRE] unless NULL. Returns its octets
 * without compression. A name of more than 255 octets, or whose pointer leads forward or in a loop,
 * is unsound: its first labels are kept. SD_ETRUNC: it runs beyond c; SD_EMALF: a label of more
 * than 63 octets or of an unknown kind, a pointer out of the message; SD_ELIMIT: the message's
 * steps are used up. */
int dns_walk_name(struct dns_walk *w, struct cursor *c, uint8_t *lower);
/* Whether the data of a record fits its type: fixed fields, names (compressed or not), nothing
 * over. A type that libknot does not know fits always (RFC 3597); none at all in class IN is
 * unsound. SD_EMALF, SD_ELIMIT as above. Not to be asked of an OPT with options. */
int dns_walk_rdata(struct dns_walk *w, uint16_t type, uint16_t class, const struct cursor *rdata);
/* Whether the data of an SVCB or HTTPS record is well formed (RFC 9460 2.2, 7.1.1); libknot 3.2
 * takes it as it comes. SD_EMALF: not. */
int dns_svcb_check(struct cursor rdata);

#endif
