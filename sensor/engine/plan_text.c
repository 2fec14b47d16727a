#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/plan_document.h"

#define ROWS 15 /* of a list; the document has them all */

typedef const char *doubt_fn(const struct plan_document *d, char text[PLAN_DOUBT]);

static bool blocks_clear(const struct policy_zone *z)
{
    return z->cleartext == ACTION_REJECT || z->cleartext == ACTION_DROP;
}

static const char *doubt_empty(const struct plan_document *d, char text[PLAN_DOUBT])
{
    (void)text;
    return plan_result(d->plan)->rows ? NULL
                                      : "no conversation was recorded in this period: nothing "
                                        "follows from that";
}

static const char *doubt_period(const struct plan_document *d, char text[PLAN_DOUBT])
{
    const struct plan_result *r = plan_result(d->plan);
    char first[TIME_TEXT];

    if (!r->rows || r->first <= d->since + 3600 * NSEC_S)
        return NULL;
    snprintf(text, PLAN_DOUBT, "what was before %.16s: the store begins later than the period",
             time_text(r->first, first));
    return text;
}

static const char *doubt_bootstrap(const struct plan_document *d, char text[PLAN_DOUBT])
{
    const struct plan_result *r = plan_result(d->plan);

    for (size_t i = 0; i < d->policy->zone_count; i++)
        if (d->policy->zones[i].bootstrap && blocks_clear(d->policy->zones + i) &&
            r->zones[i].cleartext.conversations) {
            snprintf(text, PLAN_DOUBT,
                     "how many clear-text queries were for names of approved resolvers, which "
                     "`bootstrap` lets pass: names are not recorded");
            return text;
        }
    return NULL;
}

static const char *doubt_answers(const struct plan_document *d, char text[PLAN_DOUBT])
{
    const struct plan_result *r = plan_result(d->plan);
    uint64_t unanswered = 0;

    for (size_t i = 0; i < r->conversation_count; i++) {
        const struct plan_conversation *c = r->conversations[i];

        unanswered += c->fate == FATE_CUT && !c->already && !c->answered_last;
    }
    if (!unanswered)
        return NULL;
    snprintf(text, PLAN_DOUBT,
             "why %" PRIu64
             " of the conversations to be cut were never answered: no event says that "
             "rules cut them",
             unanswered);
    return text;
}

static const char *doubt_zones(const struct plan_document *d, char text[PLAN_DOUBT])
{
    const struct plan_result *r = plan_result(d->plan);
    size_t count = 0;

    for (size_t i = 0; i < r->client_count; i++)
        count += r->clients[i]->zone_uncertain;
    if (!count)
        return NULL;
    snprintf(text, PLAN_DOUBT,
             "the zone of %zu clients: it hangs on their interface or VLAN, which is not recorded",
             count);
    return text;
}

static const char *doubt_gateway(const struct plan_document *d, char text[PLAN_DOUBT])
{
    if (!d->moved)
        return NULL;
    snprintf(text, PLAN_DOUBT,
             "whether %zu address%s that the record calls the gateway's own, and that this machine "
             "does not have, still are: taken as such",
             d->moved, d->moved == 1 ? "" : "es");
    return text;
}

static const char *doubt_omitted(const struct plan_document *d, char text[PLAN_DOUBT])
{
    const struct plan_result *r = plan_result(d->plan);

    if (!r->omitted.rows && !r->damaged_rows)
        return NULL;
    snprintf(text, PLAN_DOUBT,
             "%" PRIu64 " hours of conversations (%" PRIu64 " flows, %" PRIu64
             " queries) that were "
             "folded together or beyond the bounds, %" PRIu64 " that are damaged",
             r->omitted.rows, r->omitted.flows, r->omitted.queries, r->damaged_rows);
    return text;
}

/* What a client would do next is nobody's record. */
static const char *doubt_future(const struct plan_document *d, char text[PLAN_DOUBT])
{
    (void)d, (void)text;
    return "what clients do once they are cut: many go on to another resolver or transport";
}

