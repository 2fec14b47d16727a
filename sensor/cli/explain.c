#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/acts.h"
#include "cli/blocked.h"
#include "cli/command.h"
#include "cli/learned.h"
#include "cli/profile.h"
#include "cli/who.h"
#include "enforce/paired.h"
#include "engine/gateway.h"
#include "model/mute.h"
#include "output/output.h"
#include "store/store.h"
#include "store/summary.h"

extern const struct command command_explain;

struct question {
    const char *config, *db, *subject;
    struct policy *policy;
    struct machine machine;
    struct addr address;
    bool is_address;
    int16_t resolver;
    size_t event_count, event_from;
};

enum { EVENTS = 20 };

static void explain_resolver(const struct question *q)
{
    const struct policy *p = q->policy;
    const struct policy_resolver *r = &p->resolvers[q->resolver];
    char text[ADDR_TEXT];

    printf("%s is the resolver \"%s\" (%s)\n", q->subject, r->id,
           r->from_policy ? "of the policy" : "of the catalogue");
    for (size_t i = 0; i < r->name_count; i++)
        printf("  name      %s\n", r->names[i]);
    for (size_t i = 0; i < r->address_count; i++)
        printf("  address   %s%s\n", addr_text(&r->addresses[i].addr, text),
               r->addresses[i].shared ? " (shared with others: never blocked by address)" : "");
    printf("  speaks   ");
    for (unsigned t = 0; t < TRANSPORT_COUNT; t++)
        if (r->transports & (1u << t))
            printf(" %s", transport_name(t));
    printf("\n");
    for (size_t z = 0; z < p->zone_count; z++) {
        bool approved = false;

        printf("  zone %-12s", p->zones[z].id);
        for (unsigned t = TRANSPORT_DO53_UDP; t <= TRANSPORT_DOH3; t++)
            if (policy_approves(p, (int16_t)z, q->resolver, (enum transport)t)) {
                printf(" %s", transport_name(t));
                approved = true;
            }
        printf(approved ? " approved\n" : " not approved\n");
    }
    acts_exceptions(p, "", 0, q->resolver);
    acts_running(p, -1);
}

static void explain_rollout(const struct policy_zone *z, const struct addr *client)
{
    if (z->rollout.given)
        printf("  rollout of zone %s to %u %% and %zu named: this client is %s (place %u of 100)\n",
               z->id, z->rollout.percent, z->rollout.client_count,
               rollout_holds(z, client) ? "in" : "out, its rules only count",
               rollout_place(client, rollout_seed(z)));
}

/* The machine's link address as a number, 0: unknown. */
static uint64_t station_of(const struct question *q)
{
    uint64_t station = 0;

    if (q->machine.station[0] && station_parse(q->machine.station, &station) != SD_OK)
        return 0;
    return station;
}

static void explain_client(const struct question *q)
{
    const struct policy *p = q->policy;
    int16_t zone = policy_zone_of(p, &q->address, "", 0);
    const struct policy_zone *z = &p->zones[zone];

    printf("%s is in the zone \"%s\": clear text %s, unapproved resolvers %s\n", q->subject, z->id,
           action_name(z->cleartext), action_name(z->unapproved));
    printf("  approved ");
    for (size_t i = 0; i < z->approve_count; i++)
        printf(" %s", p->resolvers[z->approve[i]].id);
    printf("%s\n", z->approve_count ? "" : " nobody");
    explain_rollout(z, &q->address);
    if (p->set_only)
        printf("  set_only: our table holds the sets alone, rules of somebody else decide\n");
    else
        acts_print(p, &q->address, station_of(q));
    acts_exceptions(p, q->machine.addresses, station_of(q), -1);
    acts_running(p, zone);
}

