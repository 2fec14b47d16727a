/* Any text as a policy, as a catalogue and as a detection: it loads or it is told why not; what
 * loads prints to something that loads again and prints the same. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Small, so that most of the time goes into the text that is tried. */
static const char catalog[] = "version: 1\nresolvers:\n"
                              "  - {id: quad9, names: [dns.quad9.net], addresses: [9.9.9.9, "
                              "\"2620:fe::fe\"], shared: [9.9.9.8], transports: [do53, dot]}\n";

static struct policy *load(const struct conf_source *source)
{
    struct conf_report report = {0};
    struct policy *p = NULL;
    char *told = NULL;
    size_t size;
    int error;

    report.to = open_memstream(&told, &size);
    if (!report.to)
        abort();
    error = conf_load(source, &report, &p);
    fclose(report.to);
    if ((error == SD_ECONF) != (report.errors > 0) || (error == SD_OK) != (p != NULL))
        abort();
    if ((size == 0) != (report.errors + report.warnings == 0))
        abort();
    free(told);
    return p;
}

static char *print(const struct policy *p, size_t *size)
{
    char *text = NULL;
    FILE *to = open_memstream(&text, size);

    if (!to || conf_print(p, to) != SD_OK)
        abort();
    fclose(to);
    return text;
}

static void round_trip(const struct policy *p)
{
    size_t length, again;
    char *text = print(p, &length), *second;
    struct conf_source source = {.policy = {"printed", text, length},
                                 .catalog = {"catalog", catalog, sizeof catalog - 1}};
    struct policy *q = load(&source);

    if (!q) {
        fprintf(stderr, "does not load again:\n%s\n", text);
        abort();
    }
    second = print(q, &again);
    if (again != length || memcmp(text, second, length) != 0) {
        fprintf(stderr, "differs:\n%s\n---\n%s\n", text, second);
        abort();
    }
    free(second);
    free(text);
    policy_destroy(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct conf_text text = {"fuzz", (const char *)bytes + 1, length ? length - 1 : 0};
    struct conf_source source = {.catalog = {"catalog", catalog, sizeof catalog - 1},
                                 .now = INT64_C(1795262400) * NSEC_S};
    struct policy *p;

    if (length == 0)
        return 0;
    if (bytes[0] == 'c')
        source.catalog = text;
    else if (bytes[0] == 'd') {
        source.detections = &text;
        source.detection_count = 1;
    } else {
        source.policy = text;
    }
    p = load(&source);
    if (p && source.policy.bytes)
        round_trip(p);
    policy_destroy(p);
    return 0;
}
