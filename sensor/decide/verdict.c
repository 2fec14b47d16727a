#include "decide/verdict.h"

enum verdict verdict_of(const struct finding *f, enum mode mode, bool installed)
{
    if (f->excepted)
        return VERDICT_EXCEPTED;
    if (f->cut != ACTION_REJECT && f->cut != ACTION_DROP)
        return VERDICT_ALLOWED;
    return mode == MODE_ENFORCE && installed ? VERDICT_BLOCKED : VERDICT_WOULD_BLOCK;
}

int verdict_strength(enum verdict v)
{
    static const int strength[VERDICT_COUNT] = {[VERDICT_EXCEPTED] = 0,
                                                [VERDICT_ALLOWED] = 1,
                                                [VERDICT_WOULD_BLOCK] = 2,
                                                [VERDICT_BLOCKED] = 3};

    return strength[v];
}
