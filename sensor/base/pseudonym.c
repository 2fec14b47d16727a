#include "base/pseudonym.h"

#include <ctype.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pseudonym_keys.h"

#define MOST_TRIED (1u << 24)

struct pseudonyms {
    char path[256];
    nsec_t rotate; /* 0: only read */
    struct pseudonym_keys keys;
    struct hmac_sha256_ctx ready[PSEUDONYM_KEYS];
};

static void make_ready(struct pseudonyms *p)
{
    for (size_t i = 0; i < p->keys.count; i++)
        hmac_sha256_set_key(&p->ready[i], PSEUDONYM_SECRET, p->keys.list[i].secret);
}

static int load(const char *path, struct pseudonyms **out, char error[PSEUDONYM_ERROR])
{
    struct pseudonyms *p = calloc(1, sizeof *p);
    int status = p ? pseudonym_keys_read(path, &p->keys, error) : SD_EMEM;

    if (p)
        snprintf(p->path, sizeof p->path, "%s", path);
    if (status == SD_OK || status == SD_ENOENT)
        *out = p;
    else
        free(p);
    return status;
}

int pseudonyms_read(const char *path, struct pseudonyms **out, char error[PSEUDONYM_ERROR])
{
    struct pseudonyms *p = NULL;
    int status = load(path, &p, error);

    if (status == SD_OK) {
        make_ready(p);
        *out = p;
    } else {
        free(p);
    }
    return status;
}

int pseudonyms_open(const char *path, nsec_t rotate, nsec_t now, struct pseudonyms **out,
                    char error[PSEUDONYM_ERROR])
{
    struct pseudonyms *p = NULL;
    int status = load(path, &p, error);

    if (status != SD_OK && status != SD_ENOENT)
        return status;
    p->rotate = rotate;
    status = pseudonyms_turn(p, now);
    if (status != SD_OK) {
        snprintf(error, PSEUDONYM_ERROR, "cannot write %.120s: make its folder, or may not", path);
        pseudonyms_close(p);
        return status;
    }
    make_ready(p);
    *out = p;
    return SD_OK;
}

void pseudonyms_close(struct pseudonyms *p)
{
    if (!p)
        return;
    explicit_bzero(p, sizeof *p);
    free(p);
}

int pseudonyms_turn(struct pseudonyms *p, nsec_t now)
{
    struct pseudonym_keys anew = p->keys;
    int status;

    if (!pseudonym_keys_turn(&anew, p->rotate, now))
        return SD_OK;
    status = pseudonym_keys_write(p->path, &anew);
    if (status == SD_OK) {
        p->keys = anew;
        make_ready(p);
    }
    explicit_bzero(&anew, sizeof anew);
    return status;
}

static struct addr by_key(const struct pseudonyms *p, size_t key, const struct addr *real)
{
    struct hmac_sha256_ctx hash = p->ready[key];
    uint16_t number = p->keys.list[key].number;
    struct addr a = {.b = {0xfd}};

    memcpy(a.b + 1, p->keys.installation, PSEUDONYM_INSTALLATION);
    a.b[6] = (uint8_t)(number >> 8);
    a.b[7] = (uint8_t)number;
    hmac_sha256_update(&hash, sizeof real->b, real->b);
    hmac_sha256_digest(&hash, 8, a.b + 8);
    return a;
}

struct addr pseudonym_of(const struct pseudonyms *p, const struct addr *real)
{
    return addr_is_zero(real) ? *real : by_key(p, 0, real);
}

size_t pseudonyms_of(const struct pseudonyms *p, const struct addr *real,
                     struct addr out[PSEUDONYM_KEYS])
{
    for (size_t i = 0; i < p->keys.count; i++)
        out[i] = by_key(p, i, real);
    return p->keys.count;
}

bool pseudonym_is(const struct pseudonyms *p, const struct addr *a)
{
    return a->b[0] == 0xfd && memcmp(a->b + 1, p->keys.installation, PSEUDONYM_INSTALLATION) == 0;
}

/* The place of the key that made it, -1: it is gone. */
static int key_of(const struct pseudonyms *p, const struct addr *pseudonym)
{
    for (size_t i = 0; i < p->keys.count; i++)
        if (pseudonym_is(p, pseudonym) &&
            p->keys.list[i].number == (uint16_t)(pseudonym->b[6] << 8 | pseudonym->b[7]))
            return (int)i;
    return -1;
}

bool pseudonym_fits(const struct pseudonyms *p, const struct addr *pseudonym,
                    const struct addr *real)
{
    int key = key_of(p, pseudonym);
    struct addr made;

    if (key < 0)
        return false;
    made = by_key(p, (size_t)key, real);
    return addr_equal(&made, pseudonym);
}

static void next(struct addr *a)
{
    for (int i = 15; i >= 0 && ++a->b[i] == 0; i--)
        continue;
}

int pseudonym_resolve(const struct pseudonyms *p, const struct addr *pseudonym,
                      const struct prefix *networks, size_t count, struct addr *out)
{
    int key = key_of(p, pseudonym);

    for (size_t n = 0; n < count && key >= 0; n++) {
        struct addr one = networks[n].addr;

        for (uint32_t i = 0; i < MOST_TRIED && prefix_holds(&networks[n], &one); i++, next(&one)) {
            struct addr made = by_key(p, (size_t)key, &one);

            if (addr_equal(&made, pseudonym)) {
                *out = one;
                return SD_OK;
            }
        }
    }
    return SD_ENOENT;
}

static bool is_part(char c)
{
    return isxdigit((unsigned char)c) || c == ':' || c == '.';
}

/* What stands in place of a word of a text: nothing else is touched. */
static const char *in_place_of(const struct pseudonyms *p, const char *word,
                               const struct pseudonym_choice *choice, char text[ADDR_TEXT])
{
    struct addr a;
    uint64_t station;

    if (station_parse(word, &station) == SD_OK)
        return "-";
    if (addr_parse(word, &a) != SD_OK || !choice->hides(choice->context, &a))
        return NULL;
    a = pseudonym_of(p, &a);
    return addr_text(&a, text);
}

bool pseudonym_text(const struct pseudonyms *p, const char *text, struct pseudonym_choice choice,
                    char *out, size_t size)
{
    size_t used = 0;

    while (*text) {
        size_t length = 0, end;
        char word[ADDR_TEXT], made[ADDR_TEXT];
        const char *put = NULL;

        while (is_part(text[length]))
            length++;
        for (end = length; end > 0 && text[end - 1] == '.'; end--) /* of a sentence */
            continue;
        if (end > 1 && end < sizeof word) {
            memcpy(word, text, end);
            word[end] = '\0';
            put = in_place_of(p, word, &choice, made);
        }
        length += length == 0;
        end = put ? end : length;
        if (used + (put ? strlen(put) : end) >= size)
            return false;
        memcpy(out + used, put ? put : text, put ? strlen(put) : end);
        used += put ? strlen(put) : end;
        text += end;
    }
    out[used] = '\0';
    return true;
}
