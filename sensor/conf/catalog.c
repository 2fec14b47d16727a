/* The data files of rules/: the resolver catalogue and the detections. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "conf/reader.h"

#define CATALOG_MOST 4000

/* For the reader of the file only: the program does without it. */
static void read_ignored(struct reader *r, const struct node *n, void *object)
{
    (void)r;
    (void)n;
    (void)object;
}

static void read_entry(struct reader *r, const struct node *entry)
{
    static const struct key keys[] = {
        KEY("id", OPTION_ID, .required = true, FIELD(struct policy_resolver, id)),
        PART("names", read_names),
        PART("addresses", read_addresses),
        PART("shared", read_shared),
        PART("transports", read_transports, .required = true),
        PART("operator", read_ignored),
        PART("doh", read_ignored),
        PART("filtering", read_ignored),
        PART("source", read_ignored),
        PART("marks", read_ignored),
        KEYS_END,
    };
    struct policy_resolver *to;

    if (r->catalog_count == CATALOG_MOST) {
        complain(r->complaints, entry, "too many entries: at most %d", CATALOG_MOST);
        return;
    }
    to = reader_grow(r, &r->catalog, &r->catalog_count, sizeof *to);
    if (!to)
        return;
    read_map(r, entry, keys, to, "an entry of the catalogue");
    if (to->name_count + to->address_count == 0)
        complain(r->complaints, entry, "an entry needs `names`, `addresses` or `shared`");
    for (size_t i = 0; i + 1 < r->catalog_count; i++)
        if (to->id[0] && strcmp(r->catalog[i].id, to->id) == 0)
            complain(r->complaints, tree_member(entry, "id"), "an entry `%s` is there already",
                     to->id);
}

static void read_entries_of_catalog(struct reader *r, const struct node *n, void *object)
{
    (void)object;
    read_entries(r, n, "an entry of the catalogue", read_entry);
}

static void read_version(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {
        .name = "version", .kind = OPTION_NUMBER, .size = 4, .least = 1, .most = 1};
    uint32_t version;

    (void)object;
    read_value(r, n, &option, &version);
}

static void read_outer_names(struct reader *r, const struct node *n, void *object)
{
    struct policy *p = r->policy;
    static const struct option option = {
        .name = "outer_names", .kind = OPTION_NAME, .size = sizeof *p->outer_names};
    char name[sizeof *p->outer_names];

    (void)object;
    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        char(*place)[sizeof name];

        if (!read_value(r, e, &option, name))
            continue;
        place = reader_grow(r, &p->outer_names, &p->outer_name_count, sizeof *place);
        if (place)
            memcpy(place, name, sizeof name);
    }
}

void read_catalog(struct reader *r, const struct node *root)
{
    static const struct key keys[] = {
        PART("version", read_version, .required = true),
        PART("outer_names", read_outer_names),
        PART("resolvers", read_entries_of_catalog, .required = true),
        KEYS_END,
    };

    read_map(r, root, keys, r, "a catalogue");
}

static void read_thresholds(struct reader *r, const struct node *n, void *object)
{
    struct policy_detection *d = object;
    struct option name = {.name = "name", .kind = OPTION_TEXT, .size = sizeof d->thresholds->name};
    struct option value = {.kind = OPTION_NUMBER, .size = 8, .least = INT64_MIN, .most = INT64_MAX};
    size_t most = sizeof d->thresholds / sizeof *d->thresholds;

    if (n->kind != NODE_MAP && n->kind != NODE_NOTHING) {
        complain(r->complaints, n, "`thresholds` is a map: write `name: number`");
        return;
    }
    for (const struct node *e = n->first; e; e = e->next) {
        struct policy_threshold *t = d->thresholds + d->threshold_count;
        char error[OPTION_ERROR];

        if (d->threshold_count == most) {
            complain(r->complaints, e->key, "too many thresholds: at most %zu", most);
            return;
        }
        value.name = e->key->text;
        if (option_set(&name, e->key->text, t->name, error) != 0) {
            complain(r->complaints, e->key, "%s", error);
            continue;
        }
        for (size_t i = 0; i < d->threshold_count; i++)
            if (strcmp(d->thresholds[i].name, t->name) == 0)
                complain(r->complaints, e->key, "`%s` is there twice", t->name);
        if (read_value(r, e, &value, &t->value))
            d->threshold_count++;
    }
}

