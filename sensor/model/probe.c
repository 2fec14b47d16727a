#include "model/probe.h"

#include <stdio.h>

const char *fault_name(unsigned fault)
{
#define X(word, text) text,
    static const char *const words[] = {FAULT_LIST(X)};
#undef X

    return fault < FAULT_COUNT ? words[fault] : "?";
}

const char *probe_fault_words(uint32_t faults, char *out, unsigned size)
{
    unsigned used = 0;

    out[0] = '\0';
    for (unsigned f = 0; f < FAULT_COUNT && used < size; f++)
        if (faults & FAULT(f))
            used +=
                (unsigned)snprintf(out + used, size - used, "%s%s", used ? "," : "", fault_name(f));
    return out;
}
