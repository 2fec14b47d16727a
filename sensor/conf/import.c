#include "conf/import.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "conf/stamp.h"
#include "model/policy.h"

enum { NAMES = 8, ADDRESSES = 16, ENTRIES_MOST = 3000, STAMPS_MOST = 20000, TOLD_MOST = 20 };

struct entry {
    char id[64];
    char names[NAMES][256];
    struct addr addresses[ADDRESSES];
    bool shared[ADDRESSES];
    size_t name_count, address_count;
    unsigned transports;
};

struct import {
    const struct conf_text *list;
    const struct policy *policy;
    struct conf_report *report;
    struct import_counts *counts;
    struct entry *entries;
    size_t count;
    struct entry *current; /* of the heading; NULL: none yet */
    char heading[64];
};

/* What may stand in an id, of any text; "" when nothing may. */
static void make_id(const char *text, size_t length, char id[64])
{
    size_t n = 0;

    for (size_t i = 0; i < length && n < 56; i++) {
        unsigned char c = (unsigned char)text[i];

        if (isalnum(c) && c < 128)
            id[n++] = (char)tolower(c);
        else if (n > 0 && id[n - 1] != '-')
            id[n++] = '-';
    }
    while (n > 0 && id[n - 1] == '-')
        n--;
    id[n] = '\0';
}

static bool id_is_taken(const struct import *im, const char *id)
{
    for (size_t i = 0; i < im->policy->resolver_count; i++)
        if (strcmp(im->policy->resolvers[i].id, id) == 0 ||
            strcmp(im->policy->resolvers[i].catalog, id) == 0)
            return true;
    for (size_t i = 0; i < im->count; i++)
        if (strcmp(im->entries[i].id, id) == 0)
            return true;
    return false;
}

static void name_entry(const struct import *im, const char *wanted, char id[64])
{
    char base[64];

    make_id(wanted, strlen(wanted), base);
    if (!base[0])
        strcpy(base, "resolver");
    snprintf(id, 64, "%s", base);
    for (unsigned n = 2; id_is_taken(im, id); n++)
        snprintf(id, 64, "%.56s-%u", base, n);
}

static bool has(const struct entry *e, const struct stamp *s)
{
    for (size_t i = 0; s->name[0] && i < e->name_count; i++)
        if (strcmp(e->names[i], s->name) == 0)
            return true;
    for (size_t i = 0; !s->name[0] && i < e->address_count; i++)
        if (addr_equal(&e->addresses[i], &s->address))
            return true;
    return false;
}

/* One that has its name already, else that of the heading, else a new one. NULL: there are too
 * many. */
static struct entry *entry_for(struct import *im, const struct stamp *s)
{
    struct entry *e = NULL;
    char address[ADDR_TEXT];

    for (size_t i = 0; i < im->count && !e; i++)
        if (has(&im->entries[i], s))
            e = &im->entries[i];
    if (e || (e = im->current))
        return e;
    if (im->count == ENTRIES_MOST)
        return NULL;
    e = &im->entries[im->count];
    name_entry(im,
               im->heading[0] ? im->heading
               : s->name[0]   ? s->name
                              : addr_text(&s->address, address),
               e->id);
    im->count++;
    im->current = im->heading[0] ? e : NULL;
    return e;
}

static void add(struct entry *e, const struct stamp *s)
{
    bool shared = s->transport == TRANSPORT_DOH2;
    size_t i = 0;

    e->transports |= 1u << s->transport;
    if (s->name[0] && !has(e, s) && e->name_count < NAMES)
        strcpy(e->names[e->name_count++], s->name);
    if (!s->has_address)
        return;
    while (i < e->address_count && !addr_equal(&e->addresses[i], &s->address))
        i++;
    if (i == ADDRESSES)
        return;
    e->shared[i] = shared && (i == e->address_count || e->shared[i]);
    if (i == e->address_count)
        e->addresses[e->address_count++] = s->address;
}

static bool is_known(const struct policy *p, const struct stamp *s)
{
    return s->name[0] ? policy_resolver_named(p, s->name) >= 0
                      : policy_resolver_at(p, &s->address, NULL) >= 0;
}

static void complain_of(struct import *im, unsigned line, const char *error)
{
    im->report->errors++;
    if (im->counts->wrong++ < TOLD_MOST)
        fprintf(im->report->to, "%s:%u: a stamp is left out: %s\n", im->list->name, line, error);
}

