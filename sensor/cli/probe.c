/* `sealdns probe`: whom the arguments mean, and the asking, one server after the other. */
#include <ctype.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/probing.h"
#include "engine/gateway.h"

extern const struct command command_probe;

#define ENCRYPTED                                                                                  \
    (1u << TRANSPORT_DOT | 1u << TRANSPORT_DOQ | 1u << TRANSPORT_DOH2 | 1u << TRANSPORT_DOH3)

enum { PROBINGS_MOST = 4096 };

struct wish {
    const char *config, *ca, *pin, *path;
    bool json;
    uint32_t transports; /* 0: as the policy says of each */
    uint16_t port;       /* 0: each transport's own */
    nsec_t timeout;      /* 0: as the policy says */
    struct policy *policy;
    struct probing *list;
    size_t count;
    struct probed_resolver *resolvers;
    size_t resolver_count;
};

static int add_probing(struct wish *w, int16_t resolver, const struct addr *server,
                       enum transport transport, const char *name)
{
    struct probe_target *t;

    if (w->count == PROBINGS_MOST)
        return SD_ELIMIT;
    w->list[w->count] = (struct probing){.skipped = !probe_speaks(transport)};
    t = &w->list[w->count++].target;
    probe_target_set(t, w->policy, resolver, server, transport);
    if (name) {
        t->name_count = 1;
        text_copy(t->name[0], sizeof t->name[0], name);
    }
    if (w->port)
        t->port = w->port;
    if (w->ca)
        text_copy(t->ca, sizeof t->ca, w->ca);
    if (w->path)
        text_copy(t->path, sizeof t->path, w->path);
    if (w->pin) {
        t->pin_count = 1;
        text_copy(t->pin[0], sizeof t->pin[0], w->pin);
    }
    return SD_OK;
}

static int add_server(struct wish *w, int16_t resolver, const struct addr *server, const char *name)
{
    uint32_t wanted = w->transports;
    int status = SD_OK;

    if (!wanted)
        wanted = resolver >= 0 ? w->policy->resolvers[resolver].transports : 1u << TRANSPORT_DOT;
    for (unsigned t = TRANSPORT_DO53_UDP; status == SD_OK && t <= TRANSPORT_DNSCRYPT; t++)
        if (wanted & (1u << t))
            status = add_probing(w, resolver, server, (enum transport)t, name);
    return status;
}

static void add_resolver(struct wish *w, const char *label, const char *name, size_t first)
{
    w->resolvers[w->resolver_count++] = (struct probed_resolver){
        .label = label, .name = name, .first = w->list + first, .count = w->count - first};
}

static int add_whole(struct wish *w, int16_t index)
{
    const struct policy_resolver *r = w->policy->resolvers + index;
    size_t first = w->count;
    int status = SD_OK;

    for (size_t i = 0; status == SD_OK && i < r->address_count; i++)
        status = add_server(w, index, &r->addresses[i].addr, NULL);
    if (r->address_count == 0)
        log_warning("%s has no address in the policy: probe it as NAME@ADDRESS", r->id);
    add_resolver(w, r->id, r->name_count ? r->names[0] : "", first);
    return status;
}

/* A host name of letters, digits and hyphens, in lower case. */
static bool take_name(const char *from, size_t length, char name[128])
{
    if (length == 0 || length > 127)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)from[i]) && !strchr("-._", from[i]))
            return false;
        name[i] = (char)tolower((unsigned char)from[i]);
    }
    name[length] = '\0';
    return true;
}

/* ADDRESS or NAME@ADDRESS. What the policy knows of the name, else of the address, goes with it. */
static int add_address(struct wish *w, const char *word)
{
    const char *at = strrchr(word, '@');
    char name[128];
    size_t first = w->count;
    struct addr server;
    int16_t resolver;
    int status;

    if (addr_parse(at ? at + 1 : word, &server) != SD_OK ||
        (at && !take_name(word, (size_t)(at - word), name)))
        return SD_EINVAL;
    resolver = at ? policy_resolver_named(w->policy, name) : -1;
    if (resolver < 0)
        resolver = policy_resolver_at(w->policy, &server, NULL);
    status = add_server(w, resolver, &server, at ? name : NULL);
    if (status == SD_OK)
        add_resolver(w, word, w->count > first ? w->list[first].target.name[0] : "", first);
    return status;
}

