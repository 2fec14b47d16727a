#include "conf/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/error.h"
#include "conf/embedded.h"

#define MOST_DETECTIONS 64
#define MOST_PACKED     (64u << 20)

/* texts[0] is the policy, texts[1] the catalogue, then the detections. */
struct policy_files {
    struct conf_text texts[2 + MOST_DETECTIONS];
    size_t count;
};

static int read_text(const char *path, FILE *to, struct conf_text *out)
{
    char *bytes;
    size_t length;
    int status = conf_read_file(path, &bytes, &length);

    if (status != SD_OK) {
        if (status != SD_ENOENT)
            fprintf(to, "cannot read %s: %s\n", path, sd_strerror(status));
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

static int read_detections(const char *folder, FILE *to, struct policy_files *f)
{
    DIR *d = opendir(folder);
    struct dirent *entry;
    int status = SD_OK;

    if (!d)
        return SD_OK; /* nothing is overridden */
    while (status == SD_OK && (entry = readdir(d)) && f->count < 2 + MOST_DETECTIONS) {
        size_t length = strlen(entry->d_name);
        char path[4352];

        if (length < 6 || strcmp(entry->d_name + length - 5, ".yaml") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        status = read_text(path, to, &f->texts[f->count]);
        f->count += status == SD_OK;
    }
    closedir(d);
    qsort(f->texts + 2, f->count - 2, sizeof *f->texts, by_name);
    return status;
}

static int read_beside(const char *path, FILE *to, struct policy_files *f)
{
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) : 1;
    const char *folder = slash ? path : ".";
    char beside[4096];
    int status;

    snprintf(beside, sizeof beside, "%s.catalog", path);
    status = read_text(beside, to, &f->texts[1]);
    if (status == SD_ENOENT) {
        snprintf(beside, sizeof beside, "%.*s/catalog.yaml", length, folder);
        status = read_text(beside, to, &f->texts[1]);
    }
    if (status != SD_OK && status != SD_ENOENT)
        return status;
    snprintf(beside, sizeof beside, "%.*s/detections", length, folder);
    return read_detections(beside, to, f);
}

int policy_files_read(const char *path, const char *otherwise, FILE *to, struct policy_files **out)
{
    struct policy_files *f = calloc(1, sizeof *f);
    int status;

    if (!f) {
        fprintf(to, "cannot read the policy: %s\n", sd_strerror(SD_EMEM));
        return SD_EMEM;
    }
    f->count = 2;
    status = read_text(path ? path : otherwise, to, &f->texts[0]);
    if (status == SD_OK)
        status = read_beside(path ? path : otherwise, to, f);
    else if (status == SD_ENOENT && !path)
        status = SD_OK; /* the built-in policy */
    else if (status == SD_ENOENT)
        fprintf(to, "there is no file %s\n", path);
    if (status != SD_OK) {
        policy_files_free(f);
        return status;
    }
    *out = f;
    return SD_OK;
}

void policy_files_free(struct policy_files *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->count; i++) {
        free((char *)f->texts[i].name);
        free((char *)f->texts[i].bytes);
    }
    free(f);
}

const char *policy_files_path(const struct policy_files *f)
{
    return f->texts[0].name ? f->texts[0].name : "";
}

const struct conf_text *policy_files_catalog(const struct policy_files *f)
{
    return f->texts[1].bytes ? &f->texts[1] : &embedded_catalog;
}

bool policy_files_agree(const struct policy_files *a, const struct policy_files *b)
{
    const struct conf_text *x = a->texts, *y = b->texts;

    return x->length == y->length && (x->length == 0 || memcmp(x->bytes, y->bytes, x->length) == 0);
}

int policy_files_load(const struct policy_files *f, const struct addr *gateway,
                      size_t gateway_count, nsec_t now, FILE *to, struct policy **out)
{
    struct conf_source source = {.policy = f->texts[0],
                                 .catalog = f->texts[1],
                                 .detections = f->count > 2 ? f->texts + 2 : NULL,
                                 .detection_count = f->count - 2,
                                 .gateway = gateway,
                                 .gateway_count = gateway_count,
                                 .now = now};
    struct conf_report report = {.to = to};

    return conf_load(&source, &report, out);
}

static void put_u32(FILE *to, size_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};

    fwrite(bytes, 1, sizeof bytes, to);
}

