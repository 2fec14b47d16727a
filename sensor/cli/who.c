#include "cli/who.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "store/store.h"

#define TOPIC "client"

struct search {
    const char *host;    /* NULL: by address */
    const char *address; /* as text */
    struct addr *out;
    bool found;
};

/* Whether a word of the list, words with a blank between, is this one. */
static bool lists(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = list; (at = strstr(at, word)) != NULL; at += n)
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
    return false;
}

static void print_machine(const json_t *m, const struct memory_row *row)
{
    const char *host = json_string_value(json_object_get(m, "host"));
    const char *addresses = json_string_value(json_object_get(m, "addresses"));
    const char *since = json_string_value(json_object_get(m, "since"));
    char seen[TIME_TEXT];

    printf("  it is the machine %s%s%s: %s\n", row->key, host ? ", called " : "", host ? host : "",
           addresses ? addresses : "");
    printf("    known since %s, last change %s\n", since ? since : "?", time_text(row->time, seen));
}

static void take_address(struct search *s, const char *list)
{
    char first[ADDR_TEXT];

    snprintf(first, sizeof first, "%.*s", (int)strcspn(list, " "), list);
    s->found = addr_parse(first, s->out) == SD_OK;
}

static int match_row(void *context, const struct memory_row *row)
{
    struct search *s = context;
    char *text = NULL;
    json_t *m;
    const char *host, *addresses;

    if (s->found && s->host)
        return 0;
    if (asprintf(&text, "{%s}", row->text ? row->text : "") < 0)
        return SD_EMEM;
    m = json_loads(text, 0, NULL);
    free(text);
    host = json_string_value(json_object_get(m, "host"));
    addresses = json_string_value(json_object_get(m, "addresses"));
    if (s->host && host && addresses && strcasecmp(host, s->host) == 0)
        take_address(s, addresses);
    else if (!s->host && addresses && lists(addresses, s->address))
        print_machine(m, row);
    json_decref(m);
    return 0;
}

static void look(const char *store, struct search *s)
{
    struct store_reader *r;
    char error[STORE_ERROR];

    if (store_reader_open(store, &r, error) != SD_OK)
        return; /* whoever asks for the history says so */
    if (store_memory(r, TOPIC, NULL, match_row, s) != SD_OK)
        printf("  what is known of the machines could not be read\n");
    store_reader_close(r);
}

bool who_is_called(const char *store, const char *host, struct addr *out)
{
    struct search s = {.host = host, .out = out};

    look(store, &s);
    return s.found;
}

void who_print(const char *store, const struct addr *address)
{
    char text[ADDR_TEXT];
    struct search s = {.address = addr_text(address, text)};

    look(store, &s);
}
