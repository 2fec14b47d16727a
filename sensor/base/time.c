#include "base/time.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"

/* Times stand four to a line of an event: snprintf() takes as long as all the rest of them. */
static char *digits(char *at, int value, int width, char after)
{
    for (int i = width; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    at[width] = after;
    return at + width + 1;
}

static const char *format(nsec_t t, const char *zone, char text[TIME_TEXT])
{
    nsec_t second = t / NSEC_S, rest = t % NSEC_S;
    char *at = text;
    struct tm tm;
    time_t whole;

    if (rest < 0) {
        rest += NSEC_S;
        second--;
    }
    whole = (time_t)second;
    gmtime_r(&whole, &tm);
    at = digits(at, (tm.tm_year + 1900) % 10000, 4, '-');
    at = digits(at, tm.tm_mon + 1, 2, '-');
    at = digits(at, tm.tm_mday, 2, 'T');
    at = digits(at, tm.tm_hour, 2, ':');
    at = digits(at, tm.tm_min, 2, ':');
    at = digits(at, tm.tm_sec, 2, '.');
    at = digits(at, (int)(rest / 1000), 6, '\0') - 1;
    memcpy(at, zone, strlen(zone) + 1);
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
