#include "detect/shape.h"

#include <math.h>
#include <string.h>

#define WORD_BITS   2   /* a character of natural language, about */
#define SHORT       16  /* letters: shorter ones are not judged */
#define PLAIN       32  /* letters: so short, words can be as even as data by chance ... */
#define SWITCHES    3   /* ... but seldom change between letters and digits so often */
#define LONG        64  /* no name of a machine is so long */
#define EVEN        930 /* thousandths, of data */
#define EVEN_LONG   800 /* of a long one: coded text is less even than coded cipher text */
#define NIBBLES     16  /* labels of one digit at the front: an IPv6 address backwards */
#define ADDRESS_END 4   /* decimal labels of an IPv4 address */

/* What was counted on the way along the labels. */
struct census {
    uint8_t count[256];
    unsigned letters, labels, longest;
    unsigned decimals, nibbles; /* labels at the front that are such */
    unsigned digits, hex;       /* hex: a to f and digits */
    unsigned switches;          /* between letters and digits */
    bool odd, high, service;
};

void shape_logs_fill(struct shape_logs *logs)
{
    logs->n_log_n[0] = 0;
    for (unsigned n = 1; n < 256; n++)
        logs->n_log_n[n] = (float)n * log2f((float)n);
}

static bool is_digit(uint8_t octet)
{
    return octet >= '0' && octet <= '9';
}

static void count_octet(struct census *c, uint8_t octet)
{
    if (octet == '-' || octet == '_')
        return;
    c->count[octet]++;
    c->letters++;
    c->digits += is_digit(octet);
    c->hex += is_digit(octet) || (octet >= 'a' && octet <= 'f');
    c->odd |= !is_digit(octet) && !(octet >= 'a' && octet <= 'z');
    c->high |= octet >= 0x80;
}

static bool is_decimal(const uint8_t *label, unsigned length)
{
    unsigned value = 0;

    for (unsigned i = 0; i < length; i++) {
        if (!is_digit(label[i]))
            return false;
        value = value * 10 + label[i] - '0';
    }
    return length >= 1 && length <= 3 && value <= 255;
}

static bool is_nibble(const uint8_t *label, unsigned length)
{
    return length == 1 && (is_digit(label[0]) || (label[0] >= 'a' && label[0] <= 'f'));
}

static bool is_word(const uint8_t *label, unsigned length, const char *word)
{
    return length == strlen(word) && memcmp(label, word, length) == 0;
}

static void count_label(struct census *c, const uint8_t *label, unsigned length)
{
    if (c->decimals == c->labels && is_decimal(label, length))
        c->decimals++;
    if (c->nibbles == c->labels && is_nibble(label, length))
        c->nibbles++;
    c->labels++;
    c->service |= label[0] == '_' || is_word(label, length, "dkim") ||
                  is_word(label, length, "domainkey"); /* where RFC 6376 keys are aliased to */
    if (length > c->longest)
        c->longest = length;
    for (unsigned i = 0; i < length; i++) {
        count_octet(c, label[i]);
        c->switches += i > 0 && is_digit(label[i]) != is_digit(label[i - 1]);
    }
}

/* Characters that the text is drawn from, a word among hex aside. Case is lost on the way here:
 * base64 looks like 38. */
static unsigned alphabet(const struct census *c)
{
    if (c->high)
        return 100;
    if (c->digits * 10 >= c->letters * 9)
        return 10;
    if (c->hex * 10 >= c->letters * 9)
        return 16;
    if (c->odd)
        return 40;
    return c->digits ? 36 : 26;
}

static float entropy(const struct census *c, const struct shape_logs *logs)
{
    float sum = 0;

    for (unsigned i = 0; i < 256; i++)
        sum += logs->n_log_n[c->count[i]];
    return (logs->n_log_n[c->letters] - sum) / (float)c->letters;
}

/* What n even draws have on average (Miller and Madow's first term), and never over log2(n). */
static float most_entropy(unsigned n, unsigned from)
{
    float bias = (float)(from - 1) / (2.0F * (float)n * 0.6931F);
    float most = log2f((float)from) - bias, bound = log2f((float)n);

    return most < bound ? most : bound;
}

static uint16_t evenness(const struct census *c, unsigned from, const struct shape_logs *logs)
{
    float most;

    if (c->letters < SHORT)
        return 0;
    most = most_entropy(c->letters, from);
    return most > 0 ? (uint16_t)(1000.0F * entropy(c, logs) / most) : 0;
}

static bool is_coded(const struct census *c, unsigned evenness, unsigned from)
{
    if (c->high || (c->letters >= LONG && evenness >= EVEN_LONG))
        return true;
    if (from > 16 && c->letters < PLAIN && c->switches < SWITCHES)
        return false;
    return evenness >= EVEN;
}

struct shape shape_of(const uint8_t *wire, unsigned end, const struct shape_logs *logs)
{
    struct census c = {.letters = 0};
    struct shape s = {.letters = 0};
    unsigned from;
    float bits;

    for (unsigned at = 0; at < end && wire[at] && at + 1U + wire[at] <= end; at += 1U + wire[at])
        count_label(&c, wire + at + 1, wire[at]);
    from = alphabet(&c);
    s.letters = (uint16_t)c.letters;
    s.longest = (uint8_t)c.longest;
    s.odd = c.odd;
    s.service = c.service;
    s.address = c.decimals >= ADDRESS_END || c.nibbles >= NIBBLES;
    s.evenness = evenness(&c, from, logs);
    s.coded = is_coded(&c, s.evenness, from);
    bits = s.coded ? log2f((float)from) : WORD_BITS;
    s.information = (uint16_t)((float)c.letters * bits / 8.0F);
    return s;
}
