/* What the kernel's log says that our rules cut or redirected, or would have: one event for each
 * client, server and rule, with how many packets the log told of. The log is a sample where much is
 * cut: the rule's own counter, in `sealdns status`, has them all. */
#include <string.h>

#include "base/hash.h"
#include "base/text.h"
#include "detect/draft.h"
#include "detect/tallied.h"

#define RULE  "rule-evidence"
#define PAIRS 16384

struct evidence_item {
    struct tally_item item; /* first; counts packets */
    struct sighting seen;
    char rule[RULE_NAME];
    bool acted;
    uint8_t cut; /* enum action */
};

/* The zone's action, by what the rule's name says that it is of. Under another policy than that of
 * the rule it may be none any more: cut it was. */
static enum action action_of(const struct policy *p, const struct evidence_item *e)
{
    const struct policy_zone *z = draft_zone(p, e->seen.zone);
    const char *word = strchr(e->rule, '/');

    if (word && strncmp(word, "/redirect-", 10) == 0)
        return ACTION_REDIRECT;
    if (e->seen.server_port != 53)
        return z->unapproved == ACTION_DROP ? ACTION_DROP : ACTION_REJECT;
    return z->cleartext == ACTION_DROP ? ACTION_DROP : ACTION_REJECT;
}

static const char *what_of(const struct evidence_item *e)
{
    if (!e->acted)
        return "met a rule that counts";
    return e->cut == ACTION_REDIRECT ? "redirected by a rule" : "cut by a rule";
}

static void tell(void *context, struct tally_item *item, nsec_t now)
{
    struct tallied *t = context;
    struct evidence_item *e = (struct evidence_item *)item;
    struct finding f;

    (void)now;
    draft(&f, t->policy, RULE, KIND_ENFORCEMENT, &e->seen, SEVERITY_INFORMATIONAL);
    tally_finding(item, &f);
    f.cut = e->cut;
    f.proof = e->acted ? PROOF_ACTED : PROOF_COUNTED;
    evidence_string(&f.evidence, "what", what_of(e));
    evidence_string(&f.evidence, "rule", e->rule);
    evidence_string(&f.evidence, "action", action_name(e->cut));
    evidence_string(&f.evidence, "transport", transport_name(e->seen.transport));
    evidence_integer(&f.evidence, "packets", (int64_t)item->total);
    tallied_say(t, &f);
}

static void rule_evidence_met(void *state, const struct observation *o)
{
    struct tallied *t = state;
    struct tally_key key = {.client = o->client,
                            .server = o->server,
                            .zone = o->note.zone,
                            .transport = o->transport,
                            .what = o->met.acted,
                            .more = (uint32_t)hash_bytes(o->met.rule, strlen(o->met.rule), 0)};
    struct evidence_item *e = (struct evidence_item *)tally_at(t->tally, &key, o->time);

    e->seen = sighting_of(o);
    e->acted = o->met.acted;
    text_copy(e->rule, sizeof e->rule, o->met.rule);
    e->cut = (uint8_t)action_of(t->policy, e);
    tally_add(t->tally, &e->item, 1, o->time);
}

static void *rule_evidence_create(const struct detector_setup *setup)
{
    static const struct tallied_shape shape = {.rule = RULE,
                                               .state_size = sizeof(struct tallied),
                                               .item_size = sizeof(struct evidence_item),
                                               .capacity = PAIRS,
                                               .tell = tell};

    return tallied_create(&shape, setup);
}

const struct detector detector_rule_evidence = {.name = RULE,
                                                .reads = READ_RARE,
                                                .create = rule_evidence_create,
                                                .destroy = tallied_destroy,
                                                .use_policy = tallied_use_policy,
                                                .met = rule_evidence_met,
                                                .tick = tallied_tick,
                                                .flush = tallied_flush,
                                                .bytes = tallied_bytes};
