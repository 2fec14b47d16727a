#include "report/manifest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/signing.h"
#include "report/cells.h"

enum { KEY = SIGNING_KEY, SIGNATURE = SIGNING_SIGNATURE, HASH = 32, PATH_SIZE = 4096 };

static int fail(int status, char error[MANIFEST_ERROR], const char *path, const char *why)
{
    snprintf(error, MANIFEST_ERROR, "%.160s: %.80s", path, why);
    return status;
}

/* --- octets as text -------------------------------------------------------------------------- */

static json_t *base64(const unsigned char *octets, size_t length)
{
    unsigned char text[SIGNATURE * 2];

    EVP_EncodeBlock(text, octets, (int)length);
    return json_string((const char *)text);
}

/* Exactly so many. */
static bool from_base64(const char *text, unsigned char *out, size_t length)
{
    unsigned char octets[SIGNATURE + 3];
    size_t size = strlen(text);

    if (size != (length + 2) / 3 * 4 ||
        EVP_DecodeBlock(octets, (const unsigned char *)text, (int)size) < (int)length)
        return false;
    memcpy(out, octets, length);
    return true;
}

static int hash_file(const char *path, char out[2 * HASH + 1], char error[MANIFEST_ERROR])
{
    FILE *from = fopen(path, "re");
    EVP_MD_CTX *h = EVP_MD_CTX_new();
    unsigned char block[16384], digest[EVP_MAX_MD_SIZE];
    bool good = from && h && EVP_DigestInit_ex(h, EVP_sha256(), NULL) == 1;
    size_t length;

    while (good && (length = fread(block, 1, sizeof block, from)) > 0)
        good = EVP_DigestUpdate(h, block, length) == 1;
    good = good && !ferror(from) && EVP_DigestFinal_ex(h, digest, NULL) == 1;
    EVP_MD_CTX_free(h);
    if (from)
        fclose(from);
    if (!good)
        return fail(SD_EIO, error, path, from ? "cannot be read" : strerror(errno));
    for (int i = 0; i < HASH; i++)
        sprintf(out + 2 * i, "%02x", digest[i]);
    return SD_OK;
}

/* --- signing --------------------------------------------------------------------------------- */

/* What is signed: all members but the signature, by name, without a blank. */
static char *signed_text(const json_t *manifest)
{
    json_t *copy = json_copy((json_t *)manifest);
    char *text;

    json_object_del(copy, "signature");
    text = json_dumps(copy, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(copy);
    return text;
}

static int sign(json_t *manifest, struct signing_key *key)
{
    unsigned char signature[SIGNATURE];
    char *text;
    int status;

    json_object_set_new(manifest, "public_key", base64(signing_public(key), KEY));
    text = signed_text(manifest);
    status = text ? signing_sign(key, text, strlen(text), signature) : SD_EMEM;
    if (status == SD_OK)
        json_object_set_new(manifest, "signature", base64(signature, SIGNATURE));
    free(text);
    return status;
}

static bool is_signed(const json_t *manifest)
{
    unsigned char public[KEY], signature[SIGNATURE];
    char *text = signed_text(manifest);
    bool good = text && from_base64(json_word(manifest, "public_key"), public, KEY) &&
                from_base64(json_word(manifest, "signature"), signature, SIGNATURE) &&
                signing_is_by(public, text, strlen(text), signature);

    free(text);
    return good;
}

/* --- manifests ------------------------------------------------------------------------------- */

static json_t *describe(const char *file, const char *hash, const json_t *report,
                        const char *format, int64_t rows)
{
    const char *slash = strrchr(file, '/');
    json_t *m = json_pack("{s:s,s:s,s:s,s:I}", "file", slash ? slash + 1 : file, "sha256", hash,
                          "format", format, "last_event_row", (json_int_t)rows);
    static const char *const members[] = {"host", "from", "to", "made", "version", "policy"};

    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        json_object_set_new(m, members[i], json_string(json_word(report, members[i])));
    return m;
}

int manifest_write(const char *file, const char *key, const json_t *report, const char *format,
                   int64_t rows, char error[MANIFEST_ERROR])
{
    char path[PATH_SIZE], hash[2 * HASH + 1];
    struct signing_key *pair = NULL;
    json_t *m;
    int status = signing_open(key, true, &pair, error);

    if (status == SD_OK)
        status = hash_file(file, hash, error);
    if (status != SD_OK) {
        signing_close(pair);
        return status;
    }
    snprintf(path, sizeof path, "%s" MANIFEST_SUFFIX, file);
    m = describe(file, hash, report, format, rows);
    status = sign(m, pair);
    if (status == SD_OK && json_dump_file(m, path, JSON_INDENT(1) | JSON_ENSURE_ASCII) != 0)
        status = fail(SD_EIO, error, path, strerror(errno));
    else if (status != SD_OK)
        fail(status, error, path, "could not be signed");
    json_decref(m);
    signing_close(pair);
    return status;
}

/* The public half of the installation's key; "" where it is not here. */
static int own_public(const char *path, char out[SIGNATURE], char error[MANIFEST_ERROR])
{
    unsigned char public[KEY];
    int status = signing_read_public(path, public, error);

    *out = '\0';
    if (status == SD_ENOENT || status == SD_EPERM)
        return SD_OK; /* an auditor has none */
    if (status == SD_OK)
        EVP_EncodeBlock((unsigned char *)out, public, KEY);
    return status;
}

static void say(const json_t *m, FILE *to)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)m, name, value)
    {
        char text[CELL];

        if (strcmp(name, "signature") != 0)
            fprintf(to, "%-14s %s\n", name, cell_text(value, NULL, text));
    }
}

static int judge(const json_t *m, const char *file, const char *key, char error[MANIFEST_ERROR])
{
    char hash[2 * HASH + 1], public[SIGNATURE];
    int status = hash_file(file, hash, error);

    if (status == SD_OK)
        status = own_public(key, public, error);
    if (status != SD_OK)
        return status;
    if (!is_signed(m))
        return fail(SD_EMALF, error, file, "its manifest is not as it was signed");
    if (strcmp(hash, json_word(m, "sha256")) != 0)
        return fail(SD_EMALF, error, file, "the file is not the one that was signed");
    if (*public && strcmp(public, json_word(m, "public_key")) != 0)
        return fail(SD_EMALF, error, file, "signed, but not by this installation's key");
    return SD_OK;
}

int manifest_check(const char *file, const char *key, FILE *to, char error[MANIFEST_ERROR])
{
    char path[PATH_SIZE];
    json_t *m;
    int status;

    snprintf(path, sizeof path, "%s" MANIFEST_SUFFIX, file);
    m = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(m)) {
        json_decref(m);
        return fail(SD_EFORMAT, error, path, "there is no manifest");
    }
    status = judge(m, file, key, error);
    if (status == SD_OK)
        say(m, to);
    json_decref(m);
    return status;
}
