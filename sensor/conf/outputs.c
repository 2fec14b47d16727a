/* Outputs: where events go. Which keys an output may have follows from its type. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "conf/reader.h"

#define SPOOL_USUAL (UINT64_C(256) << 20)
#define SPOOL_LEAST (UINT64_C(4) << 20)

/* In the order of their bits. */
static const char *const types[] = {"file",  "stdout",     "unix",    "syslog",
                                    "kafka", "clickhouse", "webhook", NULL};
enum type { FILE_, STDOUT, UNIX, SYSLOG, KAFKA, CLICKHOUSE, WEBHOOK, NONE };

static const char *const formats[] = {"eve", "text", "ecs", "ocsf", "cef", NULL};

#define BIT(type) (1u << (type))
#define NETWORK   (BIT(SYSLOG) | BIT(KAFKA) | BIT(CLICKHOUSE) | BIT(WEBHOOK))
#define SPOOLED   (NETWORK | BIT(UNIX))
#define ALL       (SPOOLED | BIT(FILE_) | BIT(STDOUT))
#define HTTP      (BIT(CLICKHOUSE) | BIT(WEBHOOK))

/* Which types a key belongs to, and which cannot do without. */
static const struct belongs {
    const char *key;
    unsigned to, required;
} belongs[] = {
    {"path", BIT(FILE_) | BIT(UNIX), BIT(FILE_) | BIT(UNIX)},
    {"format", ALL & ~BIT(CLICKHOUSE), 0},
    {"server", BIT(SYSLOG) | BIT(KAFKA), BIT(SYSLOG) | BIT(KAFKA)},
    {"url", HTTP, HTTP},
    {"transport", BIT(SYSLOG), 0},
    {"facility", BIT(SYSLOG), 0},
    {"topic", BIT(KAFKA), BIT(KAFKA)},
    {"table", BIT(CLICKHOUSE), BIT(CLICKHOUSE)},
    {"user", BIT(KAFKA) | BIT(CLICKHOUSE), 0},
    {"secret", BIT(KAFKA) | HTTP, BIT(WEBHOOK)},
    {"ca", NETWORK, 0},
    {"certificate", NETWORK, 0},
    {"key", NETWORK, 0},
    {"spool", SPOOLED, 0},
};

/* "eve, text or ecs"; list. */
static const char *list_of(const char *const *words, char list[OPTION_ERROR])
{
    size_t used = 0;

    for (size_t i = 0; words[i]; i++)
        used += (size_t)snprintf(list + used, OPTION_ERROR - used, "%s%s",
                                 i == 0         ? ""
                                 : words[i + 1] ? ", "
                                                : " or ",
                                 words[i]);
    return list;
}

static void read_word(struct reader *r, const struct node *n, const char *key,
                      const char *const *words, char field[16])
{
    struct option option = {.name = key, .kind = OPTION_TEXT, .size = 64};
    char text[64], quoted[OPTION_ERROR], hint[OPTION_ERROR], list[OPTION_ERROR];
    struct nearest near;

    if (!read_value(r, n, &option, text))
        return;
    near = nearest_to(text);
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            text_copy(field, 16, words[i]);
            return;
        }
        nearest_offer(&near, words[i]);
    }
    complain(r->complaints, n, "`%s` cannot be %s: %s%s", key, option_quote(text, quoted),
             list_of(words, list), nearest_text(&near, hint));
}

static void read_type(struct reader *r, const struct node *n, void *object)
{
    read_word(r, n, "type", types, ((struct policy_output *)object)->type);
}

static void read_format(struct reader *r, const struct node *n, void *object)
{
    read_word(r, n, "format", formats, ((struct policy_output *)object)->format);
}

static void read_kinds(struct reader *r, const struct node *list, void *object)
{
    static const struct option option = {.name = "kinds", .kind = OPTION_WORD, .word = kind_name};

    ((struct policy_output *)object)->kinds = read_words(r, list, &option);
}

static void read_types(struct reader *r, const struct node *list, void *object)
{
    static const struct option option = {
        .name = "types", .kind = OPTION_WORD, .word = event_type_name};

    ((struct policy_output *)object)->types = read_words(r, list, &option);
}

static void read_url(struct reader *r, const struct node *n, void *object)
{
    struct policy_output *o = object;
    const struct option option = {.name = "url", .kind = OPTION_TEXT, .size = sizeof o->url};

    if (read_value(r, n, &option, o->url) && strncmp(o->url, "https://", 8) != 0 &&
        strncmp(o->url, "http://", 7) != 0)
        complain(r->complaints, n, "`url` begins with https:// or http://");
}

static enum type type_of(const struct policy_output *o)
{
    for (unsigned i = 0; types[i]; i++)
        if (strcmp(types[i], o->type) == 0)
            return (enum type)i;
    return NONE;
}

static void check_keys(struct reader *r, const struct node *entry, const struct policy_output *o)
{
    unsigned bit = BIT(type_of(o));

    if (type_of(o) == NONE)
        return; /* that was complained about */
    for (size_t i = 0; i < sizeof belongs / sizeof *belongs; i++) {
        const struct node *n = tree_member(entry, belongs[i].key);

        if (n && !(belongs[i].to & bit))
            complain(r->complaints, n, "an output of type %s has no `%s`", o->type, belongs[i].key);
        if (!n && belongs[i].required & bit)
            complain(r->complaints, entry, "an output of type %s needs `%s`", o->type,
                     belongs[i].key);
    }
}

