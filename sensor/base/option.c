#include "base/option.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/text.h"
#include "base/time.h"

#define QUOTE_LIMIT 48

static int wrong(char error[OPTION_ERROR], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int wrong(char error[OPTION_ERROR], const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(error, OPTION_ERROR, format, arguments);
    va_end(arguments);
    return SD_EINVAL;
}

const char *option_quote(const char *text, char out[OPTION_ERROR])
{
    size_t length = strlen(text), used = 1;

    out[0] = '`';
    used += text_printable(text, QUOTE_LIMIT, out + used, OPTION_ERROR - 8);
    snprintf(out + used, OPTION_ERROR - used, length > QUOTE_LIMIT ? "...`" : "`");
    return out;
}

/* Edits between a and b, a swap of neighbours counting as one; beyond 31 characters: far. */
static unsigned edits(const char *a, const char *b)
{
    unsigned row[3][33];
    size_t n = strlen(a), m = strlen(b);

    if (n > 31 || m > 31)
        return 32;
    for (unsigned j = 0; j <= m; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= n; i++) {
        unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];

        now[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            unsigned best = before[j - 1] + (a[i - 1] != b[j - 1]);

            best = before[j] + 1 < best ? before[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                best = earlier[j - 2] + 1 < best ? earlier[j - 2] + 1 : best;
            now[j] = best;
        }
    }
    return row[n % 3][m];
}

struct nearest nearest_to(const char *text)
{
    size_t length = strlen(text);

    return (struct nearest){.to = text, .distance = length < 4 ? 2 : length < 8 ? 3 : 4};
}

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t length = strlen(n->to);
    unsigned distance = edits(n->to, candidate);

    if (length > 1 && strncmp(candidate, n->to, length) == 0)
        distance = 0; /* the beginning of a word */

    if (distance < n->distance) {
        n->distance = distance;
        n->best = candidate;
    }
}

const char *nearest_text(const struct nearest *n, char out[OPTION_ERROR])
{
    out[0] = '\0';
    if (n->best)
        snprintf(out, OPTION_ERROR, " (did you mean `%s`?)", n->best);
    return out;
}

/* C0, DEL, and in UTF-8 the C1 set, which terminals take for commands too. */
static bool is_control(const char *at)
{
    const unsigned char *c = (const unsigned char *)at;

    return c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
}

static int copy_text(const struct option *o, const char *text, char *field, char *error)
{
    size_t length = strlen(text);

    if (length == 0)
        return wrong(error, "`%s` is empty", o->name);
    if (length >= o->size)
        return wrong(error, "`%s` is too long: %zu octets, at most %zu", o->name, length,
                     o->size - 1);
    for (size_t i = 0; i < length; i++)
        if (is_control(text + i))
            return wrong(error, "`%s` holds a control character", o->name);
    memcpy(field, text, length + 1);
    return SD_OK;
}

static int set_id(const struct option *o, const char *text, char *field, char *error)
{
    char quoted[OPTION_ERROR];

    if (text[0] == '\0' || text[0] == '-' ||
        text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] != '\0')
        return wrong(error, "%s is no %s: use a-z, 0-9 and `-`, beginning with a letter or digit",
                     option_quote(text, quoted), o->name);
    return copy_text(o, text, field, error);
}