/* SD_ELIMIT. */
static int take(struct import *im, const char *text, size_t length, unsigned line)
{
    struct stamp s;
    struct entry *e;
    char error[STAMP_ERROR];
    int status = stamp_parse(text, length, &s, error);

    if (im->counts->stamps++ == STAMPS_MOST)
        return SD_ELIMIT;
    if (status == SD_EUNSUP)
        im->counts->relays++;
    else if (status != SD_OK)
        complain_of(im, line, error);
    else if (!s.name[0] && !s.has_address)
        complain_of(im, line, "it has neither address nor host name");
    else if (is_known(im->policy, &s))
        im->counts->known++;
    else if (!(e = entry_for(im, &s)))
        return SD_ELIMIT;
    else
        add(e, &s);
    return SD_OK;
}

static size_t stamp_length(const char *at, const char *end)
{
    const char *p = at + strlen(STAMP_BEGIN);

    while (p < end && (isalnum((unsigned char)*p) || *p == '-' || *p == '_' || *p == '='))
        p++;
    return (size_t)(p - at);
}

static const char *find_stamp(const char *from, const char *end)
{
    return memmem(from, (size_t)(end - from), STAMP_BEGIN, strlen(STAMP_BEGIN));
}

static int take_line(struct import *im, const char *at, const char *end, unsigned line)
{
    int status = SD_OK;

    if (end - at > 3 && memcmp(at, "## ", 3) == 0) {
        make_id(at + 3, (size_t)(end - at) - 3, im->heading);
        im->current = NULL;
    }
    while (status == SD_OK && (at = find_stamp(at, end))) {
        size_t length = stamp_length(at, end);

        status = take(im, at, length, line);
        at += length;
    }
    return status;
}

static void write_addresses(FILE *to, const struct entry *e, const char *key, bool shared)
{
    char text[ADDR_TEXT];
    const char *apart = "";

    for (size_t i = 0; i < e->address_count; i++) {
        if (e->shared[i] != shared)
            continue;
        if (!*apart)
            fprintf(to, "    %s: [", key);
        fprintf(to, "%s\"%s\"", apart, addr_text(&e->addresses[i], text));
        apart = ", ";
    }
    if (*apart)
        fputs("]\n", to);
}

static void write_transports(FILE *to, unsigned transports)
{
    const char *apart = "";

    fputs("    transports: [", to);
    for (unsigned t = 0; t < 32; t++)
        if (transports >> t & 1) {
            fprintf(to, "%s%s", apart, t == TRANSPORT_DO53_UDP ? "do53" : transport_name(t));
            apart = ", ";
        }
    fputs("]\n", to);
}

static void write_entry(FILE *to, const struct entry *e)
{
    fprintf(to, "  - id: %s\n", e->id);
    for (size_t i = 0; i < e->name_count; i++)
        fprintf(to, "%s%s%s", i ? ", " : "    names: [", e->names[i],
                i + 1 == e->name_count ? "]\n" : "");
    write_addresses(to, e, "addresses", false);
    write_addresses(to, e, "shared", true);
    write_transports(to, e->transports);
    fputs("    source: import\n", to);
}

bool import_is_list(const struct conf_text *list)
{
    return find_stamp(list->bytes, list->bytes + list->length) != NULL;
}

int import_stamps(const struct conf_text *list, const struct policy *policy,
                  struct conf_report *report, FILE *to, struct import_counts *counts)
{
    struct import im = {.list = list, .policy = policy, .report = report, .counts = counts};
    const char *at = list->bytes, *end = at + list->length;
    int status = SD_OK;

    *counts = (struct import_counts){.stamps = 0};
    im.entries = calloc(ENTRIES_MOST, sizeof *im.entries);
    if (!im.entries)
        return SD_EMEM;
    for (unsigned line = 1; status == SD_OK && at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        stop = stop ? stop : end;
        status = take_line(&im, at, stop, line);
        at = stop + 1;
    }
    if (counts->wrong > TOLD_MOST)
        fprintf(report->to, "%s: and %u more stamps that are left out\n", list->name,
                counts->wrong - TOLD_MOST);
    for (size_t i = 0; status == SD_OK && i < im.count; i++)
        write_entry(to, &im.entries[i]);
    counts->entries = (unsigned)im.count;
    free(im.entries);
    return status;
}