/* The reason is for the reader of the file, but there must be one. */
struct listed {
    char domain[64], reason[160];
};

static void read_listed(struct reader *r, const struct node *n, char (*to)[64], size_t *count,
                        size_t most)
{
    static const struct key keys[] = {
        KEY("domain", OPTION_NAME, .required = true, FIELD(struct listed, domain)),
        KEY("reason", OPTION_TEXT, .required = true, FIELD(struct listed, reason)),
        KEYS_END,
    };

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        struct listed one = {.domain = ""};

        if (*count == most) {
            complain(r->complaints, e, "too many domains: at most %zu", most);
            return;
        }
        read_map(r, e, keys, &one, "a listed domain");
        if (one.domain[0])
            memcpy(to[(*count)++], one.domain, sizeof one.domain);
    }
}

static void read_ordinary(struct reader *r, const struct node *n, void *object)
{
    struct policy_detection *d = object;

    read_listed(r, n, d->ordinary, &d->ordinary_count, DETECTION_ORDINARY);
}

static void read_names_watched(struct reader *r, const struct node *n, void *object)
{
    struct policy_detection *d = object;

    read_listed(r, n, d->names, &d->name_count, DETECTION_NAMES);
}

static const struct option signature = {
    .name = "signature_id", .kind = OPTION_NUMBER, .size = 4, .least = 8530000, .most = 8539999};

static void read_signatures(struct reader *r, const struct node *n, void *object)
{
    struct policy_detection *d = object;
    char quoted[OPTION_ERROR];

    if (n->kind != NODE_MAP) {
        complain(r->complaints, n, "`signatures` is a map: write {dot: 8530031, ...}");
        return;
    }
    for (const struct node *e = n->first; e; e = e->next) {
        int transport = transport_of(e->key->text);

        if (transport < 0)
            complain(r->complaints, e->key, "no transport is called %s",
                     option_quote(e->key->text, quoted));
        else
            read_value(r, e, &signature, d->signatures + transport);
    }
}

/* Both attack and controls go there, comma separated. */
static void read_metadata(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "metadata", .kind = OPTION_TEXT, .size = 128};
    struct policy_detection *d = object;
    char text[128];

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        size_t used = strlen(d->metadata);

        if (!read_value(r, e, &option, text))
            continue;
        if (strchr(text, ',')) {
            complain(r->complaints, e, "a comma cannot be part of this");
        } else if (used + strlen(text) + 2 > sizeof d->metadata) {
            complain(r->complaints, e, "`attack` and `controls` are too long: at most %zu octets",
                     sizeof d->metadata - 1);
            return;
        } else {
            snprintf(d->metadata + used, sizeof d->metadata - used, "%s%s", used ? "," : "", text);
        }
    }
}

/* A node as it is written: a question and where its answers lead, or a leaf. */
struct written_node {
    enum feature ask;
    uint32_t most, then, other, say;
};

static void read_node(struct reader *r, const struct node *entry, struct decision_tree *tree)
{
    static const struct key question[] = {
        KEY("ask", OPTION_WORD, .required = true, FIELD(struct written_node, ask),
            .word = feature_name),
        KEY("most", OPTION_NUMBER, .required = true, FIELD(struct written_node, most), .least = 0,
            .most = INT32_MAX),
        KEY("then", OPTION_NUMBER, .required = true, FIELD(struct written_node, then), .least = 1,
            .most = DECISION_NODES - 1),
        KEY("other", OPTION_NUMBER, .required = true, FIELD(struct written_node, other), .least = 1,
            .most = DECISION_NODES - 1),
        KEYS_END,
    };
    static const struct key leaf[] = {
        KEY("say", OPTION_NUMBER, .required = true, FIELD(struct written_node, say), .least = 0,
            .most = 100),
        KEYS_END,
    };
    bool asks = tree_member(entry, "ask") != NULL;
    struct written_node w = {.say = 0};

    read_map(r, entry, asks ? question : leaf, &w, "a node of the tree");
    tree->node[tree->count++] =
        (struct decision_node){.feature = (uint8_t)(asks ? w.ask : FEATURE_COUNT),
                               .most = (int32_t)w.most,
                               .then = (uint8_t)w.then,
                               .other = (uint8_t)w.other,
                               .confidence = (uint8_t)w.say};
}