static int add_word(struct wish *w, const char *word)
{
    int16_t index = policy_resolver_called(w->policy, word);

    return index >= 0 ? add_whole(w, index) : add_address(w, word);
}

static int add_approved(struct wish *w)
{
    int status = SD_OK;

    for (size_t i = 0; status == SD_OK && i < w->policy->resolver_count; i++)
        if (policy_is_approved(w->policy, (int16_t)i))
            status = add_whole(w, (int16_t)i);
    return status;
}

static void show_progress(const struct wish *w, size_t done)
{
    const struct probe_target *t = &w->list[done].target;
    char address[ADDR_TEXT];

    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K[%zu/%zu] %s %s", done + 1, w->count,
                addr_text(&t->server, address), transport_name(t->transport));
}

static nsec_t wall_clock(void *context)
{
    (void)context;
    return clock_now();
}

static int ask_all(struct wish *w)
{
    struct probe_terms terms = {.timeout = w->timeout ? w->timeout : w->policy->probe.timeout,
                                .clock = wall_clock};
    int status = SD_OK;

    for (size_t i = 0; status == SD_OK && i < w->count; i++) {
        struct probing *p = w->list + i;

        p->time = clock_now();
        if (p->skipped)
            continue;
        show_progress(w, i);
        status = probe_run(&p->target, &terms, &p->found);
        probe_judge(w->policy, p->target.resolver, &p->found);
    }
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
    return status;
}

static int tell(const struct wish *w)
{
    enum probe_verdict worst = PROBE_RIGHT;
    int status = SD_OK;

    for (size_t i = 0; i < w->resolver_count; i++) {
        enum probe_verdict v = probed_verdict(w->resolvers + i);

        worst = v > worst ? v : worst;
        if (!w->json)
            probed_print(w->resolvers + i, stdout);
    }
    if (w->json)
        status = probed_print_json(w->resolvers, w->resolver_count, stdout);
    if (fflush(stdout) != 0 || status != SD_OK) {
        log_error("cannot write what was found");
        return EXIT_FAILED;
    }
    return worst == PROBE_WRONG ? EXIT_FAILED : EXIT_DONE;
}

static int probe_words(struct wish *w, char **words, int count)
{
    int status = SD_OK;

    if (count == 0)
        status = add_approved(w);
    for (int i = 0; status == SD_OK && i < count; i++) {
        status = add_word(w, words[i]);
        if (status == SD_EINVAL)
            return usage_error(&command_probe,
                               "\"%s\" is no resolver of the policy or the catalogue, no address "
                               "and no NAME@ADDRESS",
                               words[i]);
    }
    if (status == SD_OK && w->resolver_count == 0) {
        log_error("the policy approves no resolver: name one");
        return EXIT_FAILED;
    }
    if (status == SD_OK)
        status = ask_all(w);
    if (status == SD_OK)
        return tell(w);
    log_error("cannot probe: %s", sd_strerror(status));
    return EXIT_FAILED;
}

static int probe(struct wish *w, char **words, int count)
{
    int status = load_policy(w->config, NULL, 0, clock_now(), &w->policy);

    if (status != EXIT_DONE)
        return status;
    w->list = calloc(PROBINGS_MOST, sizeof *w->list);
    w->resolvers = calloc(w->policy->resolver_count + (size_t)count, sizeof *w->resolvers);
    status = w->list && w->resolvers ? probe_words(w, words, count) : EXIT_FAILED;
    free(w->list);
    free(w->resolvers);
    policy_destroy(w->policy);
    return status;
}

static int take_transport(struct wish *w, const char *word)
{
    int transport = transport_of(word);

    if (strcmp(word, "do53") == 0)
        w->transports |= 1u << TRANSPORT_DO53_UDP | 1u << TRANSPORT_DO53_TCP;
    else if (transport >= TRANSPORT_DO53_UDP && transport <= TRANSPORT_DNSCRYPT)
        w->transports |= 1u << transport;
    else
        return usage_error(&command_probe,
                           "--transport is do53, dot, doq, doh2 or doh3, not \"%s\"", word);
    return EXIT_DONE;
}

