/* Reading a policy and what lies beside it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "cli/command.h"
#include "conf/conf.h"

#define MOST_DETECTIONS 64

struct policy_files {
    struct conf_text policy, catalog;
    struct conf_text detections[MOST_DETECTIONS];
    size_t detection_count;
};

/* SD_ENOENT is for the caller to judge; anything else is told here. */
static int read_text(const char *path, struct conf_text *out)
{
    char *bytes;
    size_t length;
    int status = conf_read_file(path, &bytes, &length);

    if (status == SD_ENOENT)
        return status;
    if (status != SD_OK) {
        log_error("cannot read %s: %s", path, sd_strerror(status));
        return status;
    }
    out->name = strdup(path);
    out->bytes = bytes;
    out->length = length;
    return out->name ? SD_OK : SD_EMEM;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct conf_text *)a)->name, ((const struct conf_text *)b)->name);
}

static int read_detections(const char *folder, struct policy_files *f)
{
    DIR *d = opendir(folder);
    struct dirent *entry;
    int status = SD_OK;

    if (!d)
        return SD_OK; /* nothing is overridden */
    while (status == SD_OK && (entry = readdir(d)) && f->detection_count < MOST_DETECTIONS) {
        size_t length = strlen(entry->d_name);
        char path[4352];

        if (length < 6 || strcmp(entry->d_name + length - 5, ".yaml") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        status = read_text(path, &f->detections[f->detection_count]);
        f->detection_count += status == SD_OK;
    }
    closedir(d);
    qsort(f->detections, f->detection_count, sizeof *f->detections, by_name);
    return status;
}

static int read_beside(const char *path, struct policy_files *f)
{
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) : 1;
    const char *folder = slash ? path : ".";
    char beside[4096];
    int status;

    snprintf(beside, sizeof beside, "%.*s/catalog.yaml", length, folder);
    status = read_text(beside, &f->catalog);
    if (status != SD_OK && status != SD_ENOENT)
        return status;
    snprintf(beside, sizeof beside, "%.*s/detections", length, folder);
    return read_detections(beside, f);
}

int policy_files_read(const char *path, struct policy_files **out)
{
    struct policy_files *f = calloc(1, sizeof *f);
    bool asked = path != NULL;
    int status;

    if (!f)
        return EXIT_FAILED;
    path = asked ? path : DEFAULT_CONFIG;
    status = read_text(path, &f->policy);
    if (status == SD_ENOENT && asked)
        log_error("there is no file %s", path);
    if (status == SD_ENOENT && !asked)
        status = SD_OK; /* the built-in policy */
    else if (status == SD_OK)
        status = read_beside(path, f);
    if (status != SD_OK) {
        policy_files_free(f);
        return EXIT_USAGE;
    }
    *out = f;
    return EXIT_DONE;
}

static void free_text(struct conf_text *t)
{
    free((char *)t->name);
    free((char *)t->bytes);
}

void policy_files_free(struct policy_files *f)
{
    if (!f)
        return;
    free_text(&f->policy);
    free_text(&f->catalog);
    for (size_t i = 0; i < f->detection_count; i++)
        free_text(&f->detections[i]);
    free(f);
}

int policy_files_load(const struct policy_files *f, const struct addr *gateway,
                      size_t gateway_count, nsec_t now, struct policy **out)
{
    struct conf_source source = {.policy = f->policy,
                                 .catalog = f->catalog,
                                 .detections = f->detections,
                                 .detection_count = f->detection_count,
                                 .gateway = gateway,
                                 .gateway_count = gateway_count,
                                 .now = now};
    struct conf_report report = {.to = stderr};
    int status;

    if (f->detection_count == 0)
        source.detections = NULL;
    status = conf_load(&source, &report, out);
    if (status == SD_OK)
        return EXIT_DONE;
    if (status != SD_ECONF)
        log_error("cannot read the policy: %s", sd_strerror(status));
    return status == SD_ECONF ? EXIT_USAGE : EXIT_FAILED;
}

int load_policy(const char *path, const struct addr *gateway, size_t gateway_count, nsec_t now,
                struct policy **out)
{
    struct policy_files *f;
    int status = policy_files_read(path, &f);

    if (status != EXIT_DONE)
        return status;
    status = policy_files_load(f, gateway, gateway_count, now, out);
    policy_files_free(f);
    return status;
}
