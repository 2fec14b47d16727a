#include "report/sensors.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "report/cells.h"

enum { SENSORS_MOST = 4096, SENSORS_NAMED = 5 };

struct sensors {
    struct build *b;
    json_t *rows, *followed, *policies, *silent;
    struct sensor_sums *sums;
    int count, enforcing;
};

struct sensor_sum *sensor_sum_of(struct sensor_sums *s, const char *sensor)
{
    struct sensor_sum *grown;

    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->of[i].sensor, sensor) == 0)
            return s->of + i;
    if (s->count == SENSORS_MOST)
        return NULL;
    grown = realloc(s->of, (s->count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    s->of = grown;
    grown[s->count] = (struct sensor_sum){.missing = 0};
    text_copy(grown[s->count].sensor, sizeof grown->sensor, sensor);
    return grown + s->count++;
}

json_t *sensors_table(struct build *b, json_t *section)
{
    if (!b->source->sensors)
        return NULL;
    return section_table(section, "sensors", "The sensors: when they ran, what they saw",
                         "sensor:Sensor;covered%:Covered;last@:Last heard;packets#:Packets;"
                         "lost#:Lost;queries#:Queries;sealed%:Sealed;events#:Events");
}

static int see(void *context, const struct sensor_row *row)
{
    struct sensors *s = context;
    struct sensor_sum *sum = sensor_sum_of(s->sums, row->sensor);
    json_t *c = json_loads(*row->counters ? row->counters : "{}", 0, NULL);
    nsec_t length = s->b->period.until - s->b->period.since;
    const char *policy = json_word(c, "policy"), *mode = json_word(c, "mode");

    s->count++;
    s->enforcing += strcmp(mode, mode_name(MODE_ENFORCE)) == 0;
    if (*policy)
        json_object_set_new(s->policies, policy, json_true());
    if (!row->last)
        json_array_append_new(s->silent, json_string(row->sensor));
    if (sum)
        json_array_append_new(
            s->rows,
            json_pack("[s,o,o,I,I,I,o,I]", row->sensor,
                      row->last ? json_real(1 - (double)sum->missing / (double)length)
                                : json_real(0),
                      build_time(row->last), sum->packets, sum->lost, (json_int_t)row->queries,
                      build_share(row->sealed, row->queries), (json_int_t)row->events));
    json_array_append_new(s->followed,
                          json_pack("[s,s,s,s,O?,O?]", row->sensor, mode, policy,
                                    json_word(c, "version"), json_object_get(c, "rules_drifted"),
                                    json_object_get(c, "rules_healed")));
    json_decref(c);
    return 0;
}

static void say(const struct sensors *s, json_t *section)
{
    size_t silent = json_array_size(s->silent), policies = json_object_size(s->policies);
    const json_t *name;
    size_t i;

    section_say(section, "%d sensor%s of this network; %d of them in mode enforce.", s->count,
                s->count == 1 ? " tells" : "s tell", s->enforcing);
    json_array_foreach(s->silent, i, name)
    {
        if (i < SENSORS_NAMED)
            section_warn(section,
                         "Sensor \"%s\" told no counters in this period: whether it ran is not "
                         "known.",
                         json_string_value(name));
    }
    if (silent > SENSORS_NAMED)
        section_warn(section, "So did %zu more.", silent - SENSORS_NAMED);
    if (policies > 1)
        section_warn(section, "They follow %zu different policies: see the table.", policies);
}

int sensors_fill(struct build *b, json_t *section, json_t *rows, struct sensor_sums *sums)
{
    struct sensors s = {.b = b,
                        .rows = rows,
                        .followed = section_table(section, "followed", "What they follow",
                                                  "sensor:Sensor;mode:Mode;policy:Policy;"
                                                  "version:Version;drifted#:Rules found changed;"
                                                  "healed#:Put back"),
                        .policies = json_object(),
                        .silent = json_array(),
                        .sums = sums};
    int status = b->source->sensors(b->source->reader, &b->period, see, &s);

    if (status == SD_OK)
        say(&s, section);
    build_measure(b, "sensors", s.count);
    build_measure(b, "sensors_enforcing", s.enforcing);
    json_decref(s.policies);
    json_decref(s.silent);
    return status;
}
