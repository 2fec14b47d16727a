#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "conf/files.h"
#include "conf/import.h"
#include "engine/gateway.h"

extern const struct command command_catalog;

struct wish {
    const char *config, *output, *file;
    bool json;
};

/* The policy, and the texts that it came from. An exit status. */
static int open_policy(const struct wish *w, struct policy_files **files, struct policy **policy)
{
    int status = policy_files_read(w->config, DEFAULT_CONFIG, stderr, files);

    if (status != SD_OK)
        return EXIT_USAGE;
    status = policy_files_load(*files, NULL, 0, clock_now(), stderr, policy);
    if (status == SD_OK)
        return EXIT_DONE;
    policy_files_free(*files);
    if (status == SD_ECONF)
        return EXIT_USAGE;
    log_error("cannot read the policy: %s", sd_strerror(status));
    return EXIT_FAILED;
}

static const char *served(enum transport t)
{
    return t == TRANSPORT_DO53_UDP ? "do53" : transport_name(t);
}

static json_t *addresses_of(const struct policy_resolver *r, bool shared)
{
    json_t *list = json_array();
    char text[ADDR_TEXT];

    for (size_t i = 0; i < r->address_count; i++)
        if (r->addresses[i].shared == shared)
            json_array_append_new(list, json_string(addr_text(&r->addresses[i].addr, text)));
    return list;
}

static json_t *describe(const struct policy_resolver *r)
{
    json_t *names = json_array(), *transports = json_array();

    for (size_t i = 0; i < r->name_count; i++)
        json_array_append_new(names, json_string(r->names[i]));
    for (unsigned t = 0; t < 32; t++)
        if (t != TRANSPORT_DO53_TCP && r->transports >> t & 1)
            json_array_append_new(transports, json_string(served(t)));
    return json_pack("{ss sb ss so so so so}", "id", r->id, "in_policy", r->from_policy, "catalog",
                     r->from_policy ? r->catalog : r->id, "names", names, "addresses",
                     addresses_of(r, false), "shared", addresses_of(r, true), "transports",
                     transports);
}

static void print_line(const struct policy_resolver *r)
{
    const char *apart = "";

    printf("%-28s %-9s ", r->id, r->from_policy ? "policy" : "catalogue");
    for (unsigned t = 0; t < 32; t++)
        if (t != TRANSPORT_DO53_TCP && r->transports >> t & 1) {
            printf("%s%s", apart, served(t));
            apart = ",";
        }
    printf("  %zu address%s%s%s%s\n", r->address_count, r->address_count == 1 ? "" : "es",
           r->name_count ? "  " : "", r->name_count ? r->names[0] : "",
           r->name_count > 1 ? ", ..." : "");
}

static int list(const struct wish *w)
{
    struct policy_files *files;
    struct policy *p;
    json_t *all = json_array();
    int status = open_policy(w, &files, &p);

    for (size_t i = 0; status == EXIT_DONE && i < p->resolver_count; i++)
        if (w->json)
            json_array_append_new(all, describe(p->resolvers + i));
        else
            print_line(p->resolvers + i);
    if (status == EXIT_DONE) {
        if (w->json && json_dumpf(all, stdout, JSON_INDENT(2)) == 0)
            putchar('\n');
        status = fflush(stdout) == 0 && !ferror(stdout) ? EXIT_DONE : EXIT_FAILED;
        policy_destroy(p);
        policy_files_free(files);
    }
    json_decref(all);
    return status;
}

/* Beside the policy. */
static void choose_output(const struct wish *w, char path[4096])
{
    const char *config = w->config ? w->config : DEFAULT_CONFIG, *slash = strrchr(config, '/');

    if (w->output)
        snprintf(path, 4096, "%s", w->output);
    else
        snprintf(path, 4096, "%.*scatalog.yaml", slash ? (int)(slash - config) + 1 : 0, config);
}

/* What is new stands behind what was there. *made: to be freed. An exit status. */
static int add_stamps(const struct conf_text *list, const struct policy *p,
                      const struct conf_text *catalog, struct conf_text *made, bool *news)
{
    struct conf_report report = {.to = stderr};
    struct import_counts n;
    char *text = NULL;
    FILE *to = open_memstream(&text, &made->length);
    int status = SD_EMEM;

    if (to) {
        fwrite(catalog->bytes, 1, catalog->length, to);
        if (catalog->length && catalog->bytes[catalog->length - 1] != '\n')
            fputc('\n', to);
        status = import_stamps(list, p, &report, to, &n);
        status = fclose(to) != 0 ? SD_EMEM : status;
    }
    made->bytes = text;
    if (status != SD_OK) {
        log_error("%s: %s", list->name,
                  status == SD_ELIMIT ? "more resolvers than a catalogue holds"
                                      : sd_strerror(status));
        return EXIT_FAILED;
    }
    *news = n.entries > 0;
    if (n.stamps == n.wrong)
        return EXIT_USAGE; /* each was told */
    fprintf(stderr,
            "%u stamps: %u resolvers are new, %u stamps are of resolvers known already, %u "
            "of relays, %u left out\n",
            n.stamps, n.entries, n.known, n.relays, n.wrong);
    return EXIT_DONE;
}

