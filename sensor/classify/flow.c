/* One flow of the classifier: which of its packets are looked at, by whom, and when that is enough.
 */
#include <stdlib.h>
#include <string.h>

#include "classify/classify.h"
#include "classify/dpi.h"
#include "classify/quic_initial.h"
#include "classify/tls_stream.h"

enum {
    TLS_PACKETS_MAX = 40, /* with payload, of a handshake: a long chain at a small MSS */
    QUIC_PACKETS_MAX = 10,
    OTHER_PACKETS_MAX = 6, /* of a flow that resembles nothing yet */
    SPARE_MAX = 4096,      /* closed flows kept for the next */
};

struct flow {
    struct flow *next_spare;
    struct dpi_flow *dpi; /* NULL until nDPI is asked */
    union {
        struct tls_stream tls;
        struct quic_stream quic;
    };
    unsigned packets;
    uint8_t proto; /* of the first packet; 0: none yet */
    uint8_t guess; /* enum classify_guess */
    struct tls_facts facts;
};

struct classifier {
    struct dpi *dpi;
    struct block_pool blocks;
    struct flow *spare;
    unsigned spare_count;
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
    while (c->spare) {
        struct flow *f = c->spare;

        c->spare = f->next_spare;
        free(f);
    }
    block_pool_finish(&c->blocks);
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
    struct flow *f = c->spare;

    if (f) {
        c->spare = f->next_spare;
        c->spare_count--;
    } else if (!(f = malloc(sizeof(*f)))) {
        return NULL;
    }
    memset(f, 0, sizeof(*f));
    return f;
}

static void flow_close(void *classifier, void *flow)
{
    struct classifier *c = classifier;
    struct flow *f = flow;

    if (!f)
        return;
    if (f->proto == IP_PROTO_TCP)
        tls_stream_finish(&f->tls, &c->blocks);
    else if (f->proto != 0)
        quic_stream_finish(&f->quic, &c->blocks);
    dpi_flow_close(c->dpi, f->dpi);
    if (c->spare_count == SPARE_MAX) {
        free(f);
        return;
    }
    f->next_spare = c->spare;
    c->spare = f;
    c->spare_count++;
}

/* Asks nDPI; true while it may learn more. */
static bool ask(struct classifier *c, struct flow *f, const struct packet *packet)
{
    bool more;

    if (!f->dpi && !(f->dpi = dpi_flow_open(c->dpi)))
        return false;
    more = dpi_flow_feed(c->dpi, f->dpi, packet);
    f->guess = (uint8_t)dpi_flow_guess(f->dpi);
    return more;
}

static enum classify_answer feed_tcp(struct classifier *c, struct flow *f,
                                     const struct packet *packet, int from_client)
{
    uint32_t seq = packet->seq + ((packet->tcp_flags & TCP_SYN) != 0); /* RFC 7413: data in a SYN */
    enum tls_progress progress = tls_stream_feed(&f->tls, &c->blocks, from_client, seq,
                                                 packet->payload, packet->payload_length);

    if (progress == TLS_UNLIKE) {
        if (ask(c, f, packet) && f->packets < OTHER_PACKETS_MAX)
            return CLASSIFY_MORE;
        return f->guess == GUESS_TLS ? CLASSIFY_DONE : CLASSIFY_NOT_TLS;
    }
    f->guess = GUESS_TLS;
    return progress == TLS_DONE || f->packets >= TLS_PACKETS_MAX ? CLASSIFY_DONE : CLASSIFY_MORE;
}

static enum classify_answer feed_udp(struct classifier *c, struct flow *f,
                                     const struct packet *packet, int from_client)
{
    enum quic_progress progress = quic_stream_feed(&f->quic, &c->blocks, from_client != 0,
                                                   packet->payload, packet->payload_length);

    if (progress != QUIC_UNLIKE) {
        f->guess = GUESS_QUIC;
        return progress == QUIC_DONE || f->packets >= QUIC_PACKETS_MAX ? CLASSIFY_DONE
                                                                       : CLASSIFY_MORE;
    }
    bool more = ask(c, f, packet);

    if (f->guess == GUESS_QUIC) {
        dpi_flow_name(f->dpi, f->facts.sni, sizeof(f->facts.sni));
        f->facts.hello_seen = f->facts.sni[0] != '\0';
        f->facts.quic_version = f->quic.version_seen;
    }
    if (more && f->packets < OTHER_PACKETS_MAX)
        return CLASSIFY_MORE;
    return f->guess == GUESS_QUIC ? CLASSIFY_DONE : CLASSIFY_NOT_TLS;
}

static void start(struct flow *f, uint8_t proto)
{
    f->proto = proto;
    if (proto == IP_PROTO_TCP)
        tls_stream_init(&f->tls, &f->facts);
    else
        quic_stream_init(&f->quic, &f->facts);
}

static enum classify_answer flow_feed(void *classifier, void *flow, const struct packet *packet,
                                      int from_client)
{
    struct flow *f = flow;

    if (packet->payload_length == 0)
        return CLASSIFY_MORE;
    if (f->proto == 0)
        start(f, packet->proto);
    f->packets++;
    return f->proto == IP_PROTO_TCP ? feed_tcp(classifier, f, packet, from_client)
                                    : feed_udp(classifier, f, packet, from_client);
}

static void flow_facts(void *classifier, void *flow, struct tls_facts *out)
{
    (void)classifier;
    *out = ((struct flow *)flow)->facts;
}

static enum classify_guess flow_guess(void *classifier, void *flow)
{
    (void)classifier;
    return ((struct flow *)flow)->guess;
}

const struct classifier_ops classifier_ops = {
    .dns_message = dns_walk,
    .flow_open = flow_open,
    .flow_close = flow_close,
    .flow_feed = flow_feed,
    .flow_facts = flow_facts,
    .flow_guess = flow_guess,
};
