/* DHCP messages and router advertisements: the first octet says which, the rest is the payload.
 * What an observation holds stays within its arrays and is text that can be shown. */
#include <stdlib.h>
#include <string.h>

#include "observe/observe.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_text(const char *text, size_t size)
{
    size_t n = strnlen(text, size);

    if (n == size)
        abort();
    for (size_t i = 0; i < n; i++)
        if (text[i] < ' ' || text[i] > '~')
            abort();
}

static void put(void *context, struct observation *o)
{
    const struct lease_observation *l = &o->lease;

    ++*(uint64_t *)context;
    if (o->kind != OBSERVE_LEASE || l->address_count > LEASE_ADDRESSES ||
        l->resolver_count > LEASE_RESOLVERS || l->designation_count > LEASE_DESIGNATIONS)
        abort();
    check_text(l->host, sizeof l->host);
    for (int i = 0; i < l->designation_count; i++) {
        check_text(l->designation[i].name, sizeof l->designation[i].name);
        if (l->designation[i].service.hint_count > SVCB_HINTS)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const uint16_t ports[3][2] = {{67, 68}, {547, 546}, {0, 0}};
    const struct observer_limits limits = {.flows = 8, .transactions = 64, .stream_bytes = 4096};
    static const struct classifier_ops ops;
    struct stats stats = {0};
    uint64_t told = 0;
    struct observer *o = observer_create(
        &limits, &ops, NULL, (struct observation_sink){.put = put, .context = &told}, 5);
    unsigned which = length ? bytes[0] % 3 : 0;
    struct packet p = {.time = NSEC_S,
                       .proto = which == 2 ? IP_PROTO_ICMPV6 : IP_PROTO_UDP,
                       .sport = ports[which][0],
                       .dport = ports[which][1],
                       .ttl = 255,
                       .icmp_type = 134};
    uint8_t *copy;

    if (!o || length == 0 || !(copy = malloc(length))) {
        observer_destroy(o);
        return 0;
    }
    memcpy(copy, bytes + 1, length - 1);
    p.payload = copy;
    p.payload_length = (uint32_t)length - 1;
    observer_packet(o, &p, &stats);
    observer_flush(o, NSEC_S, &stats);
    observer_destroy(o);
    free(copy);
    if (told != stats.leases || stats.leases + stats.leases_malformed > 1)
        abort();
    return 0;
}
