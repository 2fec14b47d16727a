/* The file with the keys of pseudonyms: text, its owner's alone. */
#ifndef SEALDNS_BASE_PSEUDONYM_KEYS_H
#define SEALDNS_BASE_PSEUDONYM_KEYS_H

#include "base/pseudonym.h"

enum { PSEUDONYM_SECRET = 32, PSEUDONYM_INSTALLATION = 5 };

struct pseudonym_keys {
    uint8_t installation[PSEUDONYM_INSTALLATION];
    size_t count;
    struct pseudonym_key {
        uint16_t number;
        nsec_t since;
        uint8_t secret[PSEUDONYM_SECRET];
    } list[PSEUDONYM_KEYS]; /* newest first */
};

/* SD_ENOENT, SD_EPERM, SD_EFORMAT as pseudonyms_read(). */
int pseudonym_keys_read(const char *path, struct pseudonym_keys *out, char error[PSEUDONYM_ERROR]);
/* In one step; what was in the file before is overwritten. SD_EIO. */
int pseudonym_keys_write(const char *path, const struct pseudonym_keys *k);
/* A new key where there is none, or the newest is a rotation old; the one before it stays for
 * another, older ones go. True: something changed. */
bool pseudonym_keys_turn(struct pseudonym_keys *k, nsec_t rotate, nsec_t now);

#endif