static bool label_ok(const char *label, size_t length)
{
    if (length == 0 || length > 63 || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", label[i]))
            return false;
    return true;
}

static bool name_ok(const char *name)
{
    if (strncmp(name, "*.", 2) == 0)
        name += 2;
    for (;;) {
        size_t length = strcspn(name, ".");

        if (!label_ok(name, length))
            return false;
        if (name[length] == '\0')
            return true;
        name += length + 1;
    }
}

static int set_name(const struct option *o, const char *text, char *field, char *error)
{
    char quoted[OPTION_ERROR];
    char name[256];
    size_t length = strlen(text);
    struct addr address;

    if (length && text[length - 1] == '.')
        length--;
    if (length == 0 || length > 253)
        return wrong(error, "%s is no DNS name: 1 to 253 characters", option_quote(text, quoted));
    for (size_t i = 0; i < length; i++)
        name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
    name[length] = '\0';
    if (addr_parse(name, &address) == SD_OK)
        return wrong(error, "%s is an address, not a name: it belongs under `addresses`",
                     option_quote(text, quoted));
    if (!name_ok(name))
        return wrong(error, "%s is no DNS name: labels of a-z, 0-9, `-` and `_`, joined by dots",
                     option_quote(text, quoted));
    return copy_text(o, name, field, error);
}

static int set_path(const struct option *o, const char *text, char *field, char *error)
{
    char quoted[OPTION_ERROR];

    if (text[0] != '/')
        return wrong(error, "%s is no absolute path: begin it with `/`",
                     option_quote(text, quoted));
    return copy_text(o, text, field, error);
}

static int set_iface(const struct option *o, const char *text, char *field, char *error)
{
    char quoted[OPTION_ERROR];
    size_t length = strlen(text);

    if (length == 0 || length > 15 || strpbrk(text, " /\t") || strcmp(text, ".") == 0)
        return wrong(error, "%s is no interface name: 1 to 15 characters, no space, no `/`",
                     option_quote(text, quoted));
    return copy_text(o, text, field, error);
}

static int set_pin(const struct option *o, const char *text, char *field, char *error)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char quoted[OPTION_ERROR];

    if (strncmp(text, "sha256/", 7) != 0 || strspn(text + 7, digits) != 43 ||
        strcmp(text + 50, "=") != 0)
        return wrong(error, "%s is no pin: write `sha256/` and 44 characters of base64",
                     option_quote(text, quoted));
    return copy_text(o, text, field, error);
}

/* "allow, alert, drop" into out, ending in "..." where they do not fit; offers each to near. */
static void list_words(const struct option *o, struct nearest *near, char *out, size_t size)
{
    size_t used = 0;
    bool full = false;

    for (unsigned i = 0; strcmp(o->word(i), "?") != 0; i++) {
        const char *word = o->word(i);

        if (o->without >> i & 1)
            continue;
        nearest_offer(near, word);
        if (full || used + strlen(word) + 8 > size) {
            if (!full)
                memcpy(out + used, ", ...", 6);
            full = true;
            continue;
        }
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", word);
    }
}

static int set_word(const struct option *o, const char *text, void *field, char *error)
{
    char quoted[OPTION_ERROR], list[100] = "", hint[OPTION_ERROR];
    struct nearest near = nearest_to(text);

    for (unsigned i = 0; strcmp(o->word(i), "?") != 0; i++)
        if (!(o->without >> i & 1) && strcmp(o->word(i), text) == 0) {
            memcpy(field, &i, sizeof i);
            return SD_OK;
        }
    list_words(o, &near, list, sizeof list);
    return wrong(error, "`%s` cannot be %s: one of %s%s", o->name, option_quote(text, quoted), list,
                 nearest_text(&near, hint));
}

static int set_flag(const struct option *o, const char *text, bool *field, char *error)
{
    char quoted[OPTION_ERROR];

    *field = strcmp(text, "true") == 0;
    if (*field || strcmp(text, "false") == 0)
        return SD_OK;
    return wrong(error, "`%s` cannot be %s: true or false", o->name, option_quote(text, quoted));
}

/* Digits only, with a minus at most: what strtoll takes beyond that is no number here. */
static bool integer(const char *text, int64_t *out)
{
    const char *digits = text + (*text == '-');
    size_t length = strlen(digits);

    if (length == 0 || length > 18 || strspn(digits, "0123456789") != length)
        return false;
    *out = strtoll(text, NULL, 10);
    return true;
}

static int set_number(const struct option *o, const char *text, void *field, char *error)
{
    char quoted[OPTION_ERROR];
    int64_t value;
    uint32_t four;
    uint16_t two;

    if (!integer(text, &value) && o->least == INT64_MIN)
        return wrong(error, "`%s` cannot be %s: a whole number", o->name,
                     option_quote(text, quoted));
    if (!integer(text, &value) || value < o->least || value > o->most)
        return wrong(error, "`%s` cannot be %s: a whole number from %lld to %lld", o->name,
                     option_quote(text, quoted), (long long)o->least, (long long)o->most);
    four = (uint32_t)value;
    two = (uint16_t)value;
    if (o->size == 2)
        memcpy(field, &two, 2);
    else if (o->size == 4)
        memcpy(field, &four, 4);
    else
        memcpy(field, &value, 8);
    return SD_OK;
}

