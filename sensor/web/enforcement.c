/* What the kernel does: rules with their counters, zones, exceptions, and who changed what. */
#include <string.h>

#include "base/error.h"
#include "store/search.h"
#include "web/request.h"

enum { EVENTS = 50 };

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

/* What the sensor did about somebody else's change, and what people did. */
struct history {
    json_t *drift, *changes;
};

static bool is_drift(const char *what)
{
    static const char *const words[] = {"healed", "fought over", "lost", "restored", "drifted"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(what, words[i]) == 0)
            return true;
    return false;
}

static int take_event(void *context, const struct event_row *row)
{
    struct history *h = context;
    json_t *eve = web_event(row->json), *own = json_object_get(eve, "sealdns");
    const char *rule = word(own, "rule");

    if (eve && strcmp(rule, "rule-evidence") != 0)
        json_array_append(
            is_drift(word(json_object_get(own, "evidence"), "what")) ? h->drift : h->changes, eve);
    json_decref(eve);
    return 0;
}

static bool is_held(const json_t *rules, const char *zone)
{
    const json_t *held = json_object_get(rules, "zones_held"), *one;
    size_t i;

    json_array_foreach(held, i, one) if (strcmp(json_string_value(one), zone) == 0) return true;
    return false;
}

static json_t *zone_json(const struct policy *p, const struct policy_zone *z, const json_t *rules)
{
    bool cuts = z->cleartext > ACTION_ALERT || z->unapproved > ACTION_ALERT;
    bool held = is_held(rules, z->id), none = p->mode == MODE_MONITOR || !cuts;
    const char *state = none                     ? "watched"
                        : held                   ? "held"
                        : p->mode == MODE_SHADOW ? "shadow"
                                                 : "enforced";

    return json_pack("{s:s,s:s,s:s,s:s,s:s*}", "zone", z->id, "state", state, "cleartext",
                     action_name(z->cleartext), "unapproved", action_name(z->unapproved), "why",
                     held ? "none of its approved resolvers answers: its rules only count" : NULL);
}

static json_t *zones_of(const struct policy *p, const json_t *rules)
{
    json_t *zones = json_array();

    for (size_t i = 0; i < p->zone_count; i++)
        json_array_append_new(zones, zone_json(p, p->zones + i, rules));
    return zones;
}

static json_t *exceptions_of(const struct policy *p, nsec_t now)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->exception_count; i++) {
        const struct policy_exception *e = p->exceptions + i;
        char who[ADDR_TEXT + 4];

        json_array_append_new(
            list, json_pack("{s:s,s:s*,s:o,s:s,s:s,s:b}", "client", policy_exception_text(e, who),
                            "resolver", e->resolver >= 0 ? p->resolvers[e->resolver].id : NULL,
                            "until", web_time_json(e->until), "owner", e->owner, "reason",
                            e->reason, "active", e->until >= now));
    }
    return list;
}

/* `office/cleartext-udp`: the zone stands before the rule's own name. */
static json_t *rules_of(const json_t *blocks)
{
    json_t *list = json_array();
    const json_t *b;
    size_t i;

    json_array_foreach(blocks, i, b)
    {
        const char *id = word(b, "rule");
        int zone = strchr(id, '/') ? (int)strcspn(id, "/") : 0;

        json_array_append_new(
            list, json_pack("{s:s,s:s#,s:b,s:O*,s:O*,s:O*}", "id", id, "zone", id, zone, "acts",
                            json_is_true(json_object_get(b, "acts")), "packets",
                            json_object_get(b, "packets"), "bytes", json_object_get(b, "bytes"),
                            "logged", json_object_get(b, "logged")));
    }
    return list;
}

static json_t *counts(const json_t *rules, const char *rule_key, const char *element_key)
{
    return json_pack("{s:O*,s:O*}", "rules", json_object_get(rules, rule_key), "elements",
                     json_object_get(rules, element_key));
}

static json_t *document_of(const struct web_request *q, const struct policy *p,
                           const json_t *status, const struct history *h)
{
    const json_t *rules = json_object_get(status, "rules");

    return json_pack(
        "{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:O*,s:o,s:o}", "mode", mode_name(p->mode), "state",
        json_is_true(json_object_get(rules, "drifted"))     ? "not as the policy says"
        : json_is_true(json_object_get(rules, "installed")) ? "as the policy says"
                                                            : "no rule is in the kernel",
        "installed", counts(rules, "rules", "elements"), "desired",
        counts(rules, "rules_wanted", "elements_wanted"), "rules",
        rules_of(json_object_get(rules, "blocks")), "zones", zones_of(p, rules), "exceptions",
        exceptions_of(p, q->now), "pairs", json_object_get(rules, "pairs"), "drift", h->drift,
        "changes", h->changes);
}

static enum MHD_Result answer(const struct web_request *q)
{
    struct event_search told = {.kind = KIND_ENFORCEMENT, .limit = 4 * EVENTS};
    struct history h = {NULL, NULL};
    json_t *status, *document;
    const struct policy *p;
    enum MHD_Result answered;
    struct store_reader *r = web_reader(q, &answered);
    int64_t next;
    int code;

    if (!r)
        return answered;
    h = (struct history){json_array(), json_array()};
    code = store_search(r, &told, &next, take_event, &h);
    status = q->source->status(q->source->context);
    p = q->source->policy(q->source->context);
    document = document_of(q, p, status, &h);
    q->source->release(q->source->context, p);
    json_decref(status);
    return web_read(q, r, code, document);
}

const struct web_route route_enforcement = {"/api/enforcement", .answer = answer};
