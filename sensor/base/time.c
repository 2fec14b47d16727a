#include "base/time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"

static const char *format(nsec_t t, const char *zone, char text[TIME_TEXT])
{
    nsec_t second = t / NSEC_S, rest = t % NSEC_S;
    struct tm tm;
    time_t whole;

    if (rest < 0) {
        rest += NSEC_S;
        second--;
    }
    whole = (time_t)second;
    gmtime_r(&whole, &tm);
    snprintf(text, TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%06d%s", (tm.tm_year + 1900) % 10000,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(rest / 1000), zone);
    return text;
}

const char *time_text(nsec_t t, char text[TIME_TEXT])
{
    return format(t, "Z", text);
}

const char *time_text_eve(nsec_t t, char text[TIME_TEXT])
{
    return format(t, "+0000", text);
}

/* A day that no month has is moved on by timegm(): then it was no date. */
static int from_tm(const struct tm *tm, nsec_t *out)
{
    struct tm check = *tm;
    time_t second = timegm(&check);

    if (check.tm_mday != tm->tm_mday || check.tm_mon != tm->tm_mon)
        return SD_EINVAL;
    if (second > INT64_MAX / NSEC_S - 86400 || second < INT64_MIN / NSEC_S + 86400)
        return SD_EINVAL;
    *out = (nsec_t)second * NSEC_S;
    return SD_OK;
}

int time_parse(const char *text, int end_of_day, nsec_t *out)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (end && (*end == '\0' || strcmp(end, "Z") == 0))
        return from_tm(&tm, out);
    memset(&tm, 0, sizeof tm);
    end = strptime(text, "%Y-%m-%d", &tm);
    if (!end || *end || from_tm(&tm, out) != SD_OK)
        return SD_EINVAL;
    if (end_of_day)
        *out += 86400 * NSEC_S - 1;
    return SD_OK;
}

int duration_parse(const char *text, nsec_t *out)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    char *end;
    unsigned long long number;

    if (*text < '0' || *text > '9')
        return SD_EINVAL;
    number = strtoull(text, &end, 10);
    if (number > 1000000000ULL || !*end || end[1])
        return SD_EINVAL;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == *end) {
            if ((int64_t)number > INT64_MAX / NSEC_S / units[i].seconds)
                return SD_EINVAL;
            *out = (nsec_t)number * units[i].seconds * NSEC_S;
            return SD_OK;
        }
    return SD_EINVAL;
}