static void put_text(FILE *to, const struct conf_text *t)
{
    size_t name = t->name ? strlen(t->name) : 0;

    put_u32(to, name);
    put_u32(to, t->length);
    fwrite(t->name ? t->name : "", 1, name, to);
    fwrite(t->bytes ? t->bytes : "", 1, t->length, to);
}

int policy_files_pack(const struct policy_files *f)
{
    int descriptor = memfd_create("sealdns-policy", MFD_CLOEXEC), copy;
    FILE *to;

    if (descriptor < 0)
        return SD_EMEM;
    copy = dup(descriptor);
    to = copy < 0 ? NULL : fdopen(copy, "w");
    if (!to) {
        close(descriptor);
        return SD_EIO;
    }
    put_u32(to, f->count);
    for (size_t i = 0; i < f->count; i++)
        put_text(to, &f->texts[i]);
    if (fclose(to) != 0) {
        close(descriptor);
        return SD_EIO;
    }
    return descriptor;
}

static int take_text(struct cursor *c, struct conf_text *out)
{
    size_t name_length = cursor_u32(c), length = cursor_u32(c);
    const uint8_t *name = cursor_take(c, name_length), *bytes = cursor_take(c, length);

    if (!cursor_ok(c))
        return SD_EMALF;
    if (name_length == 0)
        return SD_OK; /* the embedded text */
    out->name = strndup((const char *)name, name_length);
    out->bytes = calloc(1, length + 1);
    if (!out->name || !out->bytes)
        return SD_EMEM;
    memcpy((char *)out->bytes, bytes, length);
    out->length = length;
    return SD_OK;
}

static int unpack(const uint8_t *bytes, size_t length, struct policy_files **out)
{
    struct cursor c = cursor_over(bytes, length);
    struct policy_files *f = calloc(1, sizeof *f);
    size_t count = cursor_u32(&c);
    int status = count >= 2 && count <= 2 + MOST_DETECTIONS ? SD_OK : SD_EMALF;

    if (!f)
        return SD_EMEM;
    for (f->count = 0; status == SD_OK && f->count < count; f->count++)
        status = take_text(&c, &f->texts[f->count]);
    if (status != SD_OK) {
        policy_files_free(f);
        return status;
    }
    *out = f;
    return SD_OK;
}

int policy_files_unpack(int descriptor, struct policy_files **out)
{
    struct stat s;
    void *bytes;
    int status;

    if (fstat(descriptor, &s) != 0)
        return SD_EIO;
    if (s.st_size < 4 || s.st_size > MOST_PACKED)
        return SD_EMALF;
    bytes = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED)
        return SD_EIO;
    status = unpack(bytes, (size_t)s.st_size, out);
    munmap(bytes, (size_t)s.st_size);
    return status;
}

int conf_keep_text(const struct conf_text *t, const char *path)
{
    char temporary[4096];
    FILE *to;
    int failed;

    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        return SD_EIO;
    to = fopen(temporary, "we");
    if (!to)
        return SD_EIO;
    fwrite(t->bytes, 1, t->length, to);
    failed = fflush(to) != 0 || fsync(fileno(to)) != 0;
    if (fclose(to) != 0 || failed || rename(temporary, path) != 0)
        return SD_EIO;
    return SD_OK;
}

int policy_files_keep(const struct policy_files *f, const char *path)
{
    char catalog[4096];

    if (!f->texts[0].bytes)
        return SD_OK;
    snprintf(catalog, sizeof catalog, "%s.catalog", path);
    if (f->texts[1].bytes && conf_keep_text(&f->texts[1], catalog) != SD_OK)
        return SD_EIO;
    if (!f->texts[1].bytes && unlink(catalog) != 0 && errno != ENOENT)
        return SD_EIO;
    return conf_keep_text(&f->texts[0], path);
}
