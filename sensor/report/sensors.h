/* The sensors of a fleet, one by one: what each saw, missed and follows. */
#ifndef SEALDNS_REPORT_SENSORS_H
#define SEALDNS_REPORT_SENSORS_H

#include "report/build.h"

struct sensor_sum {
    char sensor[64];
    nsec_t missing;
    json_int_t packets, lost; /* lost: frames and records */
};

struct sensor_sums {
    struct sensor_sum *of;
    size_t count;
};

/* NULL: out of memory, or there are 4,096 already. */
struct sensor_sum *sensor_sum_of(struct sensor_sums *s, const char *sensor);

/* The table of a fleet's sensors, empty; NULL where there is one sensor only. */
json_t *sensors_table(struct build *b, json_t *section);
/* Its rows, and what is to be said of them. SD_EIO. */
int sensors_fill(struct build *b, json_t *section, json_t *rows, struct sensor_sums *sums);

#endif
