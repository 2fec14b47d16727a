#include "report/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

json_t *build_section(struct build *b, const char *id, const char *title)
{
    json_t *s =
        json_pack("{s:s,s:s,s:[],s:[],s:[]}", "id", id, "title", title, "says", "charts", "tables");

    json_array_append_new(b->sections, s);
    return s;
}

static void say(json_t *section, bool grave, const char *format, va_list arguments)
{
    char text[1024];

    vsnprintf(text, sizeof text, format, arguments);
    json_array_append_new(json_object_get(section, "says"),
                          json_pack("{s:s,s:b}", "text", text, "grave", grave));
}

void section_say(json_t *section, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(section, false, format, arguments);
    va_end(arguments);
}

void section_warn(json_t *section, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(section, true, format, arguments);
    va_end(arguments);
}

static json_t *column_json(const char *from, size_t length)
{
    static const struct {
        char sign;
        const char *kind;
    } kinds[] = {{'%', "share"}, {'#', "number"}, {'@', "time"}};
    size_t id = strcspn(from, ":");
    const char *kind = "text", *title = from + id + 1;

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (from[id - 1] == kinds[i].sign)
            kind = kinds[i].kind;
    return json_pack("{s:s%,s:s%,s:s}", "id", from, id - (strcmp(kind, "text") != 0), "title",
                     title, length - id - 1, "kind", kind);
}

json_t *section_table(json_t *section, const char *id, const char *caption, const char *columns)
{
    json_t *list = json_array(), *rows = json_array();

    while (*columns) {
        size_t length = strcspn(columns, ";");

        json_array_append_new(list, column_json(columns, length));
        columns += length + (columns[length] == ';');
    }
    json_array_append_new(json_object_get(section, "tables"),
                          json_pack("{s:s,s:s,s:o,s:o}", "id", id, "caption", caption, "columns",
                                    list, "rows", rows));
    return rows;
}

bool build_is_of_fleet(const struct build *b)
{
    return b->source->sensors != NULL;
}

json_t *build_table(struct build *b, json_t *section, const char *id, const char *caption,
                    const char *columns)
{
    char with[512];

    snprintf(with, sizeof with, "sensor:Sensor;%s", columns);
    return section_table(section, id, caption, build_is_of_fleet(b) ? with : columns);
}

json_t *build_row(const struct build *b, const char *sensor, json_t *cells)
{
    if (cells && build_is_of_fleet(b))
        json_array_insert_new(cells, 0, json_string(sensor ? sensor : ""));
    return cells;
}

json_t *section_chart(json_t *section, const char *id, const char *title, const char *kind)
{
    json_t *chart = json_pack("{s:s,s:s,s:s,s:[],s:[]}", "id", id, "title", title, "kind", kind,
                              "labels", "series");

    json_array_append_new(json_object_get(section, "charts"), chart);
    return chart;
}

void build_measure(struct build *b, const char *name, double value)
{
    json_object_set_new(b->measures, name,
                        value == (double)(json_int_t)value ? json_integer((json_int_t)value)
                                                           : json_real(value));
}

double build_measured(const struct build *b, const char *name)
{
    return json_number_value(json_object_get(b->measures, name));
}

json_t *build_time(nsec_t t)
{
    char text[TIME_TEXT];

    return t ? json_sprintf("%.19sZ", time_text(t, text)) : json_null();
}

json_t *build_share(uint64_t sealed, uint64_t all)
{
    return all ? json_real((double)sealed / (double)all) : json_null();
}

const struct report_format *report_format_named(const char *name)
{
    for (size_t i = 0; report_formats[i]; i++)
        if (strcmp(report_formats[i]->name, name) == 0)
            return report_formats[i];
    return NULL;
}

static json_t *head(const struct build *b)
{
    const struct report_request *ask = b->ask;
    char made[TIME_TEXT];

    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:s,s:s,s:s,s:O,s:O}", "title", "DNS encryption report",
                     "of", build_is_of_fleet(b) ? "Sensors of" : "Gateway", "host",
                     ask->policy->name, "from", build_time(ask->from), "to", build_time(ask->to),
                     "made", time_text(ask->now / NSEC_S * NSEC_S, made), "version",
                     SEALDNS_VERSION, "policy", ask->policy->digest, "measures", b->measures,
                     "sections", b->sections);
}

int report_make(const struct report_source *source, const struct report_request *ask, json_t **out)
{
    static int (*const parts[])(struct build * b) = {
        build_coverage,    build_sealed, build_resolvers, build_violations,
        build_enforcement, build_alerts, build_controls,  build_summary};
    struct build b = {.source = source,
                      .ask = ask,
                      .period = {ask->from, ask->to, NULL},
                      .before = {ask->from - (ask->to - ask->from), ask->from, NULL},
                      .sections = json_array(),
                      .measures = json_object()};
    int status = SD_OK;

    for (size_t i = 0; i < sizeof parts / sizeof *parts && status == SD_OK; i++)
        status = parts[i](&b);
    *out = status == SD_OK ? head(&b) : NULL;
    json_decref(b.sections);
    json_decref(b.measures);
    return status == SD_OK && !*out ? SD_EMEM : status;
}
