/* For a function that most packets do not need: as a part of its caller its frame would be made and
 * checked for all of them. */
#ifndef SEALDNS_BASE_APART_H
#define SEALDNS_BASE_APART_H

#define APART __attribute__((noinline))

#endif