static void print_pair(void *context, const struct enforce_pair *p)
{
    const struct question *q = context;
    char client[ADDR_TEXT], server[ADDR_TEXT], until[TIME_TEXT];

    if (!who_has(q->machine.addresses, addr_text(&p->client, client)) &&
        !who_has(q->machine.addresses, addr_text(&p->server, server)))
        return;
    printf(
        "  port 443 of %s is cut for %s until %s: it asked an unapproved resolver there (a pair; "
        "in mode shadow it only counts)\n",
        addr_text(&p->server, server), client,
        time_text(clock_now() + (nsec_t)p->left_ms * NSEC_MS, until));
}

/* Of the client or the server, as the kernel holds them now. */
static void explain_pairs(struct question *q)
{
    char error[ENFORCE_ERROR] = "";
    int fd = enforce_open(error), status = fd < 0 ? fd : pairs_read(fd, print_pair, q, error);

    if (status != SD_OK && status != SD_ENOENT)
        printf("  what is cut for a while is not known: %s\n", error);
    if (fd >= 0)
        close(fd);
}

static void explain_mutes(const struct question *q)
{
    const struct policy *p = q->policy;
    char until[TIME_TEXT];

    for (size_t i = 0; i < p->mute_count; i++) {
        const struct policy_mute *m = p->mutes + i;

        if (mute_names(m, &q->address) || (!m->has_client && !m->has_server))
            printf("  muted: %s%s%s until %s%s, by %s: %s\n",
                   m->rule[0] ? m->rule : kind_name((unsigned)m->kind), m->name[0] ? " for " : "",
                   m->name, time_text(m->until, until), m->until < clock_now() ? " (ended)" : "",
                   m->owner, m->reason);
    }
}

static int print_conversation(void *context, const struct conversation_row *row)
{
    const struct conversation *c = &row->conversation;
    char hour[TIME_TEXT], client[ADDR_TEXT], server[ADDR_TEXT];

    (void)context;
    printf("  %.13sh %s -> %s port %u %s: %" PRIu64 " flows, %" PRIu64 " failed, %s%" PRIu64
           " queries%s%s%s\n",
           time_text(row->hour, hour), addr_text(&c->key.client, client),
           addr_text(&c->key.server, server), c->key.server_port, transport_name(c->key.transport),
           c->flows, c->flows_failed, c->queries_estimated ? "about " : "", c->queries,
           c->approved ? ", approved" : "", c->name[0] ? ", " : "", c->name);
    return 0;
}

/* By link address where the event says one: addresses go from one machine to another. */
static bool is_client(const struct question *q, const json_t *own)
{
    const char *client = json_string_value(json_object_get(own, "client"));
    const char *mac = json_string_value(json_object_get(own, "client_mac"));

    if (mac && q->machine.station[0])
        return strcmp(mac, q->machine.station) == 0;
    return client && who_has(q->machine.addresses, client);
}

/* Of a resolver that was asked for by name: each of its addresses. */
static bool is_server(const struct question *q, const json_t *own)
{
    const char *server = json_string_value(json_object_get(own, "server"));
    const char *resolver = json_string_value(json_object_get(own, "resolver"));

    if (server && who_has(q->machine.addresses, server))
        return true;
    return resolver && !q->is_address && q->resolver >= 0 &&
           strcmp(resolver, q->policy->resolvers[q->resolver].id) == 0;
}

static bool concerns_as(void *context, const json_t *own, bool *as_client)
{
    *as_client = is_client(context, own);
    return *as_client || is_server(context, own);
}

/* What the rules met has its own list. */
static bool is_told(const struct question *q, const json_t *own)
{
    const char *rule = json_string_value(json_object_get(own, "rule"));

    return (is_client(q, own) || is_server(q, own)) &&
           !(rule && strcmp(rule, "rule-evidence") == 0);
}

static int print_event(void *context, const struct event_row *row)
{
    struct question *q = context;
    json_t *eve = json_loads(row->json, 0, NULL);
    char *line = NULL;

    if (is_told(q, json_object_get(eve, "sealdns")) && q->event_count++ >= q->event_from)
        line = output_format_named("text")->render(eve);
    if (line)
        printf("  %s\n", line);
    free(line);
    json_decref(eve);
    return 0;
}

