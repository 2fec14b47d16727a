#include "base/signing.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

struct signing_key {
    EVP_PKEY *pair;
    unsigned char public[SIGNING_KEY];
};

static int fail(int status, char error[SIGNING_ERROR], const char *path, const char *why)
{
    snprintf(error, SIGNING_ERROR, "%.160s: %.80s", path, why);
    return status;
}

static int make(const char *path, EVP_PKEY **out, char error[SIGNING_ERROR])
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *to = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
    bool written;

    if (!to) {
        if (descriptor >= 0)
            close(descriptor);
        return fail(errno == EACCES ? SD_EPERM : SD_EIO, error, path, strerror(errno));
    }
    *out = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    written = *out && PEM_write_PrivateKey(to, *out, NULL, NULL, 0, NULL, NULL) == 1;
    written &= fflush(to) == 0 && fsync(descriptor) == 0;
    if (fclose(to) == 0 && written)
        return SD_OK;
    EVP_PKEY_free(*out);
    *out = NULL;
    return fail(SD_EIO, error, path, "the key could not be written");
}

/* A file that wants a password gets none, rather than that somebody is asked for it. */
static int no_password(char *out, int size, int writing, void *context)
{
    (void)out, (void)size, (void)writing, (void)context;
    return -1;
}

static EVP_PKEY *read_pem(FILE *from, bool public)
{
    EVP_PKEY *k = public ? PEM_read_PUBKEY(from, NULL, no_password, NULL)
                         : PEM_read_PrivateKey(from, NULL, no_password, NULL);

    if (k && EVP_PKEY_get_id(k) == EVP_PKEY_ED25519)
        return k;
    EVP_PKEY_free(k);
    return NULL;
}

static int open_file(const char *path, FILE **out, char error[SIGNING_ERROR])
{
    int status;

    if ((*out = fopen(path, "re")) != NULL)
        return SD_OK;
    status = errno == ENOENT ? SD_ENOENT : errno == EACCES ? SD_EPERM : SD_EIO;
    return fail(status, error, path, strerror(errno));
}

static int read_pair(const char *path, EVP_PKEY **out, char error[SIGNING_ERROR])
{
    FILE *from;
    int status = open_file(path, &from, error);

    if (status != SD_OK)
        return status;
    *out = read_pem(from, false);
    fclose(from);
    return *out ? SD_OK : fail(SD_EFORMAT, error, path, "no Ed25519 key in PEM");
}

int signing_open(const char *path, bool may_make, struct signing_key **out,
                 char error[SIGNING_ERROR])
{
    struct signing_key *k = calloc(1, sizeof *k);
    size_t size = SIGNING_KEY;
    int status;

    if (!k)
        return fail(SD_EMEM, error, path, sd_strerror(SD_EMEM));
    status = read_pair(path, &k->pair, error);
    if (status == SD_ENOENT && may_make)
        status = make(path, &k->pair, error);
    if (status == SD_OK && EVP_PKEY_get_raw_public_key(k->pair, k->public, &size) != 1)
        status = fail(SD_EMEM, error, path, sd_strerror(SD_EMEM));
    if (status == SD_OK)
        *out = k;
    else
        signing_close(k);
    return status;
}

void signing_close(struct signing_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pair);
    free(k);
}

const unsigned char *signing_public(const struct signing_key *k)
{
    return k->public;
}

int signing_sign(struct signing_key *k, const void *octets, size_t length,
                 unsigned char out[SIGNING_SIGNATURE])
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    size_t size = SIGNING_SIGNATURE;
    bool good = c && EVP_DigestSignInit(c, NULL, NULL, NULL, k->pair) == 1 &&
                EVP_DigestSign(c, out, &size, octets, length) == 1;

    EVP_MD_CTX_free(c);
    return good ? SD_OK : SD_EMEM;
}

int signing_read_public(const char *path, unsigned char out[SIGNING_KEY], char error[SIGNING_ERROR])
{
    size_t size = SIGNING_KEY;
    EVP_PKEY *k;
    FILE *from;
    int status = open_file(path, &from, error);

    if (status != SD_OK)
        return status;
    k = read_pem(from, false);
    rewind(from);
    if (!k)
        k = read_pem(from, true);
    fclose(from);
    if (!k || EVP_PKEY_get_raw_public_key(k, out, &size) != 1)
        status = fail(SD_EFORMAT, error, path, "no Ed25519 key in PEM");
    EVP_PKEY_free(k);
    return status;
}

bool signing_is_by(const unsigned char public[SIGNING_KEY], const void *octets, size_t length,
                   const unsigned char signature[SIGNING_SIGNATURE])
{
    EVP_PKEY *k = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public, SIGNING_KEY);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool good = k && c && EVP_DigestVerifyInit(c, NULL, NULL, NULL, k) == 1 &&
                EVP_DigestVerify(c, signature, SIGNING_SIGNATURE, octets, length) == 1;

    EVP_MD_CTX_free(c);
    EVP_PKEY_free(k);
    return good;
}

void signing_beside(const char *store, char *out, size_t size)
{
    const char *slash = strrchr(store, '/');

    snprintf(out, size, "%.*s/" SIGNING_FILE, slash ? (int)(slash - store) : 1,
             slash ? store : ".");
}
