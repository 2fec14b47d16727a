/* Syslog, RFC 5424, over UDP (RFC 5426), TCP (RFC 6587 3.4.1) and TLS (RFC 5425): in streams each
 * message has its length before it. Nothing in syslog says that a message was read. */
#include <stdio.h>
#include <stdlib.h>

#include "output/streamed.h"

/* RFC 5424 6.2.1: high is critical, medium warning, low notice, informational informational. */
static unsigned priority(const struct policy_output *config, const struct spool_line *line)
{
    static const unsigned severities[] = {6, 2, 4, 5, 6};

    return config->facility * 8 + severities[line->mark.severity < 5 ? line->mark.severity : 4];
}

/* RFC 5424 6.2.4: printable ASCII without spaces. */
static const char *host_name(const char *sensor, char name[64])
{
    size_t n = 0;

    for (; sensor[n] && n < 63; n++)
        name[n] = (char)(sensor[n] > ' ' && sensor[n] < 0x7f ? sensor[n] : '-');
    name[n] = '\0';
    return n ? name : "-";
}

/* RFC 5424 6.2.3: microseconds at most, and "Z". MSGID is the format; the event's id stands in
 * structured data, under the number that RFC 5612 keeps for examples. */
static int head_of(const struct policy_output *config, const struct spool_line *line, char *head,
                   size_t size)
{
    char time[TIME_TEXT], host[64];

    return snprintf(head, size, "<%u>1 %s %s sealdns - %s [sealdns@32473 id=\"%s\"] ",
                    priority(config, line), time_text(line->mark.time, time),
                    host_name(config->sensor, host), config->format, line->mark.key);
}

static void frame(FILE *to, const struct policy_output *config, const struct spool_line *line)
{
    char head[512];
    int length = head_of(config, line, head, sizeof head);

    if (config->transport != SYSLOG_UDP)
        fprintf(to, "%zu ", (size_t)length + line->length);
    fwrite(head, 1, (size_t)length, to);
    fwrite(line->text, 1, line->length, to);
}

static void *open_feed(const struct policy_output *config, char error[OUTPUT_ERROR])
{
    return streamed_open(config, frame, error);
}

const struct output_feed feed_syslog = {.type = "syslog",
                                        .open = open_feed,
                                        .close = streamed_close,
                                        .deliver = streamed_deliver,
                                        .finish = streamed_finish};
