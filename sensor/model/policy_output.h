/* Where events go: one entry of `outputs`. A text that was not given is empty. */
#ifndef SEALDNS_MODEL_POLICY_OUTPUT_H
#define SEALDNS_MODEL_POLICY_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/names.h"

struct policy_output {
    char type[16], format[16];
    char sensor[64];        /* sensor.name, for feeds that name their sender */
    char id[64];            /* names its spool; its type, if the policy does not say */
    char path[256];         /* of a file or a UNIX socket */
    enum severity severity; /* only what is as grave or graver */
    uint32_t kinds;         /* bits 1 << enum kind, 0: all */
    uint32_t types;         /* bits 1 << enum event_type */
    bool repeats;           /* also revisions that are no graver than one that was sent */
    uint64_t spool;         /* octets on disk for what the receiver has not taken */
    char server[256];       /* HOST:PORT; of kafka several, by commas */
    char url[256];          /* http:// or https:// */
    enum syslog_transport transport;
    enum syslog_facility facility;
    char topic[128]; /* of kafka; of clickhouse the table */
    char user[64];
    char secret[256];                         /* file with a password, or the key that signs */
    char ca[256], certificate[256], key[256]; /* PEM files */
};

#endif