const char *plan_doubt(const struct plan_document *d, unsigned number, char text[PLAN_DOUBT])
{
    static doubt_fn *const doubts[] = {doubt_empty, doubt_period,  doubt_bootstrap, doubt_answers,
                                       doubt_zones, doubt_gateway, doubt_omitted,   doubt_future};

    for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++) {
        const char *doubt = doubts[i](d, text);

        if (doubt && number-- == 0)
            return doubt;
    }
    return NULL;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* Names were recorded as they came: nothing of them may reach the terminal but printable ASCII. */
static const char *printable(const char *text, char out[256])
{
    text_printable(text, 255, out, 256);
    return out;
}

static void print_tally(const char *what, const struct plan_tally *t, FILE *to)
{
    if (!t->conversations)
        return;
    fprintf(to,
            "  %-26s %5" PRIu64 " client%s %7" PRIu64 " conversation%s (%" PRIu64
            " answered), %" PRIu64 " flows, %" PRIu64 " queries\n",
            what, t->clients, t->clients == 1 ? ", " : "s,", t->conversations,
            plural(t->conversations), t->answered, t->flows, t->queries);
}

static void print_outcomes(const uint64_t *outcomes, FILE *to)
{
    static const char *const words[OUTCOME_COUNT] = {
        [OUTCOME_UNAFFECTED] = "unaffected",
        [OUTCOME_SILENT] = "got no answer before either",
        [OUTCOME_REDIRECTED] = "answered by another resolver",
        [OUTCOME_LOSES] = "lose something and keep something",
        [OUTCOME_OUT_OF_REACH] = "keep only what no rule can cut",
        [OUTCOME_BOOTSTRAP] = "go dark but for names of approved resolvers",
        [OUTCOME_DARK] = "go dark",
    };

    for (unsigned i = 0; i < OUTCOME_COUNT; i++)
        if (outcomes[i])
            fprintf(to, "  %5" PRIu64 " %s\n", outcomes[i], words[i]);
}

static const char *subject_of(const struct plan_document *d, const struct plan_group *g, bool names,
                              char text[256])
{
    char address[ADDR_TEXT];
    const struct plan_server *s;

    if (names)
        return printable(plan_name(d->plan, g->subject), text);
    s = plan_server(d->plan, g->subject);
    snprintf(text, 256, "%s%s%s%s", addr_text(&s->address, address), s->resolver >= 0 ? " (" : "",
             s->resolver >= 0 ? d->policy->resolvers[s->resolver].id : "",
             s->resolver >= 0 ? ")" : "");
    return text;
}

static void print_groups(const struct plan_document *d, int16_t zone, bool names, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    const struct plan_group *groups = names ? r->names : r->servers;
    size_t count = names ? r->name_count : r->server_count, shown = 0;
    char text[256];

    for (size_t i = 0; i < count; i++) {
        const struct plan_group *g = groups + i;

        if (g->zone != zone || shown++ >= ROWS)
            continue;
        if (shown == 1)
            fputs(names ? "  By name:\n" : "  By resolver:\n", to);
        fprintf(to,
                "    %-36s %s%s: %" PRIu64 " client%s, %" PRIu64 " flows, %" PRIu64 " queries\n",
                subject_of(d, g, names, text), fate_name(g->fate),
                g->cleartext ? " as clear text" : " as unapproved", g->tally.clients,
                plural(g->tally.clients), g->tally.flows, g->tally.queries);
    }
    if (shown > ROWS)
        fprintf(to, "    ... and %zu more (--format json has them all)\n", shown - ROWS);
}

static const char *client_text(const struct plan_document *d, const struct plan_client *c,
                               char text[256])
{
    const char *host = plan_host(d, c);
    char address[ADDR_TEXT], name[256];

    addr_text(&c->address, address);
    if (host)
        snprintf(text, 256, "%s (%.150s)", address, printable(host, name));
    else
        snprintf(text, 256, "%s", address);
    return text;
}

