/* Mutes: what is found and told nobody, for a while. */
#include <string.h>

#include "conf/reader.h"
#include "model/mute.h"

static void read_rule(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "rule", .kind = OPTION_ID, .size = RULE_ID};
    const struct policy *p = r->policy;
    struct policy_mute *m = object;
    char hint[OPTION_ERROR];
    struct nearest near;

    if (!read_value(r, n, &option, m->rule))
        return;
    near = nearest_to(m->rule);
    for (size_t i = 0; i < p->detection_count; i++) {
        if (strcmp(p->detections[i].id, m->rule) == 0) {
            m->kind = (int16_t)p->detections[i].kind;
            return;
        }
        nearest_offer(&near, p->detections[i].id);
    }
    complain(r->complaints, n, "no detection `%s` is there%s", m->rule, nearest_text(&near, hint));
}

static void read_kind(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "kind", .kind = OPTION_WORD, .word = kind_name};
    unsigned kind;

    if (read_value(r, n, &option, &kind))
        ((struct policy_mute *)object)->kind = (int16_t)kind;
}

static void read_client(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "client", .kind = OPTION_ADDRESS};
    struct policy_mute *m = object;

    m->client.length = 128;
    if (n->kind == NODE_TEXT && strchr(n->text, '/'))
        complain(r->complaints, n, "`client` is one address: for a prefix write `network: %s`",
                 n->text);
    else
        m->has_client = read_value(r, n, &option, &m->client.addr);
}

static void read_network(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "network", .kind = OPTION_PREFIX};
    struct policy_mute *m = object;

    m->has_client = read_value(r, n, &option, &m->client);
}

static void read_server(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "server", .kind = OPTION_PREFIX};
    struct policy_mute *m = object;

    m->has_server = read_value(r, n, &option, &m->server);
}

static void check_mute(struct reader *r, const struct node *entry, const struct policy_mute *m)
{
    const struct node *rule = tree_member(entry, "rule"), *kind = tree_member(entry, "kind");
    const struct node *network = tree_member(entry, "network");

    if (!rule && !kind)
        complain(r->complaints, entry, "a mute needs `rule` or `kind`");
    if (rule && kind)
        complain(r->complaints, kind->key, "`rule` or `kind`, not both");
    if (network && tree_member(entry, "client"))
        complain(r->complaints, network->key, "`client` or `network`, not both");
    if (m->kind == KIND_SENSOR || m->kind == KIND_ENFORCEMENT)
        complain(r->complaints, rule ? rule : kind,
                 "what the sensor could not see, and what it installed, cannot be muted");
    if (m->until && m->until < r->now)
        complain_softly(r->complaints, tree_member(entry, "until"),
                        "this mute has ended and is inactive");
}

static void read_mute(struct reader *r, const struct node *entry)
{
    static const struct key keys[] = {
        PART("rule", read_rule),
        PART("kind", read_kind),
        PART("client", read_client),
        PART("network", read_network),
        PART("server", read_server),
        KEY("name", OPTION_NAME, FIELD(struct policy_mute, name)),
        KEY("until", OPTION_DATE, .required = true, FIELD(struct policy_mute, until)),
        KEY("owner", OPTION_TEXT, .required = true, FIELD(struct policy_mute, owner)),
        KEY("reason", OPTION_TEXT, .required = true, FIELD(struct policy_mute, reason)),
        KEYS_END,
    };
    struct policy *p = r->policy;
    struct policy_mute *m;

    if (p->mute_count == MUTES_MOST) {
        complain(r->complaints, entry, "too many mutes: at most %d", MUTES_MOST);
        return;
    }
    m = reader_grow(r, &p->mutes, &p->mute_count, sizeof *m);
    if (!m)
        return;
    m->kind = -1;
    read_map(r, entry, keys, m, "a mute");
    check_mute(r, entry, m);
}

void read_mutes(struct reader *r, const struct node *list)
{
    read_entries(r, list, "a mute", read_mute);
}