static int count_event(void *context, const struct event_row *row)
{
    struct question *q = context;
    json_t *eve = json_loads(row->json, 0, NULL);

    q->event_count += is_told(q, json_object_get(eve, "sealdns"));
    json_decref(eve);
    return 0;
}

/* The last of them, in the order they were written. */
static int explain_events(struct question *q, struct store_reader *r, nsec_t since)
{
    struct event_filter filter = {.kind = -1, .since = since};
    int status = store_events(r, &filter, count_event, q);

    q->event_from = q->event_count > EVENTS ? q->event_count - EVENTS : 0;
    printf("Events of the last seven days:%s\n", q->event_count ? "" : " none");
    if (q->event_from)
        printf("  ... %zu before these, see `sealdns events`\n", q->event_from);
    q->event_count = 0;
    return status == SD_OK ? store_events(r, &filter, print_event, q) : status;
}

static int add_day(void *context, const struct client_row *row)
{
    struct client_row *sum = context;

    for (size_t i = 0; i <= TRANSPORT_DNSCRYPT; i++)
        sum->queries[i] += row->queries[i];
    sum->clear_unapproved += row->clear_unapproved;
    sum->sealed_unapproved += row->sealed_unapproved;
    return 0;
}

/* By the sums, which may be there longer than the conversations. */
static int explain_queries(struct question *q, struct store_reader *r)
{
    nsec_t now = clock_now();
    struct summary_period days = {now - 30 * 86400 * NSEC_S, now, NULL};
    struct client_row sum = {0};
    int status = SD_OK, shown = 0;
    size_t position = 0;
    struct addr one;
    char text[ADDR_TEXT];

    while (status == SD_OK && who_next(&q->machine, &position, &one))
        status = store_client_days(r, addr_text(&one, text), &days, add_day, &sum);
    printf("Queries of the last thirty days:");
    for (size_t i = 0; i <= TRANSPORT_DNSCRYPT; i++)
        if (sum.queries[i])
            printf("%s %s %llu", shown++ ? "," : "", transport_name((unsigned)i),
                   (unsigned long long)sum.queries[i]);
    if (shown)
        printf("; unapproved: %llu in clear text, %llu sealed",
               (unsigned long long)sum.clear_unapproved, (unsigned long long)sum.sealed_unapproved);
    puts(shown ? "" : " none");
    return status;
}

/* Of a client or a server: what it did. */
static int explain_deeds(struct question *q, struct store_reader *r)
{
    nsec_t since = clock_now() - 7 * 86400 * NSEC_S;
    int status = SD_OK;
    size_t position = 0;
    struct addr one;

    printf("Conversations of the last seven days, newest first:\n");
    while (status == SD_OK && who_next(&q->machine, &position, &one))
        status = store_conversations(r, &one, since, 20, print_conversation, q);
    return status == SD_OK ? explain_events(q, r, since) : status;
}

static int explain_blocked(struct question *q, struct store_reader *r)
{
    const struct blocked_subject subject = {concerns_as, q};

    return blocked_print(r, &subject, clock_now() - 7 * 86400 * NSEC_S);
}

static int explain_history(struct question *q, struct store_reader *r)
{
    const char *resolver = q->resolver >= 0 ? q->policy->resolvers[q->resolver].id : "";
    int status = learned_print(r, &q->machine, resolver);

    if (status == SD_OK && q->is_address)
        status = profile_print(r, q->machine.addresses);
    if (status == SD_OK && q->is_address)
        status = explain_queries(q, r);
    if (status == SD_OK && q->is_address)
        status = explain_deeds(q, r);
    if (status == SD_OK)
        status = explain_blocked(q, r);
    return status;
}

