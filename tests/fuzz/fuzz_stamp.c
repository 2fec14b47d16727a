/* Any text as a list of DNS stamps: what is made of it is a catalogue, and of every stamp it is
 * said where it went. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "conf/conf.h"
#include "conf/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const char catalog[] = "version: 1\nresolvers:\n"
                              "  - {id: one, names: [dot.example.net], addresses: [203.0.113.8], "
                              "transports: [do53, dot]}\n";

static struct policy *load(const char *text, size_t length)
{
    struct conf_source source = {.catalog = {"catalog", text, length}};
    struct conf_report report = {.to = stderr};
    struct policy *p = NULL;

    if (conf_load(&source, &report, &p) != SD_OK) {
        fwrite(text, 1, length, stderr);
        abort();
    }
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct conf_text list = {"fuzz", (const char *)bytes, length};
    struct conf_report report = {0};
    struct import_counts n;
    char *told = NULL, *made = NULL;
    size_t told_size, size;
    FILE *to = open_memstream(&made, &size);
    struct policy *known = load(catalog, sizeof catalog - 1), *p;

    report.to = open_memstream(&told, &told_size);
    if (!to || !report.to)
        abort();
    fwrite(catalog, 1, sizeof catalog - 1, to);
    if (import_stamps(&list, known, &report, to, &n) != SD_OK)
        abort();
    if ((n.stamps > 0) != import_is_list(&list) || n.wrong != report.errors ||
        n.known + n.relays + n.wrong + n.entries > n.stamps)
        abort();
    fclose(to);
    fclose(report.to);
    p = load(made, size);
    if (p->resolver_count != known->resolver_count + n.entries)
        abort();
    policy_destroy(p);
    policy_destroy(known);
    free(made);
    free(told);
    return 0;
}
