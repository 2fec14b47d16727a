/* enforce/ by hand, for the tests in network namespaces:
 *
 *   ruleset_driver print|install|own|verify|diff POLICY MODE [GATEWAY-ADDRESS...]
 *   ruleset_driver status|counters|remove
 *
 * own: installs, prints "owned" and keeps the table until standard input ends.
 * Exit status: 0, or 1 with the error on standard error; diff: 3 when lines differ. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "conf/conf.h"
#include "enforce/enforce.h"

static int fail(int e, const char *error)
{
    fprintf(stderr, "%s (%s)\n", error, sd_strerror(e));
    return 1;
}

static nsec_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (nsec_t)t.tv_sec * NSEC_S + t.tv_nsec;
}

static int load(char **argv, struct policy **out, struct addr *gateway)
{
    char *complaints = NULL;
    size_t size;
    struct conf_report report = {.to = open_memstream(&complaints, &size)};
    struct conf_source source = {.policy.name = argv[0], .gateway = gateway, .now = now()};
    char *bytes;
    int e = report.to ? conf_read_file(argv[0], &bytes, &source.policy.length) : SD_EMEM;

    if (e != SD_OK)
        return fail(e, argv[0]);
    source.policy.bytes = bytes;
    for (char **a = argv + 2; *a && source.gateway_count < 8; a++)
        if (addr_parse(*a, gateway + source.gateway_count++) != SD_OK)
            return fail(SD_EINVAL, *a);
    e = conf_load(&source, &report, out);
    free(bytes);
    fclose(report.to);
    e = e == SD_OK ? 0 : fail(e, complaints);
    free(complaints);
    return e;
}

/* In shadow first: its own table it may replace. */
static int own(const struct ruleset *r, const struct ruleset *shadow, char error[ENFORCE_ERROR])
{
    int e, fd = enforce_open(error);

    if (fd < 0)
        return fd;
    e = ruleset_install_by(fd, shadow, error);
    if (e == SD_OK)
        e = ruleset_install_by(fd, r, error);
    if (e == SD_OK) {
        puts("owned");
        fflush(stdout);
        while (getchar() != EOF)
            ;
    }
    close(fd);
    return e;
}

static int act(const char *command, const struct ruleset *r, const struct ruleset *shadow)
{
    char error[ENFORCE_ERROR] = "";
    int e = SD_EINVAL;

    if (strcmp(command, "print") == 0)
        e = ruleset_print(r, stdout);
    else if (strcmp(command, "install") == 0)
        e = ruleset_install(r, error);
    else if (strcmp(command, "verify") == 0)
        e = ruleset_verify(r, error);
    else if (strcmp(command, "own") == 0)
        e = own(r, shadow, error);
    else if (strcmp(command, "diff") == 0)
        e = ruleset_diff(r, stdout, error);
    if (e < 0)
        return fail(e, error);
    return e > 0 ? 3 : 0;
}

static int with_policy(const char *command, char **argv)
{
    char error[ENFORCE_ERROR] = "";
    struct policy *p = NULL;
    struct ruleset *r = NULL, *shadow = NULL;
    struct addr gateway[8];
    int mode = argv[1] ? mode_of(argv[1]) : -1, e;

    if (mode < 0)
        return fail(SD_EINVAL, "no such mode");
    if (load(argv, &p, gateway) != 0)
        return 1;
    e = ruleset_compile(p, (enum mode)mode, now(), &r, error);
    if (e == SD_OK)
        e = ruleset_compile(p, MODE_SHADOW, now(), &shadow, error);
    e = e == SD_OK ? act(command, r, shadow) : fail(e, error);
    ruleset_destroy(r);
    ruleset_destroy(shadow);
    policy_destroy(p);
    return e;
}

static void print_counter(void *context, const struct rule_counter *c)
{
    (void)context;
    printf("%s %s %llu %llu\n", c->chain, c->id, (unsigned long long)c->packets,
           (unsigned long long)c->bytes);
}

int main(int argc, char **argv)
{
    char error[ENFORCE_ERROR] = "";
    struct enforce_status s;
    int e = SD_EINVAL;

    if (argc > 2)
        return with_policy(argv[1], argv + 2);
    if (argc == 2 && strcmp(argv[1], "remove") == 0)
        e = ruleset_remove(error);
    else if (argc == 2 && strcmp(argv[1], "counters") == 0)
        e = ruleset_counters(print_counter, NULL, error);
    else if (argc == 2 && strcmp(argv[1], "status") == 0 &&
             (e = ruleset_status(&s, error)) == SD_OK)
        printf("%u rules, %u elements, digest %016llx\n", s.rules, s.elements,
               (unsigned long long)s.digest);
    return e == SD_OK ? 0 : fail(e, error);
}
