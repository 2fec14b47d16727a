/* judge CSV...: plays looks at recorded flows to the detector of hidden resolvers, as the program
 * has it with its own rule file, and prints what it made of them: by flow and by server. Every
 * session is a network of its own. tests/doh/README.md has the columns. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "detect/detect.h"

#define FLOWS   8192
#define SERVERS 256
#define ROLES   32
#define COLUMNS 9 /* before the features */
#define START   (INT64_C(20780) * 86400 * NSEC_S)
#define RULE    "hidden-resolver"

extern const struct detector detector_hidden_resolver;

enum truth { WEB, DOH };
enum server_truth { SERVER_WEB, SERVER_BOTH, SERVER_DOH, SERVER_TRUTHS };
static const char *const truth_names[] = {"web alone", "web and DoH", "DoH alone"};

struct look {
    char session[16], role[24];
    bool bulk;
    int64_t time; /* ms */
    uint64_t flow;
    struct addr client, server;
    uint16_t port;
    enum truth label;
    struct behaviour behaviour;
};

struct flow {
    uint64_t id;
    unsigned session, role;
    enum truth label;
    bool bulk, judged, likely; /* likely: at the latest look */
};

struct server {
    struct addr address;
    unsigned session, flows[2];
    bool told;
};

struct role {
    char word[24];
    unsigned flows, likely;
    enum truth label;
};

struct court {
    struct policy *policy;
    const struct policy_detection *rule;
    int64_t least; /* confidence */
    void *state;
    char name[16];
    unsigned session;
    nsec_t now;
    struct flow flow[FLOWS];
    struct server server[SERVERS];
    struct role role[ROLES];
    size_t flows, servers, roles;
};

/* --- one line ----------------------------------------------------------------------------------
 */

static const char *const columns[COLUMNS] = {"session", "outcome", "time_ms", "flow", "client",
                                             "server",  "port",    "role",    "label"};

/* The order of features is the program's; a table of another order is none of it. */
static bool head_fits(char *line)
{
    char *rest = line;

    for (size_t i = 0; i < COLUMNS + FEATURE_COUNT; i++) {
        const char *word = strsep(&rest, ",\n");
        const char *want = i < COLUMNS ? columns[i] : feature_name((unsigned)(i - COLUMNS));

        if (!word || strcmp(word, want) != 0) {
            fprintf(stderr, "judge: column %zu is not %s\n", i + 1, want);
            return false;
        }
    }
    return true;
}

static bool look_of(char *line, struct look *l)
{
    char *word[COLUMNS + FEATURE_COUNT], *rest = line;

    for (size_t i = 0; i < COLUMNS + FEATURE_COUNT; i++)
        if (!(word[i] = strsep(&rest, ",\n")))
            return false;
    snprintf(l->session, sizeof l->session, "%s", word[0]);
    l->bulk = strcmp(word[1], "bulk") == 0;
    l->time = strtoll(word[2], NULL, 10);
    l->flow = strtoull(word[3], NULL, 10);
    l->port = (uint16_t)strtoul(word[6], NULL, 10);
    snprintf(l->role, sizeof l->role, "%s", word[7]);
    l->label = strcmp(word[8], "doh") == 0 ? DOH : WEB;
    for (unsigned i = 0; i < FEATURE_COUNT; i++)
        l->behaviour.feature[i] = (int32_t)strtol(word[COLUMNS + i], NULL, 10);
    return addr_parse(word[4], &l->client) == 0 && addr_parse(word[5], &l->server) == 0;
}

/* --- what is remembered ------------------------------------------------------------------------
 */

static struct server *server_of(struct court *c, const struct addr *address)
{
    for (size_t i = 0; i < c->servers; i++)
        if (c->server[i].session == c->session && addr_equal(&c->server[i].address, address))
            return c->server + i;
    if (c->servers == SERVERS)
        abort();
    c->server[c->servers] = (struct server){.address = *address, .session = c->session};
    return c->server + c->servers++;
}

static unsigned role_of(struct court *c, const struct look *l)
{
    for (size_t i = 0; i < c->roles; i++)
        if (strcmp(c->role[i].word, l->role) == 0 && c->role[i].label == l->label)
            return (unsigned)i;
    if (c->roles == ROLES)
        abort();
    snprintf(c->role[c->roles].word, sizeof c->role->word, "%s", l->role);
    c->role[c->roles].label = l->label;
    return (unsigned)c->roles++;
}

static struct flow *flow_of(struct court *c, const struct look *l)
{
    struct flow *f;

    for (size_t i = c->flows; i-- > 0 && c->flow[i].session == c->session;)
        if (c->flow[i].id == l->flow)
            return c->flow + i;
    if (c->flows == FLOWS)
        abort();
    f = c->flow + c->flows++;
    *f = (struct flow){
        .id = l->flow, .session = c->session, .label = l->label, .role = role_of(c, l)};
    server_of(c, &l->server)->flows[l->label]++;
    return f;
}

