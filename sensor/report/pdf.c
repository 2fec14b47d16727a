/* The same on A4, by cairo and pango: sections, charts, tables whose head stands on every page. */
#include <cairo-pdf.h>
#include <pango/pangocairo.h>
#include <string.h>

#include "base/error.h"
#include "report/cells.h"
#include "report/chart.h"
#include "report/report.h"

/* Points of 1/72 inch. */
#define PAGE_WIDE 595.0
#define PAGE_HIGH 842.0
#define MARGIN    48.0
#define FOOT      40.0
#define WIDE      (PAGE_WIDE - 2 * MARGIN)
#define INK       0x16202a
#define SOFT      0x5b6875
#define GRAVE     0x8a3208
#define HEAD_FONT "Sans Bold 7"
#define CELL_FONT "Sans 7.5"
#define GAP       4.0
enum { COLUMNS = 16, MEASURED = 60 };

struct pdf {
    cairo_t *cr;
    PangoLayout *layout;
    double y;
    int page;
    const json_t *report;
};

static void set_colour(cairo_t *cr, unsigned colour)
{
    cairo_set_source_rgb(cr, (colour >> 16 & 0xff) / 255.0, (colour >> 8 & 0xff) / 255.0,
                         (colour & 0xff) / 255.0);
}

/* Strangers' octets: valid, without control characters and without those that turn the direction
 * of what follows. */
static char *clean(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        bool turns = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
                     c == 0x200f || c == 0x061c;

        if (!turns)
            g_string_append_unichar(out, g_unichar_iscntrl(c) ? ' ' : c);
    }
    g_free(valid);
    return g_string_free(out, FALSE);
}

/* What is to be drawn next; returns its height. width 0: as wide as it is. */
static double set_text(struct pdf *p, const char *text, const char *font, double width)
{
    PangoFontDescription *d = pango_font_description_from_string(font);
    char *harmless = clean(text);
    int high;

    pango_layout_set_font_description(p->layout, d);
    pango_font_description_free(d);
    pango_layout_set_width(p->layout, width > 0 ? (int)(width * PANGO_SCALE) : -1);
    pango_layout_set_wrap(p->layout, PANGO_WRAP_WORD_CHAR);
    pango_layout_set_alignment(p->layout, PANGO_ALIGN_LEFT);
    pango_layout_set_text(p->layout, harmless, -1);
    g_free(harmless);
    pango_layout_get_size(p->layout, NULL, &high);
    return (double)high / PANGO_SCALE;
}

static double text_width(struct pdf *p, const char *text, const char *font)
{
    int wide;

    set_text(p, text, font, 0);
    pango_layout_get_size(p->layout, &wide, NULL);
    return (double)wide / PANGO_SCALE;
}

static void draw(struct pdf *p, double x, double y, unsigned colour)
{
    set_colour(p->cr, colour);
    cairo_move_to(p->cr, x, y);
    pango_cairo_show_layout(p->cr, p->layout);
}

static void draw_line(struct pdf *p, double y, double width, unsigned colour)
{
    set_colour(p->cr, colour);
    cairo_set_line_width(p->cr, width);
    cairo_move_to(p->cr, MARGIN, y);
    cairo_line_to(p->cr, PAGE_WIDE - MARGIN, y);
    cairo_stroke(p->cr);
}

static void end_page(struct pdf *p)
{
    char foot[256];

    snprintf(foot, sizeof foot, "%s, %.10s to %.10s", json_word(p->report, "host"),
             json_word(p->report, "from"), json_word(p->report, "to"));
    set_text(p, foot, "Sans 7.5", WIDE);
    draw(p, MARGIN, PAGE_HIGH - FOOT + 8, SOFT);
    snprintf(foot, sizeof foot, "Page %d", ++p->page);
    draw_line(p, PAGE_HIGH - FOOT + 4, 0.5, 0xd5dbe1);
    set_text(p, foot, "Sans 7.5", WIDE);
    pango_layout_set_alignment(p->layout, PANGO_ALIGN_RIGHT);
    draw(p, MARGIN, PAGE_HIGH - FOOT + 8, SOFT);
    cairo_show_page(p->cr);
    p->y = MARGIN;
}

/* True: a new page was begun for it. */
static bool need(struct pdf *p, double high)
{
    if (p->y + high <= PAGE_HIGH - FOOT - 4)
        return false;
    end_page(p);
    return true;
}

static void put_paragraph(struct pdf *p, const char *text, const char *font, unsigned colour,
                          double behind)
{
    double high = set_text(p, text, font, WIDE);

    if (need(p, high))
        set_text(p, text, font, WIDE);
    draw(p, MARGIN, p->y, colour);
    p->y += high + behind;
}

