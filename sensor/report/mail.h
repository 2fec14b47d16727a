/* A report as a mail (RFC 5322, 2045): its text to be read, its file attached. */
#ifndef SEALDNS_REPORT_MAIL_H
#define SEALDNS_REPORT_MAIL_H

#include <jansson.h>
#include <stdio.h>

#include "report/report.h"

enum { MAIL_ADDRESSES = 8 };

/* One address and nothing else: no name, no comma, no line's end. */
bool mail_address_is_plain(const char *address);

/* For `sendmail -t`. file: of that format, as it was written. SD_EIO, SD_EMEM. */
int mail_write(const json_t *report, const char *const *addresses, size_t count, const char *file,
               const struct report_format *format, FILE *to);

#endif
