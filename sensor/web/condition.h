/* Whether the sensor can be believed, in sentences. */
#ifndef SEALDNS_WEB_CONDITION_H
#define SEALDNS_WEB_CONDITION_H

#include "web/request.h"

/* {"ok", "state", "loss", "drift": sentences or null, "blind": [sentences]}. */
json_t *condition_of(const struct web_request *q);

#endif
