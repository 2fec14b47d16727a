#include "enforce/print.h"

#include <inttypes.h>
#include <linux/netfilter.h>

#include "base/error.h"
#include "enforce/build.h"
#include "enforce/flatten.h"
#include "enforce/sets_only.h"

static void print_range(FILE *to, const struct addr *low, const struct addr *high)
{
    char text[ADDR_TEXT], end[ADDR_TEXT];
    int length = prefix_length_of(low, high);

    fputs(addr_text(low, text), to);
    if (length == 128)
        return;
    if (length >= 0)
        fprintf(to, "/%d", addr_is_v4(low) ? length - 96 : length);
    else
        fprintf(to, "-%s", addr_text(high, end));
}

static uint64_t number_of(const struct addr *station)
{
    uint64_t number = 0;

    for (int i = 10; i < 16; i++)
        number = number << 8 | station->b[i];
    return number;
}

static void print_element(const struct ruleset *r, const struct set *s, const struct set_element *e,
                          FILE *to)
{
    char text[ADDR_TEXT];

    if (s->kind == SET_PORT)
        fprintf(to, "%u", e->port);
    else if (s->kind == SET_STATION)
        fputs(station_text(number_of(&e->low), text), to);
    else
        print_range(to, &e->low, &e->high);
    if (s->kind == SET_PAIR || s->kind == SET_PAIRED)
        fprintf(to, " . %s", addr_text(&e->server, text));
    if (s->kind == SET_ZONES && e->chain == CHAIN_OTHER)
        fputs(" : another verdict", to);
    else if (s->kind == SET_ZONES)
        fprintf(to, " : goto %s", r->chains[e->chain].name);
}

/* nft takes no more than 32 bits of seconds, but any number of days. */
static void print_timeout(uint64_t ms, FILE *to)
{
    uint64_t s = ms / 1000, days = s / 86400;

    fputs(" timeout ", to);
    if (days)
        fprintf(to, "%" PRIu64 "d", days);
    fprintf(to, "%uh%um%us", (unsigned)(s / 3600 % 24), (unsigned)(s / 60 % 60),
            (unsigned)(s % 60));
}

static void print_elements(const struct ruleset *r, const struct set *s, enum print_form form,
                           FILE *to)
{
    if (s->count == 0 || form == PRINT_SHAPES || (s->timed && form == PRINT_TIMELESS))
        return;
    fputs("\t\telements = {\n", to);
    for (size_t i = 0; i < s->count; i++) {
        fputs("\t\t\t", to);
        print_element(r, s, s->elements + i, to);
        if (s->elements[i].timeout_ms)
            print_timeout(s->elements[i].timeout_ms, to);
        fputs(",\n", to);
    }
    fputs("\t\t}\n", to);
}

static void print_set(const struct ruleset *r, const struct set *s, enum print_form form, FILE *to)
{
    const char *address = s->v4 ? "ipv4_addr" : "ipv6_addr";

    fprintf(to, "\t%s %s {\n", s->kind == SET_ZONES ? "map" : "set", s->name);
    if (s->kind == SET_FOREIGN)
        fputs("\t\ttype of another kind\n", to);
    else if (s->kind == SET_PORT)
        fputs("\t\ttype inet_service\n", to);
    else if (s->kind == SET_STATION)
        fputs("\t\ttype ether_addr\n", to);
    else if (s->kind == SET_PAIR || s->kind == SET_PAIRED)
        fprintf(to, "\t\ttype %s . %s\n", address, address);
    else
        fprintf(to, "\t\ttype %s%s\n", address, s->kind == SET_ZONES ? " : verdict" : "");
    if (s->kind == SET_RANGE || s->kind == SET_PAIR || s->kind == SET_ZONES)
        fprintf(to, "\t\tflags interval%s\n", s->timed ? ",timeout" : "");
    else if (s->timed)
        fputs("\t\tflags timeout\n", to);
    print_elements(r, s, form, to);
    fputs("\t}\n", to);
}

/* nft words numbers without leading noughts, and no mask where every bit counts. */
static void print_number(const uint8_t *bytes, size_t size, FILE *to)
{
    while (size > 1 && *bytes == 0) {
        bytes++;
        size--;
    }
    fprintf(to, "0x%x", *bytes);
    for (size_t i = 1; i < size; i++)
        fprintf(to, "%02x", bytes[i]);
}

