/* A detection as its file in rules/detections/ has it. A plain value. */
#ifndef SEALDNS_MODEL_POLICY_DETECTION_H
#define SEALDNS_MODEL_POLICY_DETECTION_H

#include <stddef.h>
#include <stdint.h>

#include "model/behaviour.h"
#include "model/names.h"

enum { DETECTION_THRESHOLDS = 40, DETECTION_ORDINARY = 32, DETECTION_NAMES = 16 };

struct policy_detection {
    char id[48];
    uint32_t signature_id, revision;
    uint32_t signatures[TRANSPORT_COUNT]; /* of one transport where it has its own, else 0 */
    enum kind kind;
    enum severity severity;
    char title[128], category[64], what_to_do[512], explanation[768];
    char false_positives[1536]; /* a line each */
    char metadata[256];         /* "T1562.010,CIS 9.2": ATT&CK and control ids, comma separated */
    struct policy_threshold {
        char name[40];
        int64_t value;
    } thresholds[DETECTION_THRESHOLDS];
    size_t threshold_count;
    char ordinary[DETECTION_ORDINARY][64]; /* domains it says nothing of; lower case */
    size_t ordinary_count;
    char names[DETECTION_NAMES][64]; /* names it watches; lower case */
    size_t name_count;
    struct decision_tree tree; /* of a detection by behaviour; without nodes elsewhere */
};

#endif
