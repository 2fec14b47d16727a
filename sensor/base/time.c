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

/* The proleptic Gregorian date of a day since 1970, in years that begin in March: 400 of them are
 * 146,097 days. gmtime_r() takes a lock and ten times as long. */
static char *date(nsec_t day, char *at)
{
    nsec_t since = day + 719468, era = (since >= 0 ? since : since - 146096) / 146097;
    unsigned of_era = (unsigned)(since - era * 146097);
    unsigned year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year + year / 4 - year / 100),
             march = (5 * of_year + 2) / 153;
    unsigned month = march < 10 ? march + 3 : march - 9;

    at = digits(at, (int)(year + (unsigned)era * 400 + (month <= 2)), 4, '-');
    at = digits(at, (int)month, 2, '-');
    return digits(at, (int)(of_year - (153 * march + 2) / 5 + 1), 2, 'T');
}

static const char *format(nsec_t t, const char *zone, char text[TIME_TEXT])
{
    nsec_t second = t / NSEC_S, rest = t % NSEC_S, day;
    int of_day;
    char *at;

    if (rest < 0) {
        rest += NSEC_S;
        second--;
    }
    day = second / 86400 - (second % 86400 < 0);
    of_day = (int)(second - day * 86400);
    at = date(day, text);
    at = digits(at, of_day / 3600, 2, ':');
    at = digits(at, of_day / 60 % 60, 2, ':');
    at = digits(at, of_day % 60, 2, '.');
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
