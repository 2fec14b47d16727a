/* One flow of the classifier: which of its packets are looked at, by whom, and when that is enough.
 */
#include <stdlib.h>
#include <string.h>

#include "classify/classify.h"
#include "classify/dpi.h"

enum { PACKETS_MAX = 24 };

struct classifier {
    struct dpi *dpi;
};

struct flow {
    struct dpi_flow *dpi;
    unsigned packets;
    bool done;
};

struct classifier *classifier_create(void)
{
    struct classifier *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->dpi = dpi_create();
    if (!c->dpi) {
        free(c);
        return NULL;
    }
    return c;
}

void classifier_destroy(struct classifier *c)
{
    if (!c)
        return;
    dpi_destroy(c->dpi);
    free(c);
}

const char *classifier_version(void)
{
    return dpi_version();
}

static void *flow_open(void *classifier)
{
    struct classifier *c = classifier;
    struct flow *f = calloc(1, sizeof(*f));

    if (!f)
        return NULL;
    f->dpi = dpi_flow_open(c->dpi);
    if (!f->dpi) {
        free(f);
        return NULL;
    }
    return f;
}

static void flow_close(void *classifier, void *flow)
{
    struct classifier *c = classifier;
    struct flow *f = flow;

    if (!f)
        return;
    dpi_flow_close(c->dpi, f->dpi);
    free(f);
}

static enum classify_answer flow_feed(void *classifier, void *flow, const struct packet *packet,
                                      int from_client)
{
    struct classifier *c = classifier;
    struct flow *f = flow;

    if (packet->payload_length == 0)
        return CLASSIFY_MORE;
    f->packets++;
    if (dpi_flow_feed(c->dpi, f->dpi, packet, from_client) && f->packets < PACKETS_MAX)
        return CLASSIFY_MORE;
    enum classify_guess guess = dpi_flow_guess(f->dpi);

    return guess == GUESS_TLS || guess == GUESS_QUIC ? CLASSIFY_DONE : CLASSIFY_NOT_TLS;
}

static void flow_facts(void *classifier, void *flow, struct tls_facts *out)
{
    struct flow *f = flow;

    (void)classifier;
    memset(out, 0, sizeof(*out));
    dpi_flow_facts(f->dpi, out);
}

static enum classify_guess flow_guess(void *classifier, void *flow)
{
    struct flow *f = flow;

    (void)classifier;
    return dpi_flow_guess(f->dpi);
}

const struct classifier_ops classifier_ops = {
    .dns_message = dns_walk,
    .flow_open = flow_open,
    .flow_close = flow_close,
    .flow_feed = flow_feed,
    .flow_facts = flow_facts,
    .flow_guess = flow_guess,
};
