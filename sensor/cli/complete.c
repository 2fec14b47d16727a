#include "cli/complete.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"

#define OPTION_LETTERS "abcdefghijklmnopqrstuvwxyz-"

static void offer(const char *word, size_t length, const char *typed)
{
    if (length >= strlen(typed) && strncmp(word, typed, strlen(typed)) == 0)
        printf("%.*s\n", (int)length, word);
}

static void offer_word(const char *word, const char *typed)
{
    offer(word, strlen(word), typed);
}

/* Of a|b|c. */
static void offer_choice(const char *choice, const char *typed)
{
    size_t length = strspn(choice, "abcdefghijklmnopqrstuvwxyz0123456789|");

    for (const char *end = choice + length; choice < end; choice++) {
        size_t word = strcspn(choice, "|");

        if (word > (size_t)(end - choice))
            word = (size_t)(end - choice);
        offer(choice, word, typed);
        choice += word;
    }
}

static bool option_is(const char *at, const char *name)
{
    size_t length = strlen(name);

    return strncmp(at, name, length) == 0 && !strchr(OPTION_LETTERS, at[length]);
}

/* Each option where it stands for the first time. */
static void offer_options(const char *usage, const char *typed)
{
    for (const char *at = usage; (at = strstr(at, "--")); at += strspn(at, OPTION_LETTERS)) {
        size_t length = strspn(at, OPTION_LETTERS);
        char name[32];
        const char *first = usage;

        if (length < 3 || length >= sizeof name || (at > usage && isalnum((unsigned char)at[-1])))
            continue;
        snprintf(name, sizeof name, "%.*s", (int)length, at);
        while (!option_is(first = strstr(first, name), name))
            first += length;
        if (first == at)
            offer_word(name, typed);
    }
}

/* Options whose values are a closed vocabulary. */
static const struct {
    const char *option;
    unsigned first, end;
    const char *(*name)(unsigned value);
} vocabularies[] = {
    {"--type", 0, KIND_COUNT, kind_name},
    {"--severity", SEVERITY_HIGH, SEVERITY_COUNT, severity_name},
    {"--mode", 0, MODE_COUNT, mode_name},
};

/* Of another one what the usage lists behind it: `--format text|json`. */
static void offer_values(const struct command *c, const char *option, const char *typed)
{
    for (size_t i = 0; i < sizeof vocabularies / sizeof *vocabularies; i++) {
        if (strcmp(option, vocabularies[i].option) != 0)
            continue;
        for (unsigned v = vocabularies[i].first; v < vocabularies[i].end; v++)
            offer_word(vocabularies[i].name(v), typed);
        return;
    }
    for (const char *at = c->usage; (at = strstr(at, option)); at += strlen(option)) {
        const char *value = at + strlen(option) + 1;

        if (!option_is(at, option) || value[-1] != ' ' || value[strcspn(value, " ]|")] != '|')
            continue;
        offer_choice(value, typed);
        return;
    }
}

/* What a command takes beside options: `Usage: sealdns rules show|diff [...]`. */
static void offer_arguments(const struct command *c, const char *typed)
{
    char start[64];

    snprintf(start, sizeof start, " sealdns %s ", c->name);
    for (const char *at = c->usage; (at = strstr(at, start));) {
        at += strlen(start);
        offer_choice(at, typed);
    }
}

void complete(int count, char **words)
{
    const char *typed = count > 0 ? words[count - 1] : "";
    const struct command *c = NULL;

    for (size_t i = 0; commands[i]; i++) {
        if (count <= 1)
            offer_word(commands[i]->name, typed);
        else if (strcmp(commands[i]->name, words[0]) == 0)
            c = commands[i];
    }
    if (count <= 1) {
        offer_word("--help", typed);
        offer_word("--version", typed);
    }
    if (!c)
        return;
    if (*typed == '-')
        offer_options(c->usage, typed);
    else if (words[count - 2][0] == '-')
        offer_values(c, words[count - 2], typed);
    else
        offer_arguments(c, typed);
}