static void put(void *context, struct finding *f)
{
    struct court *c = context;

    if (strcmp(f->rule, RULE) == 0)
        server_of(c, &f->server)->told = true;
}

/* --- a session ---------------------------------------------------------------------------------
 */

static void close_session(struct court *c)
{
    if (!c->state)
        return;
    detector_hidden_resolver.flush(c->state, c->now);
    detector_hidden_resolver.destroy(c->state);
    c->state = NULL;
}

static int open_session(struct court *c, const char *name)
{
    struct detector_setup setup = {.policy = c->policy, .sink = {put, c}, .seed = 7};

    if (c->state && strcmp(name, c->name) == 0)
        return 0;
    close_session(c);
    c->session++;
    snprintf(c->name, sizeof c->name, "%s", name);
    c->state = detector_hidden_resolver.create(&setup);
    return c->state ? 0 : -1;
}

static struct observation observation_of(struct court *c, const struct look *l)
{
    bool quic = l->behaviour.feature[FEATURE_QUIC] != 0;
    struct observation o = {.kind = OBSERVE_FLOW,
                            .transport = quic ? TRANSPORT_QUIC : TRANSPORT_TLS,
                            .proto = quic ? 17 : 6,
                            .client_port = 50000,
                            .server_port = l->port,
                            .time = c->now,
                            .client = l->client,
                            .server = l->server,
                            .flow_id = l->flow};

    o.flow.phase = l->bulk ? FLOW_CLOSED : FLOW_BEHAVIOUR;
    o.flow.bulky = l->bulk;
    o.flow.behaviour = l->behaviour;
    o.note.zone = policy_zone_of(c->policy, &l->client, "", 0);
    o.note.resolver = policy_resolver_at(c->policy, &l->server, NULL);
    o.note.who = l->client.b[15];
    o.note.tenure = 1;
    return o;
}

static void see(struct court *c, const struct look *l)
{
    struct flow *f = flow_of(c, l);
    struct observation o;

    c->now = START + l->time * NSEC_MS;
    o = observation_of(c, l);
    f->bulk |= l->bulk;
    if (!l->bulk) {
        f->judged = true;
        f->likely = decision_judge(&c->rule->tree, &l->behaviour, NULL) >= c->least;
    } else {
        f->likely = false;
    }
    detector_hidden_resolver.observe(c->state, &o);
    detector_hidden_resolver.tick(c->state, c->now);
}

static int play(struct court *c, const char *path)
{
    FILE *in = fopen(path, "r");
    char line[1024];
    struct look l;
    int failed = -1;

    if (!in) {
        fprintf(stderr, "judge: no file %s\n", path);
        return -1;
    }
    if (fgets(line, sizeof line, in) && head_fits(line)) {
        failed = 0;
        while (!failed && fgets(line, sizeof line, in)) {
            failed = look_of(line, &l) ? open_session(c, l.session) : -1;
            if (!failed)
                see(c, &l);
        }
    }
    close_session(c);
    fclose(in);
    return failed;
}

/* --- the verdict on it -------------------------------------------------------------------------
 */

struct figures {
    unsigned flows[2][2]; /* by label and what was said */
    unsigned bulk;        /* of the web, dropped without a look */
    unsigned servers[SERVER_TRUTHS][2];
};

static void count(struct court *c, struct figures *n)
{
    for (size_t i = 0; i < c->flows; i++) {
        const struct flow *f = c->flow + i;

        if (!f->judged) {
            n->bulk += f->label == WEB;
            n->flows[DOH][0] += f->label == DOH;
            continue;
        }
        n->flows[f->label][f->likely]++;
        c->role[f->role].flows++;
        c->role[f->role].likely += f->likely;
    }
    for (size_t i = 0; i < c->servers; i++) {
        const struct server *s = c->server + i;
        enum server_truth truth = s->flows[WEB] == 0   ? SERVER_DOH
                                  : s->flows[DOH] == 0 ? SERVER_WEB
                                                       : SERVER_BOTH;

        n->servers[truth][s->told]++;
    }
}

static void print_roles(const struct court *c)
{
    printf("by what the client was   flows  told\n");
    for (int label = DOH; label >= WEB; label--)
        for (size_t i = 0; i < c->roles; i++)
            if ((int)c->role[i].label == label && c->role[i].flows)
                printf("  %-4s %-16s %6u %5u\n", label == DOH ? "DoH" : "web", c->role[i].word,
                       c->role[i].flows, c->role[i].likely);
}

