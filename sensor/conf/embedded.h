/* The files of rules/ as they were at build; embed.cmake writes them. */
#ifndef SEALDNS_CONF_EMBEDDED_H
#define SEALDNS_CONF_EMBEDDED_H

#include "conf/conf.h"

extern const struct conf_text embedded_catalog;
extern const struct conf_text embedded_detections[];
extern const size_t embedded_detection_count;
extern const struct conf_text embedded_controls[];
extern const size_t embedded_control_count;

#endif
