#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/hash.h"
#include "conf/embedded.h"
#include "conf/reader.h"

#define LOG_GROUP 853

/* Reads one text with the function for its kind; what it has to complain about is told at once. */
static int load_text(struct reader *r, const struct conf_text *text, struct conf_report *report,
                     void (*read)(struct reader *r, const struct node *root))
{
    struct complaints *c = calloc(1, sizeof *c);
    struct tree *tree = NULL;
    int error;

    if (!c)
        return SD_EMEM;
    c->file = text->name;
    r->complaints = c;
    error = tree_parse(text, c, &tree);
    if (error == SD_OK)
        read(r, tree_root(tree));
    complaints_tell(c, report);
    if (error == SD_OK && (c->errors || r->out_of_memory))
        error = r->out_of_memory ? SD_EMEM : SD_ECONF;
    tree_destroy(tree);
    free(c);
    r->complaints = NULL;
    return error;
}

static int defaults(struct policy *p)
{
    p->mode = MODE_MONITOR;
    p->remove_on_exit = p->preflight = p->shunt = true;
    p->log_group = LOG_GROUP;
    p->pairs.timeout = 600 * NSEC_S;
    p->capture.threads = 1;
    p->peer.port = 8530;
    strcpy(p->store_path, "/var/lib/sealdns/sealdns.db");
    strcpy(p->socket_path, "/run/sealdns/sealdns.sock");
    p->store_max_size = UINT64_C(2) << 30;
    p->web.port = 8053;
    addr_parse("127.0.0.1", &p->web.address);
    p->store_max_age = 400 * 86400 * NSEC_S;
    p->probe.timeout = 5 * NSEC_S;
    p->query_log.sample = 100;
    p->query_log.interval = 60 * NSEC_S;
    p->query_log.retention = p->privacy.rotate = 30 * 86400 * NSEC_S;
    p->privacy.in = 1u << PRIVACY_STORE | 1u << PRIVACY_FEED;
    p->evidence = (struct policy_evidence){.ring = 16 << 20,
                                           .max_size = UINT64_C(1) << 30,
                                           .snap = 512,
                                           .per_event = 200,
                                           .per_minute = 30,
                                           .severity = SEVERITY_LOW};
    p->zones = calloc(2, sizeof *p->zones);
    if (!p->zones)
        return SD_EMEM;
    p->zone_count = 2;
    for (size_t i = 0; i < 2; i++)
        p->zones[i] = (struct policy_zone){.cleartext = ACTION_ALERT,
                                           .unapproved = ACTION_ALERT,
                                           .bootstrap = true,
                                           .gateway_resolver = true};
    strcpy(p->zones[ZONE_DEFAULT].id, "default");
    strcpy(p->zones[ZONE_GATEWAY].id, "gateway");
    return SD_OK;
}

/* The gateway's own addresses: those that the host has, and single ones that the zone names. */
static int set_gateway(struct policy *p, const struct conf_source *source)
{
    const struct policy_zone *z = p->zones + ZONE_GATEWAY;

    p->gateway = calloc(source->gateway_count + z->network_count + 1, sizeof *p->gateway);
    if (!p->gateway)
        return SD_EMEM;
    for (size_t i = 0; i < source->gateway_count; i++)
        p->gateway[p->gateway_count++] = source->gateway[i];
    for (size_t i = 0; i < z->network_count; i++)
        if (z->networks[i].length == 128)
            p->gateway[p->gateway_count++] = z->networks[i].addr;
    return SD_OK;
}

static void digest_one(uint64_t *digest, const struct conf_text *text)
{
    *digest = hash_mix(*digest, hash_bytes(text->bytes, text->length, 0));
}

/* Every text is read even if one before it was wrong, so that one run finds all errors. */
static int load_texts(struct reader *r, const struct conf_source *source,
                      struct conf_report *report)
{
    static const struct conf_text built_in = {"(built in)", "", 0};
    const struct conf_text *catalog = source->catalog.bytes ? &source->catalog : &embedded_catalog;
    const struct conf_text *policy = source->policy.bytes ? &source->policy : &built_in;
    uint64_t digest = 0;
    int worst = load_text(r, catalog, report, read_catalog), error;

    digest_one(&digest, policy);
    digest_one(&digest, catalog);
    for (size_t i = 0; i < embedded_detection_count + source->detection_count; i++) {
        const struct conf_text *text = i < embedded_detection_count
                                           ? embedded_detections + i
                                           : source->detections + i - embedded_detection_count;

        digest_one(&digest, text);
        error = load_text(r, text, report, read_detection);
        worst = worst ? worst : error;
    }
    error = load_text(r, policy, report, read_policy);
    snprintf(r->policy->digest, sizeof r->policy->digest, "%016" PRIx64, digest);
    return worst ? worst : error;
}

static void catalog_free(struct reader *r)
{
    for (size_t i = 0; i < r->catalog_count; i++) {
        for (size_t k = 0; k < r->catalog[i].name_count; k++)
            free(r->catalog[i].names[k]);
        free(r->catalog[i].names);
        free(r->catalog[i].addresses);
    }
    free(r->catalog);
}

int conf_load(const struct conf_source *source, struct conf_report *report, struct policy **out)
{
    struct reader r = {.policy = calloc(1, sizeof *r.policy), .now = source->now};
    int error = r.policy ? defaults(r.policy) : SD_EMEM;

    if (error == SD_OK)
        error = load_texts(&r, source, report);
    if (error == SD_OK)
        error = set_gateway(r.policy, source);
    if (error == SD_OK)
        error = policy_compile(r.policy);
    catalog_free(&r);
    free(r.spots);
    if (error != SD_OK) {
        policy_destroy(r.policy);
        return error;
    }
    *out = r.policy;
    return SD_OK;
}

/* Reads on until the end or one octet too many. */
static int read_all(FILE *f, char **all, size_t *size)
{
    size_t room = 0, n;

    do {
        char *more = realloc(*all, room = room ? 2 * room : 16384);

        if (!more)
            return SD_EMEM;
        *all = more;
        n = fread(*all + *size, 1, room - *size - 1, f);
        *size += n;
        if (*size > TREE_BYTES)
            return SD_ELIMIT;
    } while (*size == room - 1);
    (*all)[*size] = '\0';
    return ferror(f) ? SD_EIO : SD_OK;
}

int conf_read_file(const char *path, char **bytes, size_t *length)
{
    FILE *f = fopen(path, "re");
    size_t size = 0;
    char *all = NULL;
    int error;

    if (!f)
        return errno == ENOENT ? SD_ENOENT : SD_EIO;
    error = read_all(f, &all, &size);
    fclose(f);
    if (error != SD_OK) {
        free(all);
        return error;
    }
    *bytes = all;
    *length = size;
    return SD_OK;
}