static void print_clients(const struct plan_document *d, int16_t zone, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    size_t shown = 0;
    char text[256];

    for (size_t i = 0; i < r->client_count; i++) {
        const struct plan_client *c = r->clients[i];

        if (c->zone != zone || c->outcome < OUTCOME_LOSES || shown++ >= ROWS)
            continue;
        if (shown == 1)
            fputs("  By client:\n", to);
        fprintf(to, "    %-36s %s: loses %" PRIu64 " flows, %" PRIu64 " queries%s\n",
                client_text(d, c, text), outcome_name(c->outcome), c->cut.flows, c->cut.queries,
                c->elsewhere  ? "; its machine has another address that works"
                : c->approved ? "; an approved resolver works"
                              : "");
    }
    if (shown > ROWS)
        fprintf(to, "    ... and %zu more (--format json has them all)\n", shown - ROWS);
}

static void print_zone(const struct plan_document *d, int16_t zone, FILE *to)
{
    const struct policy_zone *p = d->policy->zones + zone;
    const struct plan_zone *z = plan_result(d->plan)->zones + zone;

    fprintf(to, "\nZone %s (clear text: %s, unapproved: %s%s), %" PRIu64 " client%s:\n", p->id,
            action_name(p->cleartext), action_name(p->unapproved),
            p->bootstrap ? ", bootstrap" : "", z->clients, plural(z->clients));
    print_outcomes(z->outcomes, to);
    print_tally("cut as clear text:", &z->cleartext, to);
    print_tally("cut as unapproved:", &z->unapproved, to);
    print_tally("of these, cut already:", &z->already, to);
    print_tally("and approved by name only:", &z->approved, to);
    print_tally("redirected:", z->fates + FATE_REDIRECTED, to);
    print_tally("passes by exception:", z->fates + FATE_EXCEPTED, to);
    print_tally("out of reach of any rule:", z->fates + FATE_OUT_OF_REACH, to);
    print_tally("passes:", z->fates + FATE_PASSES, to);
    print_clients(d, zone, to);
    print_groups(d, zone, false, to);
    print_groups(d, zone, true, to);
}

static void print_exceptions(const struct plan_document *d, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    char client[ADDR_TEXT + 4], until[TIME_TEXT];

    for (size_t i = 0; i < d->policy->exception_count; i++) {
        const struct policy_exception *e = d->policy->exceptions + i;

        if (i == 0)
            fputs("\nExceptions:\n", to);
        fprintf(to, "  %s of %s, %s %.10s: %" PRIu64 " conversations, %" PRIu64 " queries\n",
                policy_exception_text(e, client), e->owner, e->until < d->until ? "ended" : "until",
                time_text(e->until, until), r->exceptions[i].conversations,
                r->exceptions[i].queries);
    }
}

int plan_text(const struct plan_document *d, FILE *to)
{
    const struct plan_result *r = plan_result(d->plan);
    char first[TIME_TEXT], last[TIME_TEXT], text[PLAN_DOUBT];
    const char *doubt;

    fprintf(to, "If %s were enforced: %zu client%s, %" PRIu64 " conversations", d->file,
            r->client_count, plural(r->client_count), r->judged);
    if (r->rows)
        fprintf(to, " from %.16s to %.16s", time_text(r->first, first), time_text(r->last, last));
    fputs("\n", to);
    for (size_t i = 0; i < d->policy->zone_count; i++)
        if (r->zones[i].clients)
            print_zone(d, (int16_t)i, to);
    print_exceptions(d, to);
    fputs("\nNot known:\n", to);
    for (unsigned i = 0; (doubt = plan_doubt(d, i, text)) != NULL; i++)
        fprintf(to, "  %s\n", doubt);
    return ferror(to) ? SD_EIO : SD_OK;
}
