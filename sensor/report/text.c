/* For a terminal or a mail: sentences, and tables in columns. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "report/cells.h"
#include "report/report.h"

enum { COLUMNS = 16, WIDEST = 40, LINE = 100 };

static void put_clean(const char *text, int width, bool right, FILE *to)
{
    char clean[CELL];

    text_printable(text, CELL, clean, sizeof clean);
    fprintf(to, right ? "%*s" : "%-*s", width, clean);
}

/* Broken at blanks. */
static void put_paragraph(const char *text, const char *first, FILE *to)
{
    const char *indent = first;

    while (*text) {
        size_t length = strlen(text), fits = length;

        if (length > LINE)
            for (fits = LINE; fits > LINE / 2 && text[fits] != ' '; fits--)
                ;
        fprintf(to, "%s%.*s\n", indent, (int)fits, text);
        text += fits + (text[fits] == ' ');
        indent = "  ";
    }
}

static void measure(const json_t *table, int width[COLUMNS])
{
    const json_t *columns = json_object_get(table, "columns"), *column, *row;
    char text[CELL];
    size_t i, k;

    json_array_foreach(columns, k, column) if (k < COLUMNS) width[k] =
        (int)strlen(json_word(column, "title"));
    json_array_foreach(json_object_get(table, "rows"), i,
                       row) for (k = 0; k < json_array_size(row) && k < COLUMNS; k++)
    {
        int length =
            (int)strlen(cell_text(json_array_get(row, k), json_array_get(columns, k), text));

        if (length > width[k])
            width[k] = length < WIDEST ? length : WIDEST;
    }
}

/* What is too wide for columns: row by row, a line for each cell. */
static void put_records(const json_t *table, FILE *to)
{
    const json_t *columns = json_object_get(table, "columns"), *row, *cell;
    char text[CELL], line[2 * CELL], clean[2 * CELL];
    size_t i, k;

    json_array_foreach(json_object_get(table, "rows"), i, row) json_array_foreach(row, k, cell)
    {
        const json_t *column = json_array_get(columns, k);

        snprintf(line, sizeof line, "%s%s: %s", k ? "  " : "", json_word(column, "title"),
                 cell_text(cell, column, text));
        text_printable(line, sizeof line, clean, sizeof clean);
        put_paragraph(clean, k ? "  " : "\n  ", to);
    }
}

static bool is_wide(const json_t *table)
{
    const json_t *row, *cell;
    size_t i, k;

    json_array_foreach(json_object_get(table, "rows"), i, row)
        json_array_foreach(row, k, cell) if (json_is_string(cell) &&
                                             json_string_length(cell) > 2 * WIDEST) return true;
    return false;
}

static void put_table(const json_t *table, FILE *to)
{
    const json_t *columns = json_object_get(table, "columns"), *column, *row;
    int width[COLUMNS] = {0};
    char text[CELL];
    size_t i, k;

    if (json_array_size(json_object_get(table, "rows")) == 0)
        return;
    if (is_wide(table)) {
        fprintf(to, "\n  %s\n", json_word(table, "caption"));
        put_records(table, to);
        return;
    }
    measure(table, width);
    fprintf(to, "\n  %s\n  ", json_word(table, "caption"));
    json_array_foreach(columns, k, column)
    {
        put_clean(json_word(column, "title"), width[k], cell_is_number(column), to);
        fputs("  ", to);
    }
    json_array_foreach(json_object_get(table, "rows"), i, row)
    {
        fputs("\n  ", to);
        for (k = 0; k < json_array_size(row) && k < COLUMNS; k++) {
            column = json_array_get(columns, k);
            put_clean(cell_text(json_array_get(row, k), column, text), width[k],
                      cell_is_number(column), to);
            fputs("  ", to);
        }
    }
    fputc('\n', to);
}

static void put_section(const json_t *section, FILE *to)
{
    const char *title = json_word(section, "title");
    const json_t *said, *table;
    size_t i;

    fprintf(to, "\n%s\n", title);
    for (i = 0; i < strlen(title); i++)
        fputc('-', to);
    fputc('\n', to);
    json_array_foreach(json_object_get(section, "says"), i, said) put_paragraph(
        json_word(said, "text"), json_is_true(json_object_get(said, "grave")) ? "! " : "  ", to);
    json_array_foreach(json_object_get(section, "tables"), i, table) put_table(table, to);
}

static int write_text(const json_t *report, FILE *to)
{
    const json_t *section;
    size_t i;

    fprintf(to, "%s\n%s, %.10s to %.16s UTC, made %.16s by sealdns %s, policy %s\n",
            json_word(report, "title"), json_word(report, "host"), json_word(report, "from"),
            json_word(report, "to"), json_word(report, "made"), json_word(report, "version"),
            json_word(report, "policy"));
    json_array_foreach(json_object_get(report, "sections"), i, section) put_section(section, to);
    return ferror(to) ? SD_EIO : SD_OK;
}

const struct report_format report_format_text = {"text", "text/plain; charset=utf-8", "txt",
                                                 write_text};