/* Whatever was made must be a catalogue before it takes the place of one. */
static int check(const struct conf_text *catalog)
{
    struct conf_source source = {.catalog = *catalog, .now = clock_now()};
    struct conf_report report = {.to = stderr};
    struct policy *p;

    if (conf_load(&source, &report, &p) != SD_OK)
        return EXIT_USAGE;
    policy_destroy(p);
    return EXIT_DONE;
}

static int keep(const struct conf_text *catalog, const char *path)
{
    int status = check(catalog);

    if (status == EXIT_DONE && conf_keep_text(catalog, path) != SD_OK) {
        log_error("cannot write %s", path);
        return EXIT_FAILED;
    }
    if (status == EXIT_DONE)
        fprintf(
            stderr,
            "%s is written; a sensor takes it, beside its policy, with `sealdns status reload`\n",
            path);
    return status;
}

static int take_file(const struct wish *w, const struct conf_text *file)
{
    struct conf_text made = {.bytes = NULL};
    struct policy_files *files;
    struct policy *p;
    char path[4096];
    bool news;
    int status;

    choose_output(w, path);
    if (!import_is_list(file))
        return keep(file, path);
    status = open_policy(w, &files, &p);
    if (status != EXIT_DONE)
        return status;
    made.name = path;
    status = add_stamps(file, p, policy_files_catalog(files), &made, &news);
    if (status == EXIT_DONE && news)
        status = keep(&made, path);
    free((char *)made.bytes);
    policy_destroy(p);
    policy_files_free(files);
    return status;
}

static int import(const struct wish *w)
{
    struct conf_text file = {.name = w->file};
    char *bytes;
    int status = conf_read_file(w->file, &bytes, &file.length);

    if (status != SD_OK) {
        log_error("cannot read %s: %s", w->file,
                  status == SD_ENOENT ? "there is no such file" : sd_strerror(status));
        return EXIT_FAILED;
    }
    file.bytes = bytes;
    status = take_file(w, &file);
    free(bytes);
    return status;
}

static int act(const struct wish *w, int argc, char **words)
{
    if (argc >= 1 && strcmp(words[0], "list") == 0) {
        if (argc > 1)
            return usage_error(&command_catalog, "unexpected argument \"%s\"", words[1]);
        return list(w);
    }
    if (argc == 0 || strcmp(words[0], "import") != 0)
        return usage_error(&command_catalog, "say what to do: list or import");
    if (argc != 2)
        return usage_error(&command_catalog, "import takes one file");
    return import(&(struct wish){.config = w->config, .output = w->output, .file = words[1]});
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"output", required_argument, NULL, 'o'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct wish w = {.json = false};
    int option;

    while ((option = getopt_long(argc, argv, ":c:o:f:h", options, NULL)) != -1) {
        if (option == 'c')
            w.config = optarg;
        else if (option == 'o')
            w.output = optarg;
        else if (option != 'f')
            return usage_option(&command_catalog, option, argv);
        else if (strcmp(optarg, "json") != 0 && strcmp(optarg, "text") != 0)
            return usage_error(&command_catalog, "--format is text or json");
        else
            w.json = strcmp(optarg, "json") == 0;
    }
    return act(&w, argc - optind, argv + optind);
}

const struct command command_catalog = {
    "catalog", "the resolvers that are known: list them, take in a public list",
    "Usage: sealdns catalog list [-c FILE] [--format text|json]\n"
    "       sealdns catalog import FILE [-c FILE] [-o FILE]\n"
    "\n"
    "list prints the resolvers of the policy and of the catalogue it uses.\n"
    "import takes a list of DNS stamps (sdns://..., one or more in a line, below headings `## "
    "NAME`),\n"
    "adds what is not known yet to the catalogue in use, and writes both; or a whole catalogue as\n"
    "YAML, which it checks and puts in its place. What is wrong is told by line and left out.\n"
    "Knowing a resolver approves nothing: it is the policy that does. Addresses of DNS over HTTPS\n"
    "are written as `shared`, as others may live there too: nothing is blocked by them.\n"
    "\n"
    "  -c, --config FILE         policy; default " DEFAULT_CONFIG " or the built-in one\n"
    "  -f, --format text|json    of list\n"
    "  -o, --output FILE         default catalog.yaml beside the policy\n",
    run};
