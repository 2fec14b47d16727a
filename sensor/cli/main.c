#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "classify/classify.h"
#include "cli/command.h"
#include "cli/complete.h"

static int print_help(void)
{
    printf("sealdns: makes sure that DNS leaves the network sealed\n\n"
           "Usage: sealdns COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n");
    for (size_t i = 0; commands[i]; i++)
        printf("  %-8s %s\n", commands[i]->name, commands[i]->summary);
    printf("\n`sealdns COMMAND --help` tells more. Exit status: 0 done, 1 failed while running,\n"
           "2 the command line or the configuration is wrong.\n");
    return EXIT_DONE;
}

static int print_version(void)
{
    printf("sealdns %s (%s)\n", SEALDNS_VERSION, classifier_version());
    return EXIT_DONE;
}

int usage_error(const struct command *c, const char *format, ...)
{
    char said[512], clean[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(said, sizeof said, format, arguments);
    va_end(arguments);
    text_printable(said, sizeof said, clean, sizeof clean); /* it may quote what was given */
    fprintf(stderr, "sealdns %s: %s; see `sealdns %s --help`\n", c->name, clean, c->name);
    return EXIT_USAGE;
}

int usage_option(const struct command *c, int option, char **argv)
{
    if (option == 'h') {
        fputs(c->usage, stdout);
        return EXIT_DONE;
    }
    if (option == ':')
        return usage_error(c, "%s needs a value", argv[optind - 1]);
    return usage_error(c, "no option %s", argv[optind - 1]);
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; commands[i]; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct command *c;

    opterr = 0;
    if (argc < 2) {
        fprintf(stderr, "sealdns: no command; see `sealdns --help`\n");
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return print_help();
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return print_version();
    if (strcmp(argv[1], "--complete") == 0) {
        complete(argc - 2, argv + 2);
        return EXIT_DONE;
    }
    c = find_command(argv[1]);
    if (!c) {
        fprintf(stderr, "sealdns: no command \"%s\"; see `sealdns --help`\n", argv[1]);
        return EXIT_USAGE;
    }
    if (argc > 2 && strcmp(argv[2], "--version") == 0)
        return print_version();
    return c->run(argc - 1, argv + 1);
}