static int set_bytes(const struct option *o, const char *text, uint64_t *field, char *error)
{
    static const struct {
        const char *unit;
        uint64_t factor;
    } units[] = {
        {"", 1},
        {"B", 1},
        {"KiB", 1 << 10},
        {"MiB", 1 << 20},
        {"kB", 1000},
        {"GiB", 1 << 30},
        {"TiB", UINT64_C(1) << 40},
        {"MB", 1000000},
        {"KB", 1000},
        {"GB", 1000000000},
        {"TB", UINT64_C(1000000000000)},
    };
    char quoted[OPTION_ERROR];
    size_t digits = strspn(text, "0123456789");
    uint64_t number = digits && digits < 19 ? strtoull(text, NULL, 10) : 0;

    for (size_t i = 0; digits && digits < 19 && i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].unit, text + digits) == 0 && number <= INT64_MAX / units[i].factor) {
            *field = number * units[i].factor;
            return SD_OK;
        }
    return wrong(error, "`%s` cannot be %s: a size such as 512MiB or 2GiB", o->name,
                 option_quote(text, quoted));
}

static int set_duration(const struct option *o, const char *text, nsec_t *field, char *error)
{
    char quoted[OPTION_ERROR];

    if (duration_parse(text, field) == SD_OK)
        return SD_OK;
    return wrong(error, "`%s` cannot be %s: a time such as 90s, 15m, 6h, 400d or 2w", o->name,
                 option_quote(text, quoted));
}

/* strptime() is generous; a date of a policy is not: 2035-01-31 or 2035-01-31T12:00:00Z. */
static bool date_shape(const char *text)
{
    static const char shape[] = "0000-00-00T00:00:00Z";
    size_t length = strlen(text);

    if (length != 10 && length != sizeof shape - 1)
        return false;
    for (size_t i = 0; i < length; i++)
        if (shape[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return memcmp(text, "1970", 4) >= 0 && memcmp(text, "2262", 4) < 0;
}

static int set_date(const struct option *o, const char *text, nsec_t *field, char *error)
{
    char quoted[OPTION_ERROR], day[11] = "";
    nsec_t ignored;

    if (date_shape(text)) {
        memcpy(day, text, 10);
        if (time_parse(day, 0, &ignored) == SD_OK && time_parse(text, 1, field) == SD_OK)
            return SD_OK;
    }
    return wrong(error, "`%s` cannot be %s: a day such as 2035-01-31 (it ends with that day, UTC)",
                 o->name, option_quote(text, quoted));
}

static int set_address(const char *text, struct addr *field, char *error)
{
    char quoted[OPTION_ERROR];

    if (addr_parse(text, field) == SD_OK)
        return SD_OK;
    if (strchr(text, '/'))
        return wrong(error, "%s is no address: one without `/LENGTH` is wanted here",
                     option_quote(text, quoted));
    return wrong(error, "%s is no IPv4 or IPv6 address", option_quote(text, quoted));
}

static int set_prefix(const char *text, struct prefix *field, char *error)
{
    char quoted[OPTION_ERROR], right[ADDR_TEXT + 4];
    int e = prefix_parse(text, field);

    if (e == SD_OK)
        return SD_OK;
    if (e != SD_EMALF)
        return wrong(error, "%s is no network: write 10.20.0.0/16 or \"2001:db8::/32\"",
                     option_quote(text, quoted));
    for (unsigned bit = field->length; bit < 128; bit++)
        field->addr.b[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    return wrong(error, "%s has bits set behind its length: did you mean %s?",
                 option_quote(text, quoted), prefix_text(field, right));
}

int option_set(const struct option *o, const char *text, void *field, char error[OPTION_ERROR])
{
    switch (o->kind) {
    case OPTION_TEXT:
        return copy_text(o, text, field, error);
    case OPTION_ID:
        return set_id(o, text, field, error);
    case OPTION_NAME:
        return set_name(o, text, field, error);
    case OPTION_PATH:
        return set_path(o, text, field, error);
    case OPTION_IFACE:
        return set_iface(o, text, field, error);
    case OPTION_PIN:
        return set_pin(o, text, field, error);
    case OPTION_WORD:
        return set_word(o, text, field, error);
    case OPTION_FLAG:
        return set_flag(o, text, field, error);
    case OPTION_NUMBER:
        return set_number(o, text, field, error);
    case OPTION_BYTES:
        return set_bytes(o, text, field, error);
    case OPTION_DURATION:
        return set_duration(o, text, field, error);
    case OPTION_DATE:
        return set_date(o, text, field, error);
    case OPTION_ADDRESS:
        return set_address(text, field, error);
    case OPTION_PREFIX:
        return set_prefix(text, field, error);
    case OPTION_PART:
        break;
    }
    return wrong(error, "`%s` takes no single value", o->name);
}
