#include "store/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

enum { PENDING = 1024, SALTS = 64 };

struct digester {
    EVP_MD *sha256;
    EVP_MD_CTX *context;
    bool good;
    size_t used, salts_left;
    unsigned char pending[PENDING]; /* one call of the library for many small columns */
    unsigned char salts[SALTS][SALT];
};

struct digester *digester_create(void)
{
    struct digester *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    d->context = EVP_MD_CTX_new();
    if (d->sha256 && d->context && EVP_DigestInit_ex2(d->context, d->sha256, NULL) == 1)
        return d;
    digester_destroy(d);
    return NULL;
}

void digester_destroy(struct digester *d)
{
    if (!d)
        return;
    EVP_MD_CTX_free(d->context);
    EVP_MD_free(d->sha256);
    free(d);
}

static void flush(struct digester *d)
{
    d->good &= d->used == 0 || EVP_DigestUpdate(d->context, d->pending, d->used) == 1;
    d->used = 0;
}

void digest_octets(struct digester *d, const void *octets, size_t length)
{
    if (length == 0)
        return;
    if (length > PENDING - d->used)
        flush(d);
    if (length > PENDING) {
        d->good &= EVP_DigestUpdate(d->context, octets, length) == 1;
        return;
    }
    memcpy(d->pending + d->used, octets, length);
    d->used += length;
}

void digest_begin(struct digester *d, const unsigned char *salt)
{
    d->used = 0;
    d->good = EVP_DigestInit_ex2(d->context, NULL, NULL) == 1;
    if (salt)
        digest_octets(d, salt, SALT);
}

static void put_number(struct digester *d, char type, uint64_t number)
{
    unsigned char octets[9] = {(unsigned char)type};

    for (int i = 0; i < 8; i++)
        octets[1 + i] = (unsigned char)(number >> (8 * i));
    digest_octets(d, octets, sizeof octets);
}

static void put_string(struct digester *d, char type, const void *octets, size_t length)
{
    put_number(d, type, length);
    digest_octets(d, octets, length);
}

void digest_text(struct digester *d, const char *text)
{
    if (text)
        put_string(d, 't', text, strlen(text));
    else
        digest_octets(d, "n", 1);
}

void digest_blob(struct digester *d, const void *octets, size_t length)
{
    if (octets)
        put_string(d, 'b', octets, length);
    else
        digest_octets(d, "n", 1);
}

void digest_number(struct digester *d, int64_t number)
{
    put_number(d, 'i', (uint64_t)number);
}

static void put_column(struct digester *d, sqlite3_stmt *q, int at)
{
    double real;
    uint64_t word;

    switch (sqlite3_column_type(q, at)) {
    case SQLITE_NULL:
        digest_octets(d, "n", 1);
        break;
    case SQLITE_INTEGER:
        digest_number(d, sqlite3_column_int64(q, at));
        break;
    case SQLITE_FLOAT:
        real = sqlite3_column_double(q, at);
        memcpy(&word, &real, sizeof word);
        put_number(d, 'f', word);
        break;
    case SQLITE_BLOB:
        put_string(d, 'b', sqlite3_column_blob(q, at), (size_t)sqlite3_column_bytes(q, at));
        break;
    default:
        put_string(d, 't', sqlite3_column_text(q, at), (size_t)sqlite3_column_bytes(q, at));
    }
}

void digest_columns(struct digester *d, sqlite3_stmt *q, int from, int count)
{
    for (int i = 0; i < count; i++)
        put_column(d, q, from + i);
}

int digest_end(struct digester *d, unsigned char out[DIGEST])
{
    flush(d);
    return d->good && EVP_DigestFinal_ex(d->context, out, NULL) == 1 ? SD_OK : SD_EMEM;
}

int digest_link(struct digester *d, const unsigned char before[DIGEST], int64_t row,
                const unsigned char digest[DIGEST], unsigned char out[DIGEST])
{
    digest_begin(d, NULL);
    digest_octets(d, before, DIGEST);
    digest_number(d, row);
    digest_octets(d, digest, DIGEST);
    return digest_end(d, out);
}

int digest_salt(struct digester *d, unsigned char out[SALT])
{
    if (d->salts_left == 0) {
        if (getrandom(d->salts, sizeof d->salts, 0) != (ssize_t)sizeof d->salts)
            return SD_EIO;
        d->salts_left = SALTS;
    }
    memcpy(out, d->salts[--d->salts_left], SALT);
    return SD_OK;
}

void digest_hex(const unsigned char *octets, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < length; i++) {
        out[2 * i] = digits[octets[i] >> 4];
        out[2 * i + 1] = digits[octets[i] & 15];
    }
    out[2 * length] = '\0';
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_from_hex(const char *text, unsigned char *out, size_t length)
{
    if (strlen(text) != 2 * length)
        return false;
    for (size_t i = 0; i < length; i++) {
        int high = digit_of(text[2 * i]), low = digit_of(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}
