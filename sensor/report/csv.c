/* Tables one after the other (RFC 4180), each with its caption ahead and an empty line behind;
 * numbers as they are, for programs. */
#include <string.h>

#include "base/error.h"
#include "report/cells.h"
#include "report/report.h"

/* A spreadsheet would take it for a formula. */
static bool is_formula(const char *text)
{
    return *text && strchr("=+-@\t\r", *text);
}

static void put_text(const char *text, FILE *to)
{
    fputs(is_formula(text) ? "\"'" : "\"", to);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc((unsigned char)*text < 0x20 ? ' ' : *text, to);
    }
    fputc('"', to);
}

static void put_cell(const json_t *cell, FILE *to)
{
    if (json_is_integer(cell))
        fprintf(to, "%lld", (long long)json_integer_value(cell));
    else if (json_is_real(cell))
        fprintf(to, "%.6f", json_real_value(cell));
    else if (json_is_string(cell))
        put_text(json_string_value(cell), to);
}

static void put_row(const json_t *row, FILE *to)
{
    const json_t *cell;
    size_t i;

    json_array_foreach(row, i, cell)
    {
        fputs(i ? "," : "", to);
        put_cell(cell, to);
    }
    fputs("\r\n", to);
}

static void put_table(const json_t *table, FILE *to)
{
    const json_t *column, *row;
    size_t i;

    put_text(json_word(table, "caption"), to);
    fputs("\r\n", to);
    json_array_foreach(json_object_get(table, "columns"), i, column)
    {
        fputs(i ? "," : "", to);
        put_text(json_word(column, "id"), to);
    }
    fputs("\r\n", to);
    json_array_foreach(json_object_get(table, "rows"), i, row) put_row(row, to);
    fputs("\r\n", to);
}

static void put_measures(const json_t *report, FILE *to)
{
    const char *name;
    json_t *value;

    fputs("\"Measures\"\r\n\"measure\",\"value\"\r\n", to);
    json_object_foreach(json_object_get(report, "measures"), name, value)
    {
        put_text(name, to);
        fputc(',', to);
        put_cell(value, to);
        fputs("\r\n", to);
    }
    fputs("\r\n", to);
}

static int write_csv(const json_t *report, FILE *to)
{
    const json_t *section, *table;
    size_t i, k;

    put_measures(report, to);
    json_array_foreach(json_object_get(report, "sections"), i, section)
        json_array_foreach(json_object_get(section, "tables"), k, table) put_table(table, to);
    return ferror(to) ? SD_EIO : SD_OK;
}

const struct report_format report_format_csv = {"csv", "text/csv; charset=utf-8", "csv", write_csv};
