/* The key of an installation (Ed25519, RFC 8032): signs reports and the checkpoints of the store. A
 * PEM file beside the store; its private half never leaves it. */
#ifndef SEALDNS_BASE_SIGNING_H
#define SEALDNS_BASE_SIGNING_H

#include <stdbool.h>
#include <stddef.h>

#define SIGNING_ERROR 256
#define SIGNING_FILE  "installation.key" /* in the store's folder */

enum { SIGNING_KEY = 32, SIGNING_SIGNATURE = 64 }; /* octets: public half, signature */

struct signing_key;

/* may_make: where there is no file it is made (mode 0600). SD_ENOENT; SD_EPERM; SD_EFORMAT (that is
 * no Ed25519 key); SD_EIO: error says which file and why. */
int signing_open(const char *path, bool may_make, struct signing_key **out,
                 char error[SIGNING_ERROR]);
void signing_close(struct signing_key *k);
const unsigned char *signing_public(const struct signing_key *k);
/* SD_EMEM. */
int signing_sign(struct signing_key *k, const void *octets, size_t length,
                 unsigned char out[SIGNING_SIGNATURE]);

/* The public half out of a PEM file of either half. Errors as of signing_open(). */
int signing_read_public(const char *path, unsigned char out[SIGNING_KEY],
                        char error[SIGNING_ERROR]);
bool signing_is_by(const unsigned char public[SIGNING_KEY], const void *octets, size_t length,
                   const unsigned char signature[SIGNING_SIGNATURE]);

/* installation.key beside the store of that path. */
void signing_beside(const char *store, char *out, size_t size);

#endif