/* By a name of it, or by the id that the policy or the catalogue gives it. */
static int16_t resolver_called(const struct policy *p, const char *word)
{
    int16_t called = policy_resolver_called(p, word);

    return called >= 0 ? called : policy_resolver_named(p, word);
}

/* Who is asked for: a resolver, a client by address, or one by its host name or link address. */
static int find_subject(struct question *q, struct store_reader *r)
{
    char text[ADDR_TEXT];
    size_t position = 0;
    int status = SD_OK;

    q->is_address = addr_parse(q->subject, &q->address) == SD_OK;
    q->resolver = q->is_address ? policy_resolver_at(q->policy, &q->address, NULL)
                                : resolver_called(q->policy, q->subject);
    if (q->is_address)
        snprintf(q->machine.addresses, sizeof q->machine.addresses, " %s ",
                 addr_text(&q->address, text));
    if (r && (q->is_address || q->resolver < 0))
        status = who_find(r, q->is_address ? text : q->subject, &q->machine);
    if (!q->is_address && q->machine.station[0])
        q->is_address = who_next(&q->machine, &position, &q->address);
    return status;
}

static int explain_subject(struct question *q, struct store_reader *r)
{
    int status = find_subject(q, r);
    bool known = q->resolver >= 0 || q->is_address || q->machine.station[0];

    if (!known)
        printf("%s is no name of a resolver that the policy or the catalogue knows, nor of a "
               "client that the store knows\n",
               q->subject);
    if (q->resolver >= 0)
        explain_resolver(q);
    else if (q->is_address)
        explain_client(q);
    who_print(&q->machine);
    if (q->is_address) {
        explain_pairs(q);
        explain_mutes(q);
    }
    if (status == SD_OK && r && known)
        status = explain_history(q, r);
    return status;
}

static int explain(struct question *q)
{
    struct addr *gateway = NULL;
    struct store_reader *r = NULL;
    char error[STORE_ERROR] = "";
    size_t count = 0;
    int status;

    if (gateway_addresses(&gateway, &count) != SD_OK) {
        log_error("cannot read the addresses of this machine");
        return EXIT_FAILED;
    }
    status = load_policy(q->config, gateway, count, clock_now(), &q->policy);
    free(gateway);
    if (status != EXIT_DONE)
        return status;
    if (store_reader_open(q->db ? q->db : q->policy->store_path, &r, error) != SD_OK)
        r = NULL;
    status = explain_subject(q, r);
    if (!r)
        printf("No history: %s\n", error[0] ? error : "no memory");
    store_reader_close(r);
    policy_destroy(q->policy);
    if (status != SD_OK)
        log_error("cannot read the store: %s", sd_strerror(status));
    return status == SD_OK && fflush(stdout) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"db", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct question q = {0};
    int option;

    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'c')
            q.config = optarg;
        else if (option == 'd')
            q.db = optarg;
        else
            return usage_option(&command_explain, option, argv);
    }
    if (argc - optind != 1)
        return usage_error(&command_explain, "name one client, resolver address or resolver name");
    q.subject = argv[optind];
    return explain(&q);
}

const struct command command_explain = {
    "explain", "everything known of a client or resolver, and which rule would act on it",
    "Usage: sealdns explain ADDRESS|NAME [-c FILE] [--db FILE]\n"
    "\n"
    "Of a client's address, host name or link address: the machine it is, its zone, which rule "
    "acts "
    "on\n"
    "which of its traffic, its exceptions, what it did in the last seven days under all of its "
    "addresses\n"
    "and what of it the rules met,\n"
    "how it takes failures of encrypted DNS and what speaks for that, how its encrypted DNS is "
    "padded\n"
    "and under which versions and suites.\n"
    "Of a resolver's address or domain name: who it is, which zones approve it for what, how long "
    "its\n"
    "handshakes and answers take.\n"
    "\n"
    "  -c, --config FILE  policy; default " DEFAULT_CONFIG " or the built-in one\n"
    "      --db FILE      store; default: the policy's, " DEFAULT_STORE "\n",
    run};
