/* Words of the DNS parameters registry of IANA. */
#ifndef SEALDNS_OUTPUT_DNS_WORDS_H
#define SEALDNS_OUTPUT_DNS_WORDS_H

#include <stdint.h>

enum { DNS_WORD = 16 };

/* "AAAA"; one without a name "TYPE1234" (RFC 3597 5), written into text. */
const char *dns_type_word(uint16_t type, char text[DNS_WORD]);
/* "NXDOMAIN"; one without a name "RCODE12". */
const char *dns_rcode_word(uint8_t rcode, char text[DNS_WORD]);

#endif