static int take_port(struct wish *w, const char *text)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);

    if (!isdigit((unsigned char)*text) || *end || port == 0 || port > 65535)
        return usage_error(&command_probe, "--port is between 1 and 65535, not \"%s\"", text);
    w->port = (uint16_t)port;
    return EXIT_DONE;
}

static int take_timeout(struct wish *w, const char *text)
{
    if (duration_parse(text, &w->timeout) != SD_OK || w->timeout < NSEC_S ||
        w->timeout > 60 * NSEC_S)
        return usage_error(&command_probe, "--timeout is between 1s and 60s, not \"%s\"", text);
    return EXIT_DONE;
}

static int take_pin(struct wish *w, const char *text)
{
    if (strncmp(text, "sha256/", 7) != 0 || strlen(text) != PIN_TEXT - 1)
        return usage_error(&command_probe, "--pin is \"sha256/\" and 44 letters of base64");
    w->pin = text;
    return EXIT_DONE;
}

static int take_format(struct wish *w, const char *text)
{
    w->json = strcmp(text, "json") == 0;
    if (!w->json && strcmp(text, "text") != 0)
        return usage_error(&command_probe, "--format is text or json, not \"%s\"", text);
    return EXIT_DONE;
}

static int take_option(struct wish *w, int letter)
{
    switch (letter) {
    case 'c':
        w->config = optarg;
        return EXIT_DONE;
    case 'a':
        w->ca = optarg;
        return EXIT_DONE;
    case 'u':
        w->path = optarg;
        return EXIT_DONE;
    case 'f':
        return take_format(w, optarg);
    case 't':
        return take_transport(w, optarg);
    case 'p':
        return take_pin(w, optarg);
    case 'P':
        return take_port(w, optarg);
    default:
        return take_timeout(w, optarg);
    }
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"transport", required_argument, NULL, 't'},
                                            {"port", required_argument, NULL, 'P'},
                                            {"ca", required_argument, NULL, 'a'},
                                            {"pin", required_argument, NULL, 'p'},
                                            {"path", required_argument, NULL, 'u'},
                                            {"timeout", required_argument, NULL, 'T'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct wish w = {0};
    int option, status;

    while ((option = getopt_long(argc, argv, ":c:h", options, NULL)) != -1) {
        if (option == 'h' || option == '?' || option == ':')
            return usage_option(&command_probe, option, argv);
        status = take_option(&w, option);
        if (status != EXIT_DONE)
            return status;
    }
    signal(SIGPIPE, SIG_IGN); /* a server that hangs up is no reason to die */
    return probe(&w, argv + optind, argc - optind);
}

const struct command command_probe = {
    "probe", "asks resolvers who they are and what they offer, over every transport",
    "Usage: sealdns probe [RESOLVER...] [-c FILE] [--format text|json] [OPTION]...\n"
    "\n"
    "RESOLVER is an id of the policy or the catalogue, an ADDRESS, or NAME@ADDRESS; without one, "
    "all\n"
    "that the policy approves. Checked are connection, TLS versions, certificate (chain, name, "
    "dates,\n"
    "pins), the answer and its padding, canary names and designations.\n"
    "\n"
    "  -c, --config FILE    policy; default " DEFAULT_CONFIG " or the built-in one\n"
    "      --format F       text (default) or json\n"
    "      --transport T    do53, dot, doq, doh2; may be repeated. Default: the policy's for that\n"
    "                       resolver, dot for an unknown one. doh3 and dnscrypt are not probed\n"
    "      --port N         in place of the transport's own\n"
    "      --path PATH      of DoH, default /dns-query\n"
    "      --ca FILE        authorities to trust, in place of the policy's `ca` or the system's\n"
    "      --pin PIN        \"sha256/BASE64\", in place of the policy's `pins`\n"
    "      --timeout D      until a first answer; default: the policy's `probe.timeout`, 5s\n"
    "\n"
    "Exit status: 0 all is right, 1 something is wrong, 2 the command line or the policy is.\n",
    run};
