/* A chart of a report as shapes: drawn once, on whatever canvas a format has. */
#ifndef SEALDNS_REPORT_CHART_H
#define SEALDNS_REPORT_CHART_H

#include <jansson.h>

enum { CHART_WIDE = 720, CHART_HIGH = 240 }; /* its units */

enum chart_anchor { ANCHOR_START, ANCHOR_MIDDLE, ANCHOR_END };

struct chart_line {
    double x1, y1, x2, y2, width;
};

struct chart_canvas {
    void *context;
    void (*rectangle)(void *context, double x, double y, double width, double height,
                      unsigned colour); /* 0xRRGGBB */
    void (*line)(void *context, const struct chart_line *l, unsigned colour);
    void (*text)(void *context, double x, double y, enum chart_anchor anchor, const char *text);
};

/* chart: as report.h has it, with two labels or more. */
void chart_draw(const json_t *chart, const struct chart_canvas *canvas);

#endif
