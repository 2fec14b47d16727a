/* One event as a sentence for a person at a terminal. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "output/member.h"
#include "output/output.h"
#include "output/sentence.h"

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static const char *severity_word(const json_t *eve)
{
    json_int_t number =
        json_integer_value(json_object_get(json_object_get(eve, "alert"), "severity"));

    return number > 0 ? severity_name((unsigned)number) : "notice";
}

static void write_evidence(FILE *to, const json_t *evidence)
{
    const char *key, *gap = " [";
    char clean[256];
    json_t *value;

    json_object_foreach((json_t *)evidence, key, value)
    {
        char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY);

        text_printable(text ? text : json_string_value(value), sizeof clean, clean, sizeof clean);
        free(text);
        fprintf(to, "%s%s %s", gap, key, clean);
        gap = ", ";
    }
    if (*gap == ',')
        fputc(']', to);
}

static char *render_query(const json_t *eve)
{
    json_int_t count = member_integer(eve, "sealdns.count");
    char sentence[2048], clean[4096], *line = NULL;
    const char *last = member_text(eve, "sealdns.last");

    member_sentence(eve, sentence, sizeof sentence);
    text_printable(sentence, sizeof sentence, clean, sizeof clean);
    if (asprintf(&line, "%s %-13s %-19s %s%s%.0lld", last ? last : "", "notice", "query", clean,
                 count > 1 ? " x" : "", count > 1 ? (long long)count : 0) < 0)
        return NULL;
    return line;
}

static char *render(const json_t *eve)
{
    const json_t *own = json_object_get(eve, "sealdns");
    json_int_t count = json_integer_value(json_object_get(own, "count"));
    char *line = NULL;
    size_t length;
    FILE *to;

    if (own && member_is_dns(eve))
        return render_query(eve);
    if (!own || !(to = open_memstream(&line, &length)))
        return NULL;
    fprintf(to, "%s %-13s %-19s ", word(own, "last"), severity_word(eve), word(own, "kind"));
    sentence_write(to, eve);
    if (*word(own, "verdict") && strcmp(word(own, "verdict"), "allowed") != 0)
        fprintf(to, " %s", word(own, "verdict"));
    if (*word(json_object_get(own, "muted"), "owner"))
        fprintf(to, " muted by %s", word(json_object_get(own, "muted"), "owner"));
    if (count > 1)
        fprintf(to, " x%lld", (long long)count);
    write_evidence(to, json_object_get(own, "evidence"));
    return fclose(to) == 0 ? line : NULL;
}

const struct output_format format_text = {.name = "text", .render = render};
