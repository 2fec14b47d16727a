#include "observe/identify.h"

#include <string.h>

#include "model/policy.h"

bool alpn_offers(const char *alpn, const char *name)
{
    size_t length = strlen(name);

    while (*alpn) {
        size_t n = strcspn(alpn, ",");

        if (n == length && memcmp(alpn, name, n) == 0)
            return true;
        alpn += n + (alpn[n] == ',');
    }
    return false;
}

bool identify_outer(const struct observer *o, const struct tls_facts *facts)
{
    return facts->ech && o->policy && policy_is_outer_name(o->policy, facts->sni);
}

static void look_up(const struct observer *o, const struct flow *f, struct sight *s)
{
    const struct tls_facts *facts = f->cold ? f->cold->facts : NULL;

    if (!o->policy)
        return;
    s->addressed = policy_resolver_at(o->policy, flow_addr(f, SIDE_SERVER), &s->shared) >= 0;
    s->named = facts && facts->sni[0] && !identify_outer(o, facts) &&
               policy_resolver_named(o->policy, facts->sni) >= 0;
}

static void give(struct flow *f, struct name_given given)
{
    f->transport = given.transport;
    f->identified_by = given.identified_by;
    f->confidence = given.confidence;
}

void identify_by_port(const struct observer *o, struct flow *f)
{
    uint16_t port = flow_port(f, SIDE_SERVER);
    bool tcp = f->proto == IP_PROTO_TCP, shared = false;

    if (port == PORT_DNS && tcp)
        give(f, (struct name_given){TRANSPORT_DO53_TCP, BY(BY_PORT), 60});
    else if (port == 853)
        give(f, (struct name_given){tcp ? TRANSPORT_DOT : TRANSPORT_DOQ, BY(BY_PORT), 60});
    else if (o->policy && policy_resolver_at(o->policy, flow_addr(f, SIDE_SERVER), &shared) >= 0 &&
             !shared)
        give(f, (struct name_given){TRANSPORT_UNKNOWN, BY(BY_ADDRESS), 50});
    if (port == PORT_DNS && tcp)
        f->flags |= NAMED | TOLD_NAME;
}

void identify_again(struct flow *f)
{
    give(f, (struct name_given){TRANSPORT_UNKNOWN, 0, 0});
    f->flags = (uint16_t)(f->flags & ~(NAMED | TOLD_NAME));
}

/* What is neither DNS nor anything else of its own. */
static struct name_given otherwise(const struct sight *s)
{
    switch (s->seen) {
    case SEEN_TLS:
        return (struct name_given){TRANSPORT_TLS, BY(BY_PAYLOAD), 95};
    case SEEN_QUIC:
        return (struct name_given){TRANSPORT_QUIC, BY(BY_PAYLOAD), 95};
    default:
        return (struct name_given){TRANSPORT_OTHER, BY(BY_PAYLOAD), 80};
    }
}

static void count_hello(struct observer *o, const struct tls_facts *facts)
{
    if (!facts || !facts->hello_seen)
        return;
    o->stats->hellos++;
    o->stats->hellos_ech += facts->ech;
    o->stats->hellos_outer += identify_outer(o, facts);
}

void identify(struct observer *o, struct flow *f, enum seen_as seen)
{
    const struct cold *c = f->cold;
    struct sight s = {.seen = seen, .port = flow_port(f, SIDE_SERVER), .alpn = ""};
    struct name_given best = {0};

    if (c) {
        s.guess = c->guess;
        s.dnscrypt = c->quic.dnscrypt;
        s.alpn = c->facts ? c->facts->alpn : "";
        count_hello(o, c->facts);
    }
    look_up(o, f, &s);
    for (const struct protocol *const *p = protocols; *p; p++) {
        struct name_given given = (*p)->recognise(&s);

        if (given.confidence > best.confidence)
            best = given;
    }
    give(f, best.confidence ? best : otherwise(&s));
    f->flags |= NAMED;
}

void identify_at_last(struct observer *o, struct flow *f)
{
    const struct cold *c = f->cold;

    if (f->flags & NAMED)
        return;
    if (c && c->reader == READ_TLS && c->tls.flags)
        identify(o, f, SEEN_TLS);
    else if (c && c->reader == READ_QUIC && c->quic.flags & (QUIC_TRIED | QUIC_REPLIED))
        identify(o, f, SEEN_QUIC);
    else if (c && c->reader == READ_QUIC && !(c->quic.flags & QUIC_ASKED))
        identify(o, f, SEEN_OTHER);
    f->flags |= NAMED;
}