static void print_servers(const struct court *c)
{
    char text[ADDR_TEXT];

    for (size_t i = 0; i < c->servers; i++)
        printf("  session %u %-16s %3u flows of DoH, %3u of the web: %s\n", c->server[i].session,
               addr_text(&c->server[i].address, text), c->server[i].flows[DOH],
               c->server[i].flows[WEB], c->server[i].told ? "told" : "silent");
}

static void print(const struct figures *n)
{
    printf("by flow                told  not told\n"
           "  DoH                %6u  %8u\n  web                %6u  %8u   and %u ended as bulk, "
           "unjudged\n",
           n->flows[DOH][1], n->flows[DOH][0], n->flows[WEB][1], n->flows[WEB][0], n->bulk);
    printf("by server              told  not told\n");
    for (int i = SERVER_TRUTHS - 1; i >= 0; i--)
        printf("  %-16s   %6u  %8u\n", truth_names[i], n->servers[i][1], n->servers[i][0]);
}

static double share(unsigned part, unsigned rest)
{
    return part + rest ? (double)part / (part + rest) : 0;
}

/* At least this share of what is DoH is told, at most this of what is not. */
struct limits {
    double flows_told, flows_wrong, servers_told, servers_wrong;
};

static unsigned check(const char *what, double is, double limit, bool most)
{
    bool good = most ? is <= limit : is >= limit;

    printf("%s - %s: %.3f, %s %.3f\n", good ? "ok" : "not ok", what, is,
           most ? "at most" : "at least", limit);
    return !good;
}

static int judged(const struct figures *n, const struct limits *l)
{
    unsigned failed = 0;

    failed +=
        check("flows of DoH told", share(n->flows[DOH][1], n->flows[DOH][0]), l->flows_told, false);
    failed += check("flows of the web told", share(n->flows[WEB][1], n->flows[WEB][0]),
                    l->flows_wrong, true);
    failed +=
        check("servers of DoH alone told",
              share(n->servers[SERVER_DOH][1], n->servers[SERVER_DOH][0]), l->servers_told, false);
    failed +=
        check("servers of the web alone told",
              share(n->servers[SERVER_WEB][1], n->servers[SERVER_WEB][0]), l->servers_wrong, true);
    printf("%u passed, %u failed\n", 4 - failed, failed);
    return failed ? 1 : 0;
}

/* --- the command -------------------------------------------------------------------------------
 */

static struct policy *load(const char *detection)
{
    struct conf_text rule = {RULE ".yaml", NULL, 0};
    struct conf_source source = {.policy = {"(none)", "{}\n", 3}, .now = START};
    struct conf_report report = {.to = stderr};
    struct policy *p = NULL;
    char *bytes = NULL;

    if (detection) {
        if (conf_read_file(detection, &bytes, &rule.length) != 0)
            return NULL;
        rule.bytes = bytes;
        source.detections = &rule;
        source.detection_count = 1;
    }
    if (conf_load(&source, &report, &p) != 0)
        p = NULL;
    free(bytes);
    return p;
}

static int usage(FILE *to)
{
    fprintf(to, "usage: judge [--rule FILE.yaml] [--roles] [--servers] [--limits FLOWS_TOLD,"
                "FLOWS_WRONG,SERVERS_TOLD,SERVERS_WRONG] CSV...\n");
    return to == stdout ? 0 : 2;
}

static int hold(const char *rule, char **files, struct figures *n, struct court **out)
{
    static struct court court;
    struct court *c = &court;

    c->policy = load(rule);
    if (!c->policy)
        return -1;
    c->rule = policy_detection_named(c->policy, RULE);
    c->least = policy_threshold(c->policy, RULE, "confidence_min", 60);
    for (; *files; files++)
        if (play(c, *files) != 0)
            return -1;
    count(c, n);
    *out = c;
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"rule", required_argument, NULL, 'r'}, {"roles", no_argument, NULL, 'o'},
        {"servers", no_argument, NULL, 's'},    {"limits", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0}};
    struct limits l = {0, 1, 0, 1};
    bool roles = false, servers = false;
    const char *rule = NULL;
    struct figures n = {0};
    struct court *c;
    int got;

    while ((got = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (got == 'h')
            return usage(stdout);
        if (got == '?' ||
            (got == 'l' && sscanf(optarg, "%lf,%lf,%lf,%lf", &l.flows_told, &l.flows_wrong,
                                  &l.servers_told, &l.servers_wrong) != 4))
            return usage(stderr);
        rule = got == 'r' ? optarg : rule;
        roles |= got == 'o';
        servers |= got == 's';
    }
    if (optind == argc)
        return usage(stderr);
    if (hold(rule, argv + optind, &n, &c) != 0)
        return 1;
    print(&n);
    if (roles)
        print_roles(c);
    if (servers)
        print_servers(c);
    got = judged(&n, &l);
    policy_destroy(c->policy);
    return got;
}
