/* `privacy` and `query_log`: what is written of queries, and how clients are named there. */
#include <stdlib.h>
#include <string.h>

#include "conf/reader.h"

static void read_places(struct reader *r, const struct node *list, void *object)
{
    static const struct option option = {
        .name = "in", .kind = OPTION_WORD, .word = privacy_place_name};

    ((struct policy_privacy *)object)->in = read_words(r, list, &option);
}

void read_privacy(struct reader *r, const struct node *n)
{
    static const struct key keys[] = {
        KEY("clients", OPTION_WORD, FIELD(struct policy_privacy, clients), .word = client_form_name,
            .without = 1u << CLIENTS_NETWORK),
        KEY("rotate", OPTION_DURATION, FIELD(struct policy_privacy, rotate)),
        KEY("key", OPTION_PATH, FIELD(struct policy_privacy, key)),
        PART("in", read_places),
        KEYS_END,
    };
    struct policy_privacy *p = &r->policy->privacy;
    const struct node *rotate = tree_member(n, "rotate"), *in = tree_member(n, "in");

    if (!n)
        return;
    read_map(r, n, keys, p, "`privacy`");
    if (p->clients == CLIENTS_PSEUDONYM && !p->key[0])
        complain(r->complaints, n,
                 "pseudonyms need a `key`: a file that the sensor makes, which "
                 "says who is who while it lives");
    if (rotate && rotate->kind == NODE_TEXT && p->rotate < 60 * NSEC_S)
        complain(r->complaints, rotate, "`rotate` is too short: at least 1m");
    if (in && in->kind == NODE_LIST && !in->first)
        complain(r->complaints, in, "`in` names no place: store, feed, or both");
    if (p->clients == CLIENTS_PSEUDONYM && r->policy->evidence.path[0])
        complain_softly(r->complaints, n,
                        "captures of `evidence` hold packets as they were: "
                        "they show the clients' addresses");
}

/* "1/100" */
static void read_sample(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "sample", .kind = OPTION_TEXT, .size = 24};
    char text[24], quoted[OPTION_ERROR], *end = NULL;
    unsigned long of = 0;

    if (!read_value(r, n, &option, text))
        return;
    if (strncmp(text, "1/", 2) == 0 && text[2] >= '1' && text[2] <= '9')
        of = strtoul(text + 2, &end, 10);
    if (!end || *end || of < 1 || of > 1000000)
        complain(r->complaints, n, "`sample` cannot be %s: a part as 1/100, down to 1/1000000",
                 option_quote(text, quoted));
    else
        ((struct policy_query_log *)object)->sample = (uint32_t)of;
}

static void log_zone(struct reader *r, const struct node *n)
{
    struct policy *p = r->policy;
    struct nearest near = nearest_to(n->kind == NODE_TEXT ? n->text : "");
    char quoted[OPTION_ERROR], hint[OPTION_ERROR];

    for (size_t z = 0; z < p->zone_count; z++) {
        if (n->kind == NODE_TEXT && strcmp(p->zones[z].id, n->text) == 0) {
            p->zones[z].logged = true;
            return;
        }
        nearest_offer(&near, p->zones[z].id);
    }
    complain(r->complaints, n, "`zones` knows no %s%s",
             option_quote(n->kind == NODE_TEXT ? n->text : "", quoted), nearest_text(&near, hint));
}

static void read_log_zones(struct reader *r, const struct node *list, void *object)
{
    if (!read_is_list(r, list))
        return;
    ((struct policy_query_log *)object)->some_zones = list->first != NULL;
    for (const struct node *n = list->first; n; n = n->next)
        log_zone(r, n);
}

/* Lines that reach nobody are an error of whoever wanted them. */
static bool goes_somewhere(const struct policy *p)
{
    for (size_t i = 0; i < p->output_count; i++)
        if (p->outputs[i].types & 1u << EVENT_DNS)
            return true;
    return p->query_log.store;
}

static void check_query_log(struct reader *r, const struct node *n)
{
    const struct policy_query_log *q = &r->policy->query_log;
    const struct node *sample = tree_member(n, "sample"), *interval = tree_member(n, "interval");

    if (sample && q->mode != QUERIES_SAMPLED)
        complain(r->complaints, sample, "`sample` goes with `mode: sampled`");
    if (interval && q->mode != QUERIES_AGGREGATED)
        complain(r->complaints, interval, "`interval` goes with `mode: aggregated`");
    if (interval && (q->interval < NSEC_S || q->interval > 3600 * NSEC_S))
        complain(r->complaints, interval, "`interval` is between 1s and 1h");
    if (q->clients == CLIENTS_PSEUDONYM && !r->policy->privacy.key[0])
        complain(r->complaints, tree_member(n, "clients"),
                 "pseudonyms need `privacy: {key: FILE}`");
    if (q->retention < 3600 * NSEC_S)
        complain(r->complaints, tree_member(n, "retention"),
                 "`retention` is too short: at least 1h");
    if (q->mode != QUERIES_OFF && !goes_somewhere(r->policy))
        complain_softly(r->complaints, n,
                        "nobody gets the query log: no output has `types: [dns]`, "
                        "and `store` is false");
}

void read_query_log(struct reader *r, const struct node *n)
{
    static const struct key keys[] = {
        KEY("mode", OPTION_WORD, FIELD(struct policy_query_log, mode), .word = query_mode_name),
        PART("sample", read_sample),
        KEY("interval", OPTION_DURATION, FIELD(struct policy_query_log, interval)),
        KEY("clients", OPTION_WORD, FIELD(struct policy_query_log, clients),
            .word = client_form_name),
        KEY("names", OPTION_WORD, FIELD(struct policy_query_log, names), .word = name_form_name),
        KEY("answers", OPTION_FLAG, FIELD(struct policy_query_log, answers)),
        PART("zones", read_log_zones),
        KEY("store", OPTION_FLAG, FIELD(struct policy_query_log, store)),
        KEY("retention", OPTION_DURATION, FIELD(struct policy_query_log, retention)),
        KEYS_END,
    };

    if (!n)
        return;
    read_map(r, n, keys, &r->policy->query_log, "`query_log`");
    check_query_log(r, n);
}
