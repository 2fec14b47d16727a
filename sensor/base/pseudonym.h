/* Pseudonyms of clients: an address in place of an address, so that whatever takes one takes the
 * other. HMAC-SHA256 of the real one, cut to 64 bits, behind a /64 that nobody routes:
 *
 *   fd II:IIII:IIII  NNNN  hhhh:hhhh:hhhh:hhhh
 *      installation  key   of the client
 *
 * The 40 bits of the installation are random and stay (RFC 4193); the number goes up with each key,
 * so two pseudonyms with different numbers say by themselves that they cannot be compared. A key
 * makes pseudonyms for one rotation and resolves them for another one; then it is erased, and
 * nobody can relate any more. Keys live in one file; only who holds it can tell who somebody is. */
#ifndef SEALDNS_BASE_PSEUDONYM_H
#define SEALDNS_BASE_PSEUDONYM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/addr.h"
#include "base/time.h"

enum { PSEUDONYM_ERROR = 192, PSEUDONYM_KEYS = 2 };

struct pseudonyms;

/* The keys of this file, as they are. error gets a sentence. SD_ENOENT: there is no file; SD_EPERM:
 * it may not be read, or others than its owner may; SD_EFORMAT: it is none of ours; SD_EMEM. */
int pseudonyms_read(const char *path, struct pseudonyms **out, char error[PSEUDONYM_ERROR]);
/* The same for the one who writes records: makes the file where there is none, and turns the key
 * where it is time. Besides the above SD_EIO: the file cannot be written. */
int pseudonyms_open(const char *path, nsec_t rotate, nsec_t now, struct pseudonyms **out,
                    char error[PSEUDONYM_ERROR]);
void pseudonyms_close(struct pseudonyms *p);
/* Turns the key once a rotation has passed, and erases the one before the last: call now and then.
 * SD_EIO: it could not be written; the old key goes on. */
int pseudonyms_turn(struct pseudonyms *p, nsec_t now);

/* By the key of now. The zero address, which is nobody's, stays. */
struct addr pseudonym_of(const struct pseudonyms *p, const struct addr *real);
/* By each key that lives, newest first; how many. */
size_t pseudonyms_of(const struct pseudonyms *p, const struct addr *real,
                     struct addr out[PSEUDONYM_KEYS]);
/* It lies among this installation's pseudonyms, whoever wrote it. */
bool pseudonym_is(const struct pseudonyms *p, const struct addr *a);
/* It is the pseudonym of that address, by a key that lives. */
bool pseudonym_fits(const struct pseudonyms *p, const struct addr *pseudonym,
                    const struct addr *real);
/* Who it is, tried out over the addresses of networks (at most 2^24 of each are tried; those of
 * IPv6 can therefore only be checked by pseudonym_fits()). SD_ENOENT: nobody there, or its key is
 * gone. */
int pseudonym_resolve(const struct pseudonyms *p, const struct addr *pseudonym,
                      const struct prefix *networks, size_t count, struct addr *out);

/* Who is to be hidden. */
struct pseudonym_choice {
    bool (*hides)(const void *context, const struct addr *a);
    const void *context;
};

/* Copies text with a pseudonym in place of each address that the choice hides, and "-" in place of
 * each link address. False: out[size] is too small; what is in it is not to be used. */
bool pseudonym_text(const struct pseudonyms *p, const char *text, struct pseudonym_choice choice,
                    char *out, size_t size);

#endif