static void read_tree(struct reader *r, const struct node *n, void *object)
{
    struct decision_tree *tree = &((struct policy_detection *)object)->tree;
    const char *fault;
    size_t at, i = 0;

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        if (tree->count == DECISION_NODES) {
            complain(r->complaints, e, "too many nodes: at most %d", DECISION_NODES);
            return;
        }
        if (e->kind != NODE_MAP) {
            complain(r->complaints, e,
                     "a node is {ask: FEATURE, most: N, then: I, other: J} or {say: N}");
            return;
        }
        read_node(r, e, tree);
    }
    fault = decision_fault(tree, &at);
    for (const struct node *e = n->first; fault && e; e = e->next)
        if (i++ == at)
            complain(r->complaints, e, "node %zu: %s", at, fault);
}

/* A line each. */
static void read_false_positives(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {
        .name = "false_positives", .kind = OPTION_TEXT, .size = 512};
    struct policy_detection *d = object;
    size_t used = 0;
    char text[512];

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        if (!read_value(r, e, &option, text))
            continue;
        used += (size_t)snprintf(d->false_positives + used, sizeof d->false_positives - used,
                                 "%s%s", used ? "\n" : "", text);
        if (used < sizeof d->false_positives)
            continue;
        complain(r->complaints, e, "too long: false_positives have %zu octets together at most",
                 sizeof d->false_positives - 1);
        return;
    }
}

static const struct key detection_keys[] = {
    KEY("id", OPTION_ID, .required = true, FIELD(struct policy_detection, id)),
    KEY("kind", OPTION_WORD, .required = true, FIELD(struct policy_detection, kind),
        .word = kind_name),
    KEY("signature_id", OPTION_NUMBER, .required = true,
        FIELD(struct policy_detection, signature_id), .least = 8530000, .most = 8539999),
    PART("signatures", read_signatures),
    KEY("rev", OPTION_NUMBER, .required = true, FIELD(struct policy_detection, revision),
        .least = 1, .most = 1000000),
    KEY("title", OPTION_TEXT, .required = true, FIELD(struct policy_detection, title)),
    KEY("category", OPTION_TEXT, .required = true, FIELD(struct policy_detection, category)),
    KEY("severity", OPTION_NUMBER, .required = true, FIELD(struct policy_detection, severity),
        .least = 1, .most = 4),
    PART("thresholds", read_thresholds),
    PART("ordinary", read_ordinary),
    PART("names", read_names_watched),
    PART("tree", read_tree),
    PART("attack", read_metadata),
    PART("controls", read_metadata),
    KEY("explanation", OPTION_TEXT, FIELD(struct policy_detection, explanation)),
    KEY("what_to_do", OPTION_TEXT, FIELD(struct policy_detection, what_to_do)),
    PART("false_positives", read_false_positives),
    KEYS_END,
};

/* One that is there already is replaced: a file of the operator's comes after the embedded ones. */
void read_detection(struct reader *r, const struct node *root)
{
    struct policy *p = r->policy;
    struct policy_detection d = {.id = ""}, *place = NULL;

    read_map(r, root, detection_keys, &d, "a detection");
    for (size_t i = 0; i < p->detection_count; i++)
        if (strcmp(p->detections[i].id, d.id) == 0)
            place = p->detections + i;
    for (size_t i = 0; i < p->detection_count && d.signature_id; i++)
        if (p->detections + i != place && p->detections[i].signature_id == d.signature_id)
            complain(r->complaints, tree_member(root, "signature_id"),
                     "%u is the signature of `%s` already", d.signature_id, p->detections[i].id);
    if (!place)
        place = reader_grow(r, &p->detections, &p->detection_count, sizeof *place);
    if (place)
        *place = d;
}