static void print_pattern(const struct pattern *p, FILE *to)
{
    for (size_t at = 0; at < p->length; at += PATTERN_CHUNK) {
        size_t size = pattern_chunk(p, at);

        fprintf(to, "@th,%zu,%zu ", (PATTERN_OFFSET + at) * 8, size * 8);
        if (pattern_masks(p, at)) {
            fputs("& ", to);
            print_number(p->mask + at, size, to);
            fputs(" == ", to);
        }
        print_number(p->value + at, size, to);
        fputc(' ', to);
    }
}

static void print_match(const struct ruleset *r, const struct match *m, FILE *to)
{
    bool has_set = m->kind >= MATCH_PORT_SET;
    const char *set = has_set ? r->sets[m->set].name : "";
    const char *ip = has_set && r->sets[m->set].v4 ? "ip" : "ip6";

    switch (m->kind) {
    case MATCH_IIFNAME:
        fprintf(to, "iifname \"%s\" ", m->iface);
        break;
    case MATCH_OIFNAME:
        fprintf(to, "oifname \"%s\" ", m->iface);
        break;
    case MATCH_DNAT:
        fputs("ct status dnat ", to);
        break;
    case MATCH_LOCAL:
        fputs("fib daddr type local ", to);
        break;
    case MATCH_FAMILY:
        fprintf(to, "meta nfproto %s ", m->v4 ? "ipv4" : "ipv6");
        break;
    case MATCH_SHARE:
        fprintf(to, "jhash %s saddr mod 100 seed 0x%x < %u ", m->v4 ? "ip" : "ip6", m->seed,
                m->port);
        break;
    case MATCH_PORT:
        fprintf(to, "th dport %u ", m->port);
        break;
    case MATCH_UDP_PORT:
        fprintf(to, "udp dport %u ", m->port);
        break;
    case MATCH_TCP_PORT:
        fprintf(to, "tcp dport %u ", m->port);
        break;
    case MATCH_SYN:
        fputs("tcp flags & (fin | syn | rst | ack) == syn ", to);
        break;
    case MATCH_QUESTION:
        print_pattern(r->patterns + m->set, to);
        break;
    case MATCH_PORT_SET:
        fprintf(to, "th dport @%s ", set);
        break;
    case MATCH_STATION:
        fprintf(to, "ether saddr @%s ", set);
        break;
    case MATCH_SOURCE:
        fprintf(to, "%s saddr @%s ", ip, set);
        break;
    case MATCH_DESTINATION:
        fprintf(to, "%s daddr @%s ", ip, set);
        break;
    case MATCH_PAIR:
        fprintf(to, "%s saddr . %s daddr @%s ", ip, ip, set);
        break;
    }
}

static void print_statement(const struct ruleset *r, const struct rule *rule, FILE *to)
{
    static const char *const words[] = {[STATEMENT_ACCEPT] = "accept",
                                        [STATEMENT_DROP] = "drop",
                                        [STATEMENT_RETURN] = "return",
                                        [STATEMENT_REJECT] = "reject with icmpx admin-prohibited",
                                        [STATEMENT_RESET] = "reject with tcp reset",
                                        [STATEMENT_MASQUERADE] = "masquerade"};

    char text[ADDR_TEXT];

    switch (rule->statement) {
    case STATEMENT_DNAT:
        fprintf(to, "dnat %s to %s ", addr_is_v4(&rule->address) ? "ip" : "ip6",
                addr_text(&rule->address, text));
        break;
    case STATEMENT_LOG:
        fprintf(to, "log prefix \"%s\" group %u snaplen %u queue-threshold %u ", rule->prefix,
                rule->group, LOG_SNAPLEN, LOG_THRESHOLD);
        break;
    case STATEMENT_COUNT:
        break;
    case STATEMENT_JUMP:
    case STATEMENT_GOTO:
        fprintf(to, "%s %s ", rule->statement == STATEMENT_JUMP ? "jump" : "goto",
                r->chains[rule->target].name);
        break;
    case STATEMENT_ZONES:
        fprintf(to, "%s saddr vmap @%s ", r->sets[rule->target].v4 ? "ip" : "ip6",
                r->sets[rule->target].name);
        break;
    default:
        fprintf(to, "%s ", words[rule->statement]);
    }
}

