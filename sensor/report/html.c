/* One self-contained page: no script, nothing from elsewhere, charts as SVG in it; prints on A4. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "report/cells.h"
#include "report/chart.h"
#include "report/report.h"

static const char style[] =
    ":root{--ink:#16202a;--soft:#5b6875;--line:#d5dbe1;--pale:#f4f6f8;--good:#1f7a4d;--warn:#"
    "a4420a}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;max-width:62rem;padding:2rem 1.5rem 4rem;background:#fff;color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif}"
    "header{border-bottom:3px solid var(--ink);padding-bottom:1rem;margin-bottom:1.5rem}"
    "h1{font-size:1.9rem;line-height:1.15;margin:0 0 .4rem;letter-spacing:-.01em}"
    "h2{font-size:1.3rem;line-height:1.2;margin:2.6rem 0 .7rem;padding-top:.9rem;"
    "border-top:1px solid var(--line)}"
    "section:first-of-type h2{border:0;margin-top:0;padding-top:0}"
    ".meta{color:var(--soft);margin:0}"
    "p{margin:.35rem 0;max-width:48rem}"
    ".grave{border-left:4px solid var(--warn);background:#fff5ee;padding:.5rem .8rem;color:#6e2c06}"
    "#summary p{font-size:1.1rem}"
    ".table{overflow-x:auto;margin:1.1rem 0 1.6rem}"
    "table{border-collapse:collapse;width:100%;font-size:.88rem}"
    "caption{text-align:left;font-weight:600;padding:0 0 .4rem}"
    "th{text-align:left;font-weight:600;color:var(--soft);border-bottom:1.5px solid var(--ink);"
    "padding:.3rem .6rem .3rem 0;vertical-align:bottom}"
    "td{border-bottom:1px solid var(--line);padding:.28rem .6rem .28rem 0;vertical-align:top;"
    "overflow-wrap:anywhere}"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    ".none{color:var(--soft);font-style:italic}"
    "figure{margin:1.2rem 0 1.6rem}figcaption{font-weight:600;margin-bottom:.3rem}"
    "svg{width:100%;height:auto;display:block}"
    "nav ol{columns:2;padding-left:1.2rem;margin:.5rem 0 0}nav a{color:inherit}"
    "footer{margin-top:3rem;color:var(--soft);font-size:.85rem;border-top:1px solid var(--line);"
    "padding-top:.8rem}"
    "@page{size:A4;margin:16mm 14mm 18mm}"
    "@media print{body{padding:0;max-width:none;font-size:10pt}.table{overflow:visible}"
    "h2{break-after:avoid}tr,figure,.grave{break-inside:avoid}thead{display:table-header-group}"
    "#summary{break-after:page}nav{display:none}}"
    "@media (max-width:40rem){nav ol{columns:1}}";

static void put_text(const char *text, FILE *to)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", to);
            break;
        case '<':
            fputs("&lt;", to);
            break;
        case '>':
            fputs("&gt;", to);
            break;
        case '"':
            fputs("&quot;", to);
            break;
        case '\'':
            fputs("&#39;", to);
            break;
        default:
            fputc((unsigned char)*text < 0x20 ? ' ' : *text, to);
        }
    }
}

static void put_head_cell(const json_t *column, FILE *to)
{
    fprintf(to, "<th scope=\"col\"%s>", cell_is_number(column) ? " class=\"n\"" : "");
    put_text(json_word(column, "title"), to);
    fputs("</th>", to);
}

static void put_row(const json_t *row, const json_t *columns, FILE *to)
{
    const json_t *cell;
    char text[CELL];
    size_t k;

    fputs("<tr>", to);
    json_array_foreach(row, k, cell)
    {
        const json_t *column = json_array_get(columns, k);

        fprintf(to, "<td%s>", cell_is_number(column) ? " class=\"n\"" : "");
        put_text(cell_text(cell, column, text), to);
        fputs("</td>", to);
    }
    fputs("</tr>\n", to);
}

static void put_table(const json_t *table, FILE *to)
{
    const json_t *columns = json_object_get(table, "columns"),
                 *rows = json_object_get(table, "rows");
    const json_t *one;
    size_t i;

    fputs("<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"", to);
    put_text(json_word(table, "caption"), to);
    fputs("\"><table><caption>", to);
    put_text(json_word(table, "caption"), to);
    fputs("</caption><thead><tr>", to);
    json_array_foreach(columns, i, one) put_head_cell(one, to);
    fputs("</tr></thead><tbody>\n", to);
    json_array_foreach(rows, i, one) put_row(one, columns, to);
    if (json_array_size(rows) == 0)
        fprintf(to, "<tr><td colspan=\"%zu\" class=\"none\">none</td></tr>\n",
                json_array_size(columns));
    fputs("</tbody></table></div>\n", to);
}

/* --- charts ---------------------------------------------------------------------------------- */

