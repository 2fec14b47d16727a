#include "names.h"

#include "random.h"

#include <stdio.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const hosts[] = {"www",  "api", "cdn",  "img",    "static",
                                    "mail", "m",   "edge", "assets", "login"};
static const char *const syllables[] = {"ba", "cor", "den", "fi", "gal", "ho",  "ka", "lim",
                                        "mo", "nor", "pa",  "ri", "sol", "tem", "va", "zu"};
static const char *const domains[] = {"com", "net", "org", "de", "io", "co.uk", "fr"};

void name_text(uint32_t number, char out[NAME_MAX_LENGTH])
{
    uint64_t mixed = random_mix(number);
    snprintf(out, NAME_MAX_LENGTH, "%s.%s%s%s%u.%s", hosts[mixed % COUNT(hosts)],
             syllables[mixed >> 8 & 15], syllables[mixed >> 12 & 15], syllables[mixed >> 16 & 15],
             number, domains[(mixed >> 20) % COUNT(domains)]);
}