/* Every one of HOST:PORT, by commas: a colon with a number behind it. */
static bool is_servers(const char *text)
{
    while (*text) {
        size_t length = strcspn(text, ",");
        const char *colon = memrchr(text, ':', length);
        size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;

        if (!colon || colon == text || !digits || digits > 5 || colon + 1 + digits != text + length)
            return false;
        text += length + (text[length] == ',');
    }
    return true;
}

static void check_values(struct reader *r, const struct node *entry, const struct policy_output *o)
{
    const struct node *server = tree_member(entry, "server");
    const struct node *spool = tree_member(entry, "spool");
    const struct node *sorts = tree_member(entry, "types");

    if (server && o->server[0] &&
        (!is_servers(o->server) || (type_of(o) == SYSLOG && strchr(o->server, ','))))
        complain(r->complaints, server, "`server` is HOST:PORT%s, [ADDRESS]:PORT of IPv6",
                 type_of(o) == KAFKA ? ", several by commas" : "");
    if (spool && spool->kind == NODE_TEXT && o->spool < SPOOL_LEAST)
        complain(r->complaints, spool, "`spool` is too small: at least 4MiB");
    if (sorts && type_of(o) == CLICKHOUSE && o->types & (o->types - 1))
        complain(r->complaints, sorts, "a table is of one type: write an output for each");
    if (!tree_member(entry, "certificate") != !tree_member(entry, "key"))
        complain(r->complaints, entry, "`certificate` and `key` go together");
    if (o->transport != SYSLOG_TLS && type_of(o) == SYSLOG && (o->ca[0] || o->certificate[0]))
        complain(r->complaints, entry, "certificates are for `transport: tls`");
}

/* Names are of spools, paths of files: each is one output's. */
static void check_alone(struct reader *r, const struct node *entry, const struct policy_output *o)
{
    const struct policy *p = r->policy;

    for (size_t i = 0; i + 1 < p->output_count; i++) {
        if (o->path[0] && strcmp(p->outputs[i].path, o->path) == 0)
            complain(r->complaints, tree_member(entry, "path"),
                     "another output writes to this path already");
        if (o->spool && strcmp(p->outputs[i].id, o->id) == 0)
            complain(r->complaints, entry, "another output is called %s: give this one an `id`",
                     o->id);
    }
}

static void read_output(struct reader *r, const struct node *entry)
{
    static const struct key keys[] = {
        PART("type", read_type, .required = true),
        PART("format", read_format),
        PART("kinds", read_kinds),
        PART("types", read_types),
        PART("url", read_url),
        KEY("id", OPTION_ID, FIELD(struct policy_output, id)),
        KEY("path", OPTION_PATH, FIELD(struct policy_output, path)),
        KEY("severity", OPTION_WORD, FIELD(struct policy_output, severity), .word = severity_name,
            .without = 1u << SEVERITY_NONE),
        KEY("repeats", OPTION_FLAG, FIELD(struct policy_output, repeats)),
        KEY("spool", OPTION_BYTES, FIELD(struct policy_output, spool)),
        KEY("server", OPTION_TEXT, FIELD(struct policy_output, server)),
        KEY("transport", OPTION_WORD, FIELD(struct policy_output, transport),
            .word = syslog_transport_name),
        KEY("facility", OPTION_WORD, FIELD(struct policy_output, facility),
            .word = syslog_facility_name),
        KEY("topic", OPTION_TEXT, FIELD(struct policy_output, topic)),
        KEY("table", OPTION_TEXT, FIELD(struct policy_output, topic)),
        KEY("user", OPTION_TEXT, FIELD(struct policy_output, user)),
        KEY("secret", OPTION_PATH, FIELD(struct policy_output, secret)),
        KEY("ca", OPTION_PATH, FIELD(struct policy_output, ca)),
        KEY("certificate", OPTION_PATH, FIELD(struct policy_output, certificate)),
        KEY("key", OPTION_PATH, FIELD(struct policy_output, key)),
        KEYS_END,
    };
    struct policy *p = r->policy;
    struct policy_output *o = reader_grow(r, &p->outputs, &p->output_count, sizeof *o);

    if (!o)
        return;
    strcpy(o->format, "eve");
    o->severity = SEVERITY_INFORMATIONAL;
    o->transport = SYSLOG_TCP;
    o->facility = FACILITY_LOCAL0;
    o->repeats = true;
    o->types = BIT(EVENT_ALERT);
    text_copy(o->sensor, sizeof o->sensor, p->name);
    read_map(r, entry, keys, o, "an output");
    if (!o->id[0])
        text_copy(o->id, sizeof o->id, o->type);
    if (type_of(o) == WEBHOOK && !tree_member(entry, "repeats"))
        o->repeats = false;
    check_keys(r, entry, o);
    check_values(r, entry, o);
    if (SPOOLED & BIT(type_of(o)) && !tree_member(entry, "spool"))
        o->spool = SPOOL_USUAL;
    check_alone(r, entry, o);
}

void read_outputs(struct reader *r, const struct node *list)
{
    read_entries(r, list, "an output", read_output);
}