static void svg_rectangle(void *context, double x, double y, double width, double height,
                          unsigned colour)
{
    fprintf(context, "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"#%06x\"/>",
            x, y, width, height, colour);
}

static void svg_line(void *context, const struct chart_line *l, unsigned colour)
{
    fprintf(context,
            "<line x1=\"%.2f\" y1=\"%.2f\" x2=\"%.2f\" y2=\"%.2f\" stroke=\"#%06x\" "
            "stroke-width=\"%.1f\" stroke-linecap=\"round\"/>",
            l->x1, l->y1, l->x2, l->y2, colour, l->width);
}

static void svg_text(void *context, double x, double y, enum chart_anchor anchor, const char *text)
{
    static const char *const anchors[] = {"start", "middle", "end"};

    fprintf(context,
            "<text x=\"%.2f\" y=\"%.2f\" text-anchor=\"%s\" font-size=\"11\" fill=\"#5b6875\">", x,
            y, anchors[anchor]);
    put_text(text, context);
    fputs("</text>", context);
}

static void put_chart(const json_t *chart, FILE *to)
{
    const struct chart_canvas canvas = {to, svg_rectangle, svg_line, svg_text};

    if (json_array_size(json_object_get(chart, "labels")) < 2)
        return;
    fputs("<figure><figcaption>", to);
    put_text(json_word(chart, "title"), to);
    fprintf(to, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", CHART_WIDE,
            CHART_HIGH);
    put_text(json_word(chart, "title"), to);
    fputs("; the figures are in the tables below\" font-family=\"system-ui,sans-serif\">", to);
    chart_draw(chart, &canvas);
    fputs("</svg></figure>\n", to);
}

/* --- the page -------------------------------------------------------------------------------- */

static void put_section(const json_t *section, FILE *to)
{
    const json_t *one;
    size_t i;

    fprintf(to, "<section id=\"%s\" aria-labelledby=\"%s-title\"><h2 id=\"%s-title\">",
            json_word(section, "id"), json_word(section, "id"), json_word(section, "id"));
    put_text(json_word(section, "title"), to);
    fputs("</h2>\n", to);
    json_array_foreach(json_object_get(section, "says"), i, one)
    {
        fputs(json_is_true(json_object_get(one, "grave")) ? "<p class=\"grave\">" : "<p>", to);
        put_text(json_word(one, "text"), to);
        fputs("</p>\n", to);
    }
    json_array_foreach(json_object_get(section, "charts"), i, one) put_chart(one, to);
    json_array_foreach(json_object_get(section, "tables"), i, one) put_table(one, to);
    fputs("</section>\n", to);
}

static void put_contents(const json_t *report, FILE *to)
{
    const json_t *section;
    size_t i;

    fputs("<nav aria-label=\"Contents\"><ol>", to);
    json_array_foreach(json_object_get(report, "sections"), i, section)
    {
        fprintf(to, "<li><a href=\"#%s\">", json_word(section, "id"));
        put_text(json_word(section, "title"), to);
        fputs("</a></li>", to);
    }
    fputs("</ol></nav>\n", to);
}

static void put_header(const json_t *report, FILE *to)
{
    fputs("<header><h1>", to);
    put_text(json_word(report, "title"), to);
    fprintf(to, "</h1><p class=\"meta\">%s <strong>", json_word(report, "of"));
    put_text(json_word(report, "host"), to);
    fprintf(to, "</strong>, %.10s %.5s to %.10s %.5s UTC</p>", json_word(report, "from"),
            json_word(report, "from") + 11, json_word(report, "to"), json_word(report, "to") + 11);
    put_contents(report, to);
    fputs("</header>\n<main>\n", to);
}

static int write_html(const json_t *report, FILE *to)
{
    const json_t *section;
    size_t i;

    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>",
          to);
    put_text(json_word(report, "title"), to);
    fputs(", ", to);
    put_text(json_word(report, "host"), to);
    fprintf(to, "</title><style>%s</style></head><body>\n", style);
    put_header(report, to);
    json_array_foreach(json_object_get(report, "sections"), i, section) put_section(section, to);
    fprintf(to,
            "</main><footer>Made %.10s %.5s UTC by sealdns %s; policy %s.</footer></body></html>\n",
            json_word(report, "made"), json_word(report, "made") + 11, json_word(report, "version"),
            json_word(report, "policy"));
    return ferror(to) ? SD_EIO : SD_OK;
}

const struct report_format report_format_html = {"html", "text/html; charset=utf-8", "html",
                                                 write_html};
