/* Catalogues of controls: what of a report speaks for which of them. Plain values, made by conf/.
 */
#ifndef SEALDNS_MODEL_CONTROLS_H
#define SEALDNS_MODEL_CONTROLS_H

#include <stdbool.h>
#include <stddef.h>

enum { CONTROL_MEASURES = 6 };

enum control_covered { CONTROL_NONE, CONTROL_PARTIAL, CONTROL_FULL };

/* Of the report, by name; the bounds say when it supports the control. */
struct control_measure {
    char name[48];
    bool has_least, has_most;
    double least, most;
};

struct control {
    char id[64], title[192];
    char evidence[512], limits[512];
    enum control_covered covered;
    struct control_measure measures[CONTROL_MEASURES];
    size_t measure_count;
};

struct control_catalog {
    char id[48], title[160], source[192];
    struct control *controls;
    size_t control_count;
};

struct controls {
    struct control_catalog *catalogs;
    size_t count;
};

#endif
