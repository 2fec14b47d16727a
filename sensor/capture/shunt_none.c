/* In the place of shunt.c where this program is built without eBPF (SEALDNS_SHUNT). */
#include <stdio.h>

#include "base/error.h"
#include "capture/shunt.h"

int shunt_open(int socket, const struct sock_filter *classic, size_t count, size_t flows,
               struct shunt **out, char error[CAPTURE_ERROR])
{
    (void)socket;
    (void)classic;
    (void)count;
    (void)flows;
    (void)out;
    snprintf(error, CAPTURE_ERROR, "built without eBPF");
    return SD_EUNSUP;
}

void shunt_close(struct shunt *s)
{
    (void)s;
}

int shunt_put(struct shunt *s, const struct shunt_flow *flow)
{
    (void)s;
    (void)flow;
    return SD_EUNSUP;
}

int shunt_read(struct shunt *s, const struct shunt_flow *flow, struct shunt_counts *counts)
{
    (void)s;
    (void)flow;
    (void)counts;
    return SD_ENOENT;
}

int shunt_take(struct shunt *s, const struct shunt_flow *flow, struct shunt_counts *counts)
{
    (void)s;
    (void)flow;
    (void)counts;
    return SD_ENOENT;
}

int shunt_try(struct shunt *s)
{
    (void)s;
    return SD_EUNSUP;
}

int shunt_total(struct shunt *s, struct shunt_total *out)
{
    (void)s;
    (void)out;
    return SD_EIO;
}
