/* What a row says, as 32 octets: SHA-256 over its columns, each with its type and length ahead, so
 * that no two rows are written the same. Internal to store/. */
#ifndef SEALDNS_STORE_DIGEST_H
#define SEALDNS_STORE_DIGEST_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST = 32, SALT = 16, DIGEST_HEX = 2 * DIGEST + 1 };

struct digester;

struct digester *digester_create(void); /* NULL: no memory */
void digester_destroy(struct digester *d);

/* salt: SALT octets, or NULL. Whoever has only a digest cannot try out what it may be of: where the
 * salt is gone the contents are. */
void digest_begin(struct digester *d, const unsigned char *salt);
void digest_text(struct digester *d, const char *text); /* NULL: SQL's */
void digest_number(struct digester *d, int64_t number);
/* NULL: SQL's */
void digest_blob(struct digester *d, const void *octets, size_t length);
void digest_octets(struct digester *d, const void *octets, size_t length); /* without type */
void digest_columns(struct digester *d, sqlite3_stmt *q, int from, int count);
/* SD_EMEM. */
int digest_end(struct digester *d, unsigned char out[DIGEST]);

/* The hash of a link of the chain: over the one before, the row's number and its digest. SD_EMEM.
 */
int digest_link(struct digester *d, const unsigned char before[DIGEST], int64_t row,
                const unsigned char digest[DIGEST], unsigned char out[DIGEST]);
/* The next of the salts that are drawn in bulk. SD_EIO. */
int digest_salt(struct digester *d, unsigned char out[SALT]);

void digest_hex(const unsigned char *octets, size_t length, char *out);
/* Exactly so many octets, in lower case. */
bool digest_from_hex(const char *text, unsigned char *out, size_t length);

#endif