static void print_rule(const struct ruleset *r, const struct rule *rule, FILE *to)
{
    fputs("\t\t", to);
    if (rule->foreign)
        fputs(rule->foreign, to);
    else {
        for (size_t i = 0; i < rule->match_count; i++)
            print_match(r, rule->matches + i, to);
        if (rule->statement == STATEMENT_LOG)
            fprintf(to, "limit rate %u/second burst %u packets ", LOG_RATE, LOG_BURST);
        if (rule->counted)
            fputs("counter ", to);
        print_statement(r, rule, to);
    }
    if (rule->id[0])
        fprintf(to, "comment \"sealdns: %s\"", rule->id);
    fputc('\n', to);
}

static void print_hook(const struct chain *c, FILE *to)
{
    static const char *const hooks[] = {[NF_INET_PRE_ROUTING] = "prerouting",
                                        [NF_INET_LOCAL_IN] = "input",
                                        [NF_INET_FORWARD] = "forward",
                                        [NF_INET_LOCAL_OUT] = "output",
                                        [NF_INET_POST_ROUTING] = "postrouting"};
    const char *hook = c->hook < sizeof hooks / sizeof *hooks ? hooks[c->hook] : "ingress";

    fprintf(to, "\t\ttype %s hook %s priority ", c->nat ? "nat" : "filter", hook);
    if (c->priority == -150)
        fputs("mangle", to);
    else if (c->priority == -100 && c->hook == NF_INET_PRE_ROUTING)
        fputs("dstnat", to);
    else if (c->priority == 100 && c->hook == NF_INET_POST_ROUTING)
        fputs("srcnat", to);
    else
        fprintf(to, "%d", c->priority);
    fprintf(to, "; policy %s;\n", c->drops ? "drop" : "accept");
}

static void print_chain(const struct ruleset *r, size_t number, FILE *to)
{
    const struct chain *c = r->chains + number;

    fprintf(to, "\tchain %s {\n", c->name);
    if (c->base)
        print_hook(c, to);
    for (size_t i = 0; i < r->rule_count; i++)
        if (r->rules[i].chain == number)
            print_rule(r, r->rules + i, to);
    fputs("\t}\n", to);
}

/* Replaced whole: made if missing, so that it can be deleted, and made anew, all in one. */
static void print_heading(const struct ruleset *r, FILE *to)
{
    fprintf(to, "# sealdns: %s\n", r->origin);
    if (!r->sets_only || r->empty)
        fprintf(to, "table %s " RULESET_TABLE "\ndelete table %s " RULESET_TABLE "\n",
                ruleset_family(r), ruleset_family(r));
}

/* What rules of somebody's look into cannot be deleted: made if missing, and emptied. */
static void print_emptied(const struct ruleset *r, FILE *to)
{
    fprintf(to, "table %s " RULESET_TABLE " {\n\tcomment \"sealdns: " SETS_ONLY_MARK "\"\n",
            ruleset_family(r));
    for (size_t i = 0; i < r->set_count; i++)
        print_set(r, r->sets + i, PRINT_SHAPES, to);
    fputs("}\n", to);
    for (size_t i = 0; i < r->set_count; i++)
        fprintf(to, "flush set %s " RULESET_TABLE " %s\n", ruleset_family(r), r->sets[i].name);
}

int ruleset_print_as(const struct ruleset *r, enum print_form form, FILE *to)
{
    if (form == PRINT_NFT)
        print_heading(r, to);
    if (form == PRINT_NFT && r->sets_only && !r->empty)
        print_emptied(r, to);
    if (!r->empty) {
        fprintf(to, "table %s " RULESET_TABLE " {\n", ruleset_family(r));
        if (form == PRINT_NFT && !r->sets_only)
            fprintf(to, "\tcomment \"sealdns: digest %016" PRIx64 "\"\n", r->digest);
        if (r->flags & TABLE_DORMANT)
            fputs("\tflags dormant\n", to);
        for (size_t i = 0; i < r->set_count; i++)
            print_set(r, r->sets + i, form, to);
        for (size_t i = 0; i < r->chain_count; i++)
            print_chain(r, i, to);
        fputs("}\n", to);
    }
    return ferror(to) ? SD_EIO : SD_OK;
}

int ruleset_print(const struct ruleset *r, FILE *to)
{
    return ruleset_print_as(r, PRINT_NFT, to);
}
