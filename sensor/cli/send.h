/* A mail by the system's own program. */
#ifndef SEALDNS_CLI_SEND_H
#define SEALDNS_CLI_SEND_H

#include "report/mail.h"

#define DEFAULT_SENDMAIL "/usr/sbin/sendmail"

/* Runs PROGRAM -t -oi and writes the mail to it; EXIT_FAILED, and it is said, when it does not take
 * it. */
int send_report(const char *program, const json_t *report, const char *const *addresses,
                size_t count, const char *file, const struct report_format *format);

#endif
