/* Rules of the public suffix list as it lay on the machine that built this: written by embed.cmake.
 */
#ifndef SEALDNS_ACCOUNT_SUFFIX_RULES_H
#define SEALDNS_ACCOUNT_SUFFIX_RULES_H

/* Of the whole list, hexadecimal; empty: there was none. */
extern const char suffix_rules_sha1[];
/* One a line, as the list has them ("co.uk", "*.ck", "!www.ck"): those of several labels that are
 * ASCII. Rules in other letters are missing (their names have labels that begin with "xn--"). */
extern const char suffix_rules[];

#endif
