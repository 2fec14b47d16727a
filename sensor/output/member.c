#include "output/member.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

#define KEY_SIZE 64

static json_t *child(const json_t *of, const char *key)
{
    if (json_is_array(of))
        return json_array_get(of, strtoul(key, NULL, 10));
    return json_object_get(of, key);
}

json_t *member(const json_t *eve, const char *path)
{
    const json_t *at = eve;
    char key[KEY_SIZE];

    while (at && *path) {
        size_t length = strcspn(path, ".");

        snprintf(key, sizeof key, "%.*s", (int)length, path);
        at = child(at, key);
        path += length + (path[length] == '.');
    }
    return (json_t *)at;
}

const char *member_text(const json_t *eve, const char *path)
{
    return json_string_value(member(eve, path));
}

json_int_t member_integer(const json_t *eve, const char *path)
{
    return json_integer_value(member(eve, path));
}

json_t *member_revision(const json_t *eve)
{
    const char *id = member_text(eve, "sealdns.id");

    return json_sprintf("%s-%lld", id ? id : "",
                        (long long)member_integer(eve, "sealdns.revision"));
}

bool member_is_alert(const json_t *eve)
{
    return member(eve, "alert") != NULL;
}

bool member_is_dns(const json_t *eve)
{
    const char *type = member_text(eve, "event_type");

    return type && strcmp(type, "dns") == 0;
}

bool member_is_response(const json_t *eve)
{
    const char *type = member_text(eve, "dns.type");

    return type && strcmp(type, "response") == 0;
}

const char *member_timestamp(const json_t *eve, char text[TIME_TEXT])
{
    const char *eve_time = member_text(eve, "timestamp");
    char *zone;

    text_copy(text, TIME_TEXT, eve_time ? eve_time : "1970-01-01T00:00:00.000000Z");
    zone = strchr(text, '+');
    if (zone)
        memcpy(zone, "Z", sizeof "Z");
    return text;
}

int64_t member_milliseconds(const json_t *eve, const char *path)
{
    const char *text = member_text(eve, path);
    const char *rest;
    struct tm tm = {0};
    unsigned fraction = 0;

    rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!rest)
        return 0;
    if (*rest == '.' && sscanf(rest + 1, "%3u", &fraction) != 1)
        return 0;
    return (int64_t)timegm(&tm) * 1000 + fraction;
}

static void add(char *text, size_t size, const char *before, const char *what)
{
    size_t used = strlen(text);

    if (what && what[0])
        snprintf(text + used, size - used, "%s%s", before, what);
}

void member_extend(json_t *list, const json_t *eve, const char *path)
{
    json_t *one;
    size_t i;

    json_array_foreach(member(eve, path), i, one) json_array_append(list, one);
}

/* Who asked whom for what; text is empty. */
static void query_sentence(const json_t *eve, char *text, size_t size)
{
    bool response = member_is_response(eve);

    add(text, size, "", member_text(eve, response ? "dest_ip" : "src_ip"));
    add(text, size, response ? " answered " : " asked ",
        member_text(eve, response ? "src_ip" : "dest_ip"));
    add(text, size, " ", member_text(eve, "dns.rcode"));
    add(text, size, " over ", member_text(eve, "sealdns.transport"));
    add(text, size, ", ", member_text(eve, "dns.queries.0.rrtype"));
    add(text, size, " of ", member_text(eve, "dns.queries.0.rrname"));
}

static void event_sentence(const json_t *eve, char *text, size_t size)
{
    const char *title = member_text(eve, "alert.signature");

    text_copy(text, size, title ? title : "sealdns");
    if (!title) {
        add(text, size, " ", member_text(eve, "sealdns.kind"));
        add(text, size, ": ", member_text(eve, "sealdns.evidence.what"));
    }
    add(text, size, ": client ", member_text(eve, "sealdns.client"));
    add(text, size, " to ", member_text(eve, "sealdns.server"));
    add(text, size, " over ", member_text(eve, "sealdns.transport"));
    if (title)
        add(text, size, ", ", member_text(eve, "sealdns.verdict"));
}

const char *member_sentence(const json_t *eve, char *text, size_t size)
{
    text[0] = '\0';
    if (member_is_dns(eve))
        query_sentence(eve, text, size);
    else
        event_sentence(eve, text, size);
    if (strlen(text) + 1 == size) /* cut: not within a character */
        for (size_t end = size - 1; end && (signed char)text[end - 1] < 0; end--)
            text[end - 1] = '\0';
    return text;
}
