#include "report/chart.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/cells.h"

enum { LEFT = 56, RIGHT = 12, TOP = 12, BOTTOM = 44, LABELS = 6, LINES = 4 };
#define GRID 0xd5dbe1

/* Told apart in print and by those who see no red or green: they differ in lightness, too. */
static const unsigned colours[] = {0x1f5f8b, 0x7fb2d6, 0xf0b429, 0xb3410e};

static double value_at(const json_t *series, size_t at)
{
    return json_number_value(json_array_get(json_object_get(series, "values"), at));
}

static double stack_at(const json_t *chart, size_t at)
{
    const json_t *series;
    double sum = 0;
    size_t i;

    json_array_foreach(json_object_get(chart, "series"), i, series) sum += value_at(series, at);
    return sum;
}

/* 1, 2 or 5 times a power of ten, not below the highest. */
static double top_of(const json_t *chart, size_t points)
{
    double highest = 1, unit;

    if (strcmp(json_word(chart, "kind"), "share") == 0)
        return 1;
    for (size_t i = 0; i < points; i++)
        highest = fmax(highest, stack_at(chart, i));
    unit = pow(10, floor(log10(highest)));
    return highest <= unit       ? unit
           : highest <= 2 * unit ? 2 * unit
           : highest <= 5 * unit ? 5 * unit
                                 : 10 * unit;
}

static double y_of(double value, double top)
{
    return TOP + (CHART_HIGH - TOP - BOTTOM) * (1 - value / top);
}

static void draw_grid(const struct chart_canvas *c, double top)
{
    char text[32];

    for (int i = 0; i <= LINES; i++) {
        double value = top * i / LINES, y = y_of(value, top);

        c->line(c->context, &(struct chart_line){LEFT, y, CHART_WIDE - RIGHT, y, i ? 0.6 : 1.2},
                i ? GRID : 0x5b6875);
        if (top <= 1)
            snprintf(text, sizeof text, "%.0f %%", 100 * value);
        else if (top >= 10000)
            snprintf(text, sizeof text, "%.0fk", value / 1000);
        else
            snprintf(text, sizeof text, "%.0f", value);
        c->text(c->context, LEFT - 6, y + 4, ANCHOR_END, text);
    }
}

/* "2026-12-01", or "04:00" where all are of one or two days. */
static void draw_labels(const json_t *chart, const struct chart_canvas *c, size_t points,
                        double width)
{
    const json_t *labels = json_object_get(chart, "labels");
    const char *first = json_string_value(json_array_get(labels, 0));
    const char *second = json_string_value(json_array_get(labels, 1));
    bool hours = strncmp(first, second, 10) == 0;
    size_t every = points / LABELS + 1;
    char text[16];

    for (size_t i = 0; i < points; i += every) {
        const char *label = json_string_value(json_array_get(labels, i));

        snprintf(text, sizeof text, "%.*s", hours ? 5 : 10, label + (hours ? 11 : 0));
        c->text(c->context, LEFT + width * ((double)i + 0.5), CHART_HIGH - BOTTOM + 16,
                ANCHOR_MIDDLE, text);
    }
}

static void draw_stack(const json_t *chart, const struct chart_canvas *c, size_t at, double width,
                       double top)
{
    double x = LEFT + width * (double)at, below = 0;
    const json_t *series;
    size_t i;

    json_array_foreach(json_object_get(chart, "series"), i, series)
    {
        double value = value_at(series, at), y = y_of(below + value, top);

        if (value > 0)
            c->rectangle(c->context, x + width * 0.12, y, width * 0.76, y_of(below, top) - y,
                         colours[i % 4]);
        below += value;
    }
}

/* A line through the points that are there; a point alone is a dot. */
static void draw_share(const json_t *chart, const struct chart_canvas *c, size_t points,
                       double width)
{
    const json_t *values =
        json_object_get(json_array_get(json_object_get(chart, "series"), 0), "values");
    double last_x = -1, last_y = 0;

    for (size_t i = 0; i < points; i++) {
        const json_t *value = json_array_get(values, i);
        double x = LEFT + width * ((double)i + 0.5);

        if (!json_is_number(value)) {
            last_x = -1;
            continue;
        }
        if (last_x >= 0)
            c->line(c->context,
                    &(struct chart_line){last_x, last_y, x, y_of(json_number_value(value), 1), 2.2},
                    colours[0]);
        last_x = x;
        last_y = y_of(json_number_value(value), 1);
        c->rectangle(c->context, x - 2, last_y - 2, 4, 4, colours[0]);
    }
}

static void draw_legend(const json_t *chart, const struct chart_canvas *c)
{
    const json_t *series;
    double x = LEFT;
    size_t i;

    json_array_foreach(json_object_get(chart, "series"), i, series)
    {
        const char *name = json_word(series, "name");

        c->rectangle(c->context, x, CHART_HIGH - 14, 10, 10, colours[i % 4]);
        c->text(c->context, x + 15, CHART_HIGH - 5, ANCHOR_START, name);
        x += 15 + 6.2 * (double)strlen(name) + 22;
    }
}

void chart_draw(const json_t *chart, const struct chart_canvas *canvas)
{
    size_t points = json_array_size(json_object_get(chart, "labels"));
    double width = (double)(CHART_WIDE - LEFT - RIGHT) / (double)points;
    double top = top_of(chart, points);
    bool share = strcmp(json_word(chart, "kind"), "share") == 0;

    draw_grid(canvas, top);
    draw_labels(chart, canvas, points, width);
    if (share)
        draw_share(chart, canvas, points, width);
    for (size_t i = 0; i < points && !share; i++)
        draw_stack(chart, canvas, i, width, top);
    if (!share)
        draw_legend(chart, canvas);
}