/* --- charts ---------------------------------------------------------------------------------- */

static void draw_rectangle(void *context, double x, double y, double width, double height,
                           unsigned colour)
{
    struct pdf *p = context;

    set_colour(p->cr, colour);
    cairo_rectangle(p->cr, x, y, width, height);
    cairo_fill(p->cr);
}

static void draw_stroke(void *context, const struct chart_line *l, unsigned colour)
{
    struct pdf *p = context;

    set_colour(p->cr, colour);
    cairo_set_line_width(p->cr, l->width);
    cairo_set_line_cap(p->cr, CAIRO_LINE_CAP_ROUND);
    cairo_move_to(p->cr, l->x1, l->y1);
    cairo_line_to(p->cr, l->x2, l->y2);
    cairo_stroke(p->cr);
}

static void draw_word(void *context, double x, double y, enum chart_anchor anchor, const char *text)
{
    struct pdf *p = context;
    double width = text_width(p, text, CELL_FONT);
    double left = anchor == ANCHOR_START ? x : anchor == ANCHOR_END ? x - width : x - width / 2;

    draw(p, left, y - 10, SOFT);
}

static void put_chart(struct pdf *p, const json_t *chart)
{
    const struct chart_canvas canvas = {p, draw_rectangle, draw_stroke, draw_word};
    double scale = WIDE / CHART_WIDE;

    if (json_array_size(json_object_get(chart, "labels")) < 2)
        return;
    need(p, CHART_HIGH * scale + 24);
    put_paragraph(p, json_word(chart, "title"), "Sans Bold 9", INK, 3);
    cairo_save(p->cr);
    cairo_translate(p->cr, MARGIN, p->y);
    cairo_scale(p->cr, scale, scale);
    chart_draw(chart, &canvas);
    cairo_restore(p->cr);
    p->y += CHART_HIGH * scale + 12;
}

/* --- tables ---------------------------------------------------------------------------------- */

struct grid {
    const json_t *columns;
    size_t count;
    double width[COLUMNS];
};

/* Of the longest word: titles may stand in several lines. */
static double title_width(struct pdf *p, const char *title)
{
    double widest = 0;
    char word[64];

    while (*title) {
        size_t length = strcspn(title, " ");

        snprintf(word, sizeof word, "%.*s", (int)length, title);
        widest = MAX(widest, text_width(p, word, HEAD_FONT));
        title += length + (title[length] == ' ');
    }
    return widest;
}

/* As wide as what is in them; when that is too wide, the widest give. */
static void measure(struct pdf *p, const json_t *table, struct grid *g)
{
    const json_t *rows = json_object_get(table, "rows"), *row;
    double sum = 0, widest;
    char text[CELL];
    size_t i, k, at = 0;

    for (k = 0; k < g->count; k++)
        g->width[k] = title_width(p, json_word(json_array_get(g->columns, k), "title"));
    json_array_foreach(rows, i, row) for (k = 0; k < g->count && i < MEASURED; k++)
    {
        const char *cell = cell_text(json_array_get(row, k), json_array_get(g->columns, k), text);

        g->width[k] = MAX(g->width[k], text_width(p, cell, CELL_FONT));
    }
    for (k = 0; k < g->count; k++)
        sum += g->width[k] + 2 * GAP;
    for (int turn = 0; sum > WIDE && turn < 200; turn++) {
        for (widest = 0, k = 0; k < g->count; k++)
            if (g->width[k] > widest)
                widest = g->width[at = k];
        g->width[at] -= MIN(sum - WIDE, widest * 0.1);
        for (sum = 0, k = 0; k < g->count; k++)
            sum += g->width[k] + 2 * GAP;
    }
    for (k = 0; sum < WIDE && k < g->count; k++)
        g->width[k] += (WIDE - sum) / (double)g->count;
}

/* A row of texts; returns its height. draw_it false: only measured. */
static double put_cells(struct pdf *p, const struct grid *g, const json_t *row, bool draw_it)
{
    double x = MARGIN, highest = 0;
    char text[CELL];

    for (size_t k = 0; k < g->count; k++) {
        const json_t *column = json_array_get(g->columns, k);
        const char *cell =
            row ? cell_text(json_array_get(row, k), column, text) : json_word(column, "title");
        double high = set_text(p, cell, row ? CELL_FONT : HEAD_FONT, g->width[k]);

        if (cell_is_number(column))
            pango_layout_set_alignment(p->layout, PANGO_ALIGN_RIGHT);
        if (draw_it)
            draw(p, x, p->y + 2.5, row ? INK : SOFT);
        highest = MAX(highest, high);
        x += g->width[k] + 2 * GAP;
    }
    return highest + 5;
}

