/* What a server sends a probe: as an answer of DNS, and as HTTP/2 with a request under way. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "probe/http2.h"
#include "probe/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void as_http2(const uint8_t *bytes, size_t size)
{
    static const uint8_t question[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1};
    struct http2 *h = http2_create();
    const uint8_t *out;

    assert(h);
    if (http2_ask(h, size & 1, "dns.example", "/dns-query", question, sizeof question) == 0)
        while (http2_output(h, &out) > 0)
            continue;
    http2_input(h, bytes, size);
    assert(http2_reply(h)->length <= ANSWER_BYTES);
    while (http2_output(h, &out) > 0)
        continue;
    http2_destroy(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct question q = {.name = "_dns.resolver.arpa", .type = 64};
    struct answer a;

    if (size >= 2)
        q.id = (uint16_t)(bytes[0] << 8 | bytes[1]);
    if (answer_read(&q, bytes, size, &a) == 0)
        assert(a.target[sizeof a.target - 1] == '\0');
    as_http2(bytes, size);
    return 0;
}
