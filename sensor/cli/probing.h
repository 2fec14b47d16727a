/* What `sealdns probe` found, for people and for programs. */
#ifndef SEALDNS_CLI_PROBING_H
#define SEALDNS_CLI_PROBING_H

#include <stdio.h>

#include "probe/probe.h"

/* One server over one transport. */
struct probing {
    struct probe_target target;
    bool skipped; /* no probe speaks this transport */
    nsec_t time;
    struct probe_observation found;
};

/* Those of one resolver, which stand together. */
struct probed_resolver {
    const char *label; /* its id, or what the user wrote */
    const char *name;  /* authentication domain name, or "" */
    const struct probing *first;
    size_t count;
};

enum probe_verdict { PROBE_RIGHT, PROBE_REMARKS, PROBE_SKIPPED, PROBE_WRONG };

enum probe_verdict probing_verdict(const struct probing *p);
enum probe_verdict probed_verdict(const struct probed_resolver *r);
void probed_print(const struct probed_resolver *r, FILE *to);
/* The document of all. SD_EMEM, SD_EIO. */
int probed_print_json(const struct probed_resolver *list, size_t count, FILE *to);

#endif