static void put_head(struct pdf *p, const struct grid *g)
{
    p->y += put_cells(p, g, NULL, true);
    draw_line(p, p->y, 1, INK);
}

static void put_table(struct pdf *p, const json_t *table)
{
    struct grid g = {.columns = json_object_get(table, "columns")};
    const json_t *rows = json_object_get(table, "rows"), *row;
    size_t i;

    g.count = MIN(json_array_size(g.columns), (size_t)COLUMNS);
    measure(p, table, &g);
    need(p, 70);
    p->y += 6;
    put_paragraph(p, json_word(table, "caption"), "Sans Bold 9", INK, 2);
    if (json_array_size(rows) == 0) {
        put_paragraph(p, "none", "Sans Italic 8.5", SOFT, 8);
        return;
    }
    put_head(p, &g);
    json_array_foreach(rows, i, row)
    {
        double high = put_cells(p, &g, row, false);

        if (need(p, high))
            put_head(p, &g);
        put_cells(p, &g, row, true);
        p->y += high;
        draw_line(p, p->y, 0.4, 0xd5dbe1);
    }
    p->y += 10;
}

/* --- the document ---------------------------------------------------------------------------- */

static void put_section(struct pdf *p, const json_t *section)
{
    bool summary = strcmp(json_word(section, "id"), "summary") == 0;
    const json_t *one;
    size_t i;

    need(p, 90);
    p->y += 10;
    put_paragraph(p, json_word(section, "title"), "Sans Bold 14", INK, 5);
    json_array_foreach(json_object_get(section, "says"), i, one)
        put_paragraph(p, json_word(one, "text"), summary ? "Sans 11.5" : "Sans 9.5",
                      json_is_true(json_object_get(one, "grave")) ? GRAVE : INK, summary ? 7 : 3.5);
    json_array_foreach(json_object_get(section, "charts"), i, one) put_chart(p, one);
    json_array_foreach(json_object_get(section, "tables"), i, one) put_table(p, one);
    if (summary)
        end_page(p);
}

static void put_title(struct pdf *p)
{
    char line[512];

    p->y = MARGIN + 20;
    put_paragraph(p, json_word(p->report, "title"), "Sans Bold 24", INK, 6);
    snprintf(line, sizeof line, "%s %s, %.10s %.5s to %.10s %.5s UTC", json_word(p->report, "of"),
             json_word(p->report, "host"), json_word(p->report, "from"),
             json_word(p->report, "from") + 11, json_word(p->report, "to"),
             json_word(p->report, "to") + 11);
    put_paragraph(p, line, "Sans 10", SOFT, 2);
    snprintf(line, sizeof line, "Made %.10s %.5s UTC by sealdns %s; policy %s",
             json_word(p->report, "made"), json_word(p->report, "made") + 11,
             json_word(p->report, "version"), json_word(p->report, "policy"));
    put_paragraph(p, line, "Sans 10", SOFT, 8);
    draw_line(p, p->y, 2, INK);
    p->y += 10;
}

static cairo_status_t write_octets(void *context, const unsigned char *data, unsigned length)
{
    return fwrite(data, 1, length, context) == length ? CAIRO_STATUS_SUCCESS
                                                      : CAIRO_STATUS_WRITE_ERROR;
}

static void describe(cairo_surface_t *surface, const json_t *report)
{
    char made[TIME_TEXT];

    snprintf(made, sizeof made, "%.19sZ", json_word(report, "made"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, json_word(report, "title"));
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, "sealdns");
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, made);
}

static int write_pdf(const json_t *report, FILE *to)
{
    cairo_surface_t *surface =
        cairo_pdf_surface_create_for_stream(write_octets, to, PAGE_WIDE, PAGE_HIGH);
    struct pdf p = {.cr = cairo_create(surface), .report = report};
    const json_t *section;
    cairo_status_t status;
    size_t i;

    describe(surface, report);
    p.layout = pango_cairo_create_layout(p.cr);
    put_title(&p);
    json_array_foreach(json_object_get(report, "sections"), i, section) put_section(&p, section);
    end_page(&p);
    g_object_unref(p.layout);
    cairo_surface_finish(surface);
    status = cairo_status(p.cr) ? cairo_status(p.cr) : cairo_surface_status(surface);
    cairo_destroy(p.cr);
    cairo_surface_destroy(surface);
    return status == CAIRO_STATUS_SUCCESS     ? SD_OK
           : status == CAIRO_STATUS_NO_MEMORY ? SD_EMEM
                                              : SD_EIO;
}

const struct report_format report_format_pdf = {"pdf", "application/pdf", "pdf", write_pdf};
