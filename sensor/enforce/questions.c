#include <string.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/compile.h"

enum { TYPE_A = 1, TYPE_AAAA = 28, TYPE_SVCB = 64, TYPE_HTTPS = 65, CLASS_IN = 1 };

#define LONGEST_NAME 253

static void put(struct pattern *p, uint8_t value, uint8_t mask)
{
    p->value[p->length] = value & mask;
    p->mask[p->length++] = mask;
}

static void put16(struct pattern *p, uint16_t value, uint16_t mask)
{
    put(p, (uint8_t)(value >> 8), (uint8_t)(mask >> 8));
    put(p, (uint8_t)value, (uint8_t)mask);
}

/* A query (opcode 0) of one question; what the additional section holds (EDNS) is left open. */
static void put_header(struct pattern *p)
{
    put16(p, 0, 0xf800);
    put16(p, 1, 0xffff); /* QDCOUNT */
    put16(p, 0, 0xffff); /* ANCOUNT */
    put16(p, 0, 0xffff); /* NSCOUNT */
    put16(p, 0, 0);      /* ARCOUNT */
}

/* In either case, as RFC 1035 2.3.3 compares: 0x20 is the bit between "A" and "a". */
static bool put_name(struct pattern *p, const char *name)
{
    while (*name) {
        size_t length = strcspn(name, ".");

        if (length == 0 || length > 63)
            return false;
        put(p, (uint8_t)length, 0xff);
        for (size_t i = 0; i < length; i++) {
            bool letter = (name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z';

            put(p, (uint8_t)name[i], letter ? 0xdf : 0xff);
        }
        name += length;
        name += *name == '.';
    }
    put(p, 0, 0xff);
    return true;
}

/* Letters, digits, "-", "_" and dots: no wildcard, and nothing that a comment would break on. */
static bool is_host_name(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && length <= LONGEST_NAME &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] == '\0';
}

static void pass_name(struct bootstrap *b, const char *name)
{
    static const uint16_t types[] = {TYPE_A, TYPE_AAAA, TYPE_SVCB, TYPE_HTTPS};

    for (size_t i = 0; i < sizeof types / sizeof *types && !b->c->error; i++) {
        struct pattern p = {.length = 0};
        int number;

        put_header(&p);
        if (!put_name(&p, name))
            return;
        put16(&p, types[i], 0xffff);
        put16(&p, CLASS_IN, 0xffff);
        number = ruleset_add_pattern(b->c->r, &p);
        if (number >= 0)
            b->pass(b, name, number);
        else
            b->c->error = number;
    }
}

void compiled_questions(struct bootstrap *b)
{
    const struct policy *p = b->c->policy;
    const struct policy_zone *z = p->zones + b->zone;

    for (size_t i = 0; i < z->approve_count; i++) {
        const struct policy_resolver *r = p->resolvers + z->approve[i];
        bool encrypts = policy_approves_any(p, b->zone, z->approve[i], TRANSPORTS_SEALED);

        for (size_t k = 0; encrypts && k < r->name_count; k++)
            if (is_host_name(r->names[k]) && policy_resolver_named(p, r->names[k]) == z->approve[i])
                pass_name(b, r->names[k]);
    }
}
