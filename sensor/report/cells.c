#include "report/cells.h"

#include <stdio.h>
#include <string.h>

const char *json_word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

bool cell_is_number(const json_t *column)
{
    const char *kind = json_word(column, "kind");

    return strcmp(kind, "number") == 0 || strcmp(kind, "share") == 0;
}

/* By thousands. */
static void write_integer(json_int_t n, char out[CELL])
{
    char digits[32];
    size_t length, at = 0;

    snprintf(digits, sizeof digits, "%lld", (long long)n);
    length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i > (digits[0] == '-') && (length - i) % 3 == 0)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
}

const char *cell_text(const json_t *cell, const json_t *column, char out[CELL])
{
    const char *kind = json_word(column, "kind"), *text = json_string_value(cell);

    if (!cell || json_is_null(cell) || (text && !*text))
        return strcpy(out, "-");
    if (json_is_number(cell) && strcmp(kind, "share") == 0)
        snprintf(out, CELL, "%.1f %%", 100 * json_number_value(cell));
    else if (json_is_integer(cell))
        write_integer(json_integer_value(cell), out);
    else if (json_is_real(cell))
        snprintf(out, CELL, "%.2f", json_real_value(cell));
    else if (text && strcmp(kind, "time") == 0 && strlen(text) >= 16)
        snprintf(out, CELL, "%.10s %.5s", text, text + 11);
    else
        snprintf(out, CELL, "%s", text ? text : "");
    return out;
}
