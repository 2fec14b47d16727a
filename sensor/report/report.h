/* The compliance report of a period. It is made once, as a document: sections that say sentences
 * and have charts and tables; each format is one file that writes all of that. Whoever asks gives
 * the time. */
#ifndef SEALDNS_REPORT_REPORT_H
#define SEALDNS_REPORT_REPORT_H

#include <jansson.h>
#include <stdio.h>

#include "model/controls.h"
#include "model/policy.h"
#include "store/coverage.h"
#include "store/search.h"
#include "store/summary.h"

/* Where its rows come from: the functions of store/ of the same names, whatever is behind them. */
struct report_source {
    void *reader;
    int (*zones)(void *reader, const struct summary_period *p, nsec_t step,
                 int (*fn)(void *context, const struct zone_row *row), void *context);
    int (*servers)(void *reader, const struct summary_period *p, int limit,
                   int (*fn)(void *context, const struct server_row *row), void *context);
    int (*clear_clients)(void *reader, const struct summary_period *p, int limit,
                         int (*fn)(void *context, const struct client_row *row), void *context);
    int (*told)(void *reader, const struct summary_period *p,
                int (*fn)(void *context, const struct told_row *row), void *context);
    int (*closures)(void *reader, const struct summary_period *p,
                    int (*fn)(void *context, const struct closure_row *row), void *context);
    int (*events)(void *reader, const struct event_search *s, int64_t *next,
                  int (*fn)(void *context, const struct event_row *row), void *context);
    int (*memory)(void *reader, const char *topic, const char *key,
                  int (*fn)(void *context, const struct memory_row *row), void *context);
    int (*gaps)(void *reader, const struct summary_period *p, nsec_t least,
                int (*fn)(void *context, const struct gap_row *row), void *context);
    int (*counters)(void *reader, const struct summary_period *p,
                    int (*fn)(void *context, const struct counters_row *row), void *context);
    /* NULL: there is one sensor, whose policy the report has. Else of a fleet: what each sensor
     * learned (memory) is not in the report. */
    int (*sensors)(void *reader, const struct summary_period *p,
                   int (*fn)(void *context, const struct sensor_row *row), void *context);
};
struct report_source report_of_store(struct store_reader *r);

struct report_request {
    nsec_t from, to, now; /* from before to */
    const struct policy
        *policy; /* in force now: who is approved, exceptions; its name is the host */
    const struct controls *controls; /* NULL: no section of controls */
};

/* SD_EIO, SD_EMEM. Parts of the document: "title", "of" (what "host" names), "host", "from", "to",
 * "made", "version", "policy", "measures": {name: number}, "sections": [{"id", "title", "says":
 * [{"text", "grave"}], "charts": [{"id", "title", "kind", "labels", "series": [{"name",
 * "values"}]}], "tables": [{"id", "caption", "columns": [{"id", "title", "kind"}], "rows":
 * [[cell]]}]}]. */
int report_make(const struct report_source *source, const struct report_request *ask, json_t **out);

/* One file a format, and its word in REPORTS of sensor/CMakeLists.txt. */
struct report_format {
    const char *name, *type, *suffix;
    int (*write)(const json_t *report, FILE *to); /* SD_EIO, SD_EMEM */
};
extern const struct report_format *const report_formats[]; /* NULL-terminated */
const struct report_format *report_format_named(const char *name);

#endif
