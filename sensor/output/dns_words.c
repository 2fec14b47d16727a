#include "output/dns_words.h"

#include <stddef.h>
#include <stdio.h>

const char *dns_type_word(uint16_t type, char text[DNS_WORD])
{
    static const struct {
        uint16_t type;
        const char *name;
    } known[] = {{1, "A"},      {2, "NS"},     {5, "CNAME"},  {6, "SOA"},
                 {10, "NULL"},  {12, "PTR"},   {15, "MX"},    {16, "TXT"},
                 {28, "AAAA"},  {33, "SRV"},   {41, "OPT"},   {64, "SVCB"},
                 {65, "HTTPS"}, {251, "IXFR"}, {252, "AXFR"}, {255, "ANY"}};

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].type == type)
            return known[i].name;
    snprintf(text, DNS_WORD, "TYPE%u", type);
    return text;
}

const char *dns_rcode_word(uint8_t rcode, char text[DNS_WORD])
{
    static const char *const known[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                        "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                        "NXRRSET", "NOTAUTH", "NOTZONE"};

    if (rcode < sizeof known / sizeof *known)
        return known[rcode];
    snprintf(text, DNS_WORD, "RCODE%u", rcode);
    return text;
}
