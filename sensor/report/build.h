/* A report while it is made. */
#ifndef SEALDNS_REPORT_BUILD_H
#define SEALDNS_REPORT_BUILD_H

#include "report/report.h"

#define REPORT_DAY (86400 * NSEC_S)
enum { REPORT_LIST = 25 };

struct build {
    const struct report_source *source;
    const struct report_request *ask;
    struct summary_period period, before; /* before: as long, right ahead of it */
    json_t *document, *sections, *measures;
};

/* One section each, in this order; the summary is put ahead of all others at the end. SD_EIO. */
int build_coverage(struct build *b);
int build_sealed(struct build *b);
int build_resolvers(struct build *b);
int build_violations(struct build *b);
int build_enforcement(struct build *b);
int build_alerts(struct build *b);
int build_controls(struct build *b); /* by the measures of all before it */
int build_summary(struct build *b);

json_t *build_section(struct build *b, const char *id, const char *title);
void section_say(json_t *section, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What a reader must not miss. */
void section_warn(json_t *section, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* columns: "zone:Zone;share%:Sealed;queries#:Queries;last@:Last seen"; the sign is its kind (share,
 * number, time), none text. Returns the rows, each an array of as many cells. */
json_t *section_table(json_t *section, const char *id, const char *caption, const char *columns);
/* The same of rows that are some sensor's: of a fleet they begin with its name, which build_row()
 * puts there. */
json_t *build_table(struct build *b, json_t *section, const char *id, const char *caption,
                    const char *columns);
json_t *build_row(const struct build *b, const char *sensor, json_t *cells);
bool build_is_of_fleet(const struct build *b);
/* kind: "share" (each 0 to 1 or null) or "stack". Returns the chart: labels and series. */
json_t *section_chart(json_t *section, const char *id, const char *title, const char *kind);

void build_measure(struct build *b, const char *name, double value);
double build_measured(const struct build *b, const char *name); /* 0 where it is not there */
json_t *build_time(nsec_t t);
/* sealed of all; null where nothing was asked. */
json_t *build_share(uint64_t sealed, uint64_t all);

#endif
