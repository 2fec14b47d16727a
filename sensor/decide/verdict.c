#include "decide/verdict.h"

enum verdict verdict_of(const struct finding *f, enum mode mode, bool installed)
{
    bool acts =
        f->proof == PROOF_POLICY ? mode == MODE_ENFORCE && installed : f->proof == PROOF_ACTED;

    if (f->excepted)
        return VERDICT_EXCEPTED;
    if (f->cut == ACTION_REDIRECT)
        return acts ? VERDICT_REDIRECTED : VERDICT_WOULD_REDIRECT;
    if (f->cut != ACTION_REJECT && f->cut != ACTION_DROP)
        return VERDICT_ALLOWED;
    return acts ? VERDICT_BLOCKED : VERDICT_WOULD_BLOCK;
}

int verdict_strength(enum verdict v)
{
    static const int strength[VERDICT_COUNT] = {
        [VERDICT_EXCEPTED] = 0,   [VERDICT_ALLOWED] = 1,     [VERDICT_WOULD_REDIRECT] = 2,
        [VERDICT_REDIRECTED] = 3, [VERDICT_WOULD_BLOCK] = 4, [VERDICT_BLOCKED] = 5};

    return strength[v];
}
