/* A capture thread's flows in the kernel: observe/ asks for them by struct shunt_sink, capture/ has
 * the map, and the clocks of the two are joined here. */
#ifndef SEALDNS_ENGINE_SHUNTING_H
#define SEALDNS_ENGINE_SHUNTING_H

#include "model/shunt.h"
#include "model/stats.h"

struct capture;

/* For the confined thread that reads c. put is NULL where every packet comes to us: then *why says
 * for what reason, a text that lives as long as c. */
struct shunt_sink shunting_sink(struct capture *c, const char **why);
/* What the kernel has kept in all, into s. */
void shunting_show(const struct capture *c, struct stats *s);

#endif
