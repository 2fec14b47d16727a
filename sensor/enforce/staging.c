#include "enforce/staging.h"

#include <stdio.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/draft.h"

static void send_first(struct compilation *c, int16_t zone, int chain, const char *word, int first)
{
    const struct policy_zone *z = c->policy->zones + zone;

    for (int v4 = 1; v4 >= 0; v4--) {
        struct rule r = rule_named(chain, "%s/%s-%s", z->id, word, family_word(v4));
        char name[RULESET_NAME];
        int set;

        snprintf(name, sizeof name, "rollout_%.63s_%s", z->id, family_word(v4));
        set = compiled_rollout(c, name, v4, zone);
        if (set >= 0) {
            match_set(&r, MATCH_SOURCE, set);
            rule_add(c, &r, STATEMENT_GOTO, first);
        }
        if (z->rollout.percent == 0)
            continue;
        r = rule_named(chain, "%s/%s-percent-%s", z->id, word, family_word(v4));
        match_share(&r, v4, rollout_seed(z), z->rollout.percent);
        rule_add(c, &r, STATEMENT_GOTO, first);
    }
}

void write_staged(struct compilation *c, int16_t zone, int chain, const char *word,
                  void (*write)(struct compilation *c, int16_t zone, int chain))
{
    const struct policy_zone *z = c->policy->zones + zone;
    bool shadow = c->shadow;

    c->shadow |= z->held;
    if (z->rollout.given && z->rollout.percent < SHARE_OF) {
        char name[RULESET_NAME];
        int first;

        snprintf(name, sizeof name, "%s_%s", word, z->id);
        first = compiled_chain(c, name);
        send_first(c, zone, chain, word, first);
        write(c, zone, first);
        c->shadow = true;
    }
    write(c, zone, chain);
    c->shadow = shadow;
}
