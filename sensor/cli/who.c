#include "cli/who.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/text.h"

#define TOPIC "client"

struct search {
    const char *subject;
    struct machine *out;
};

bool who_has(const char *addresses, const char *address)
{
    char word[ADDR_TEXT + 2];

    snprintf(word, sizeof word, " %s ", address);
    return address[0] && strstr(addresses, word) != NULL;
}

bool who_next(const struct machine *m, size_t *position, struct addr *out)
{
    const char *at = m->addresses + *position;
    char one[ADDR_TEXT];
    size_t length;

    at += strspn(at, " ");
    length = strcspn(at, " ");
    snprintf(one, sizeof one, "%.*s", (int)length, at);
    *position = (size_t)(at - m->addresses) + length;
    return length > 0 && addr_parse(one, out) == SD_OK;
}

static void take_text(const json_t *o, const char *key, char *out, size_t size)
{
    const char *text = json_string_value(json_object_get(o, key));

    text_copy(out, size, text ? text : "");
}

static void read_machine(const json_t *o, const struct memory_row *row, struct machine *m)
{
    const char *addresses = json_string_value(json_object_get(o, "addresses"));

    text_copy(m->station, sizeof m->station, row->key);
    take_text(o, "host", m->host, sizeof m->host);
    take_text(o, "since", m->since, sizeof m->since);
    take_text(o, "leased", m->leased, sizeof m->leased);
    take_text(o, "leased_until", m->leased_until, sizeof m->leased_until);
    snprintf(m->addresses, sizeof m->addresses, " %s ", addresses ? addresses : "");
    m->router = json_is_true(json_object_get(o, "router"));
    m->changed = row->time;
}

static bool is_first_label(const char *label, const char *name)
{
    size_t n = strlen(label);

    return n > 0 && !strchr(label, '.') && strncasecmp(label, name, n) == 0 && name[n] == '.';
}

/* DHCP servers cut what clients call themselves to its first label; and people do. */
static bool is_called(const char *host, const char *word)
{
    return strcasecmp(host, word) == 0 || is_first_label(host, word) || is_first_label(word, host);
}

static int match_row(void *context, const struct memory_row *row)
{
    struct search *s = context;
    json_t *o = json_loads(row->text, 0, NULL);
    struct machine m;

    memset(&m, 0, sizeof m);
    read_machine(o, row, &m);
    json_decref(o);
    if ((who_has(m.addresses, s->subject) || is_called(m.host, s->subject) ||
         strcasecmp(m.station, s->subject) == 0) &&
        m.changed >= s->out->changed)
        *s->out = m;
    return 0;
}

int who_find(struct store_reader *r, const char *subject, struct machine *out)
{
    struct search s = {subject, out};
    struct addr address;
    int status;

    memset(out, 0, sizeof *out);
    status = subject[0] ? store_memory(r, TOPIC, NULL, match_row, &s) : SD_OK;
    if (!out->station[0] && addr_parse(subject, &address) == SD_OK)
        snprintf(out->addresses, sizeof out->addresses, " %s ", subject);
    return status;
}

void who_print(const struct machine *m)
{
    char seen[TIME_TEXT];

    if (!m->station[0])
        return;
    printf("  it is the machine %s%s%s%s\n", m->station, m->host[0] ? ", called " : "", m->host,
           m->router ? ", a router: what comes from it is others'" : "");
    if (strspn(m->addresses, " ") < strlen(m->addresses))
        printf("    addresses%.*s\n", (int)strlen(m->addresses) - 1, m->addresses);
    if (m->leased[0])
        printf("    leased %s until %.19sZ\n", m->leased, m->leased_until);
    printf("    known since %.19sZ, last change %.19sZ\n", m->since, time_text(m->changed, seen));
}
