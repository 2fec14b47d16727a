#include "observe/padding.h"

enum { MESSAGES_MAX = 8 };

unsigned record_messages(unsigned length, unsigned overhead, unsigned block, bool *padded)
{
    unsigned plain, messages;

    *padded = false;
    if (length < RECORD_LEAST || length <= overhead)
        return 0;
    plain = length - overhead;
    messages = plain % block / MESSAGE_PREFIX;
    if (overhead == 0 || plain % 2 || messages == 0 || messages > MESSAGES_MAX ||
        plain / block < messages)
        return 1;
    *padded = true;
    return messages;
}
