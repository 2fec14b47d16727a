/* From a line of the kernel's log to an observation. What stands in the packet is a stranger's. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "decode/decode.h"
#include "engine/cuts.h"
#include "engine/gateway.h"
#include "engine/sensor.h"

enum { LINKTYPE_RAW_IP = 101, FRAGMENT_BYTES = 64 * 1024 };

struct cuts_reader {
    const struct board *board;
    struct decoder *decoder;
    struct cutlog log;
    struct stats scrap; /* of the decoder: these frames are no interface's */
    uint64_t unread;    /* lines whose packet does not parse */
    int descriptor;
    struct observation_sink sink; /* during a read */
};

struct cuts_reader *cuts_reader_create(const struct board *board, uint64_t seed)
{
    struct cuts_reader *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->board = board;
    r->descriptor = -1;
    r->decoder = decoder_create(false, seed, FRAGMENT_BYTES);
    if (r->decoder)
        return r;
    free(r);
    return NULL;
}

void cuts_reader_destroy(struct cuts_reader *r)
{
    if (!r)
        return;
    cuts_reader_take(r, -1);
    decoder_destroy(r->decoder);
    free(r);
}

void cuts_reader_take(struct cuts_reader *r, int descriptor)
{
    if (r->descriptor >= 0)
        close(r->descriptor);
    r->descriptor = descriptor;
    r->log.begun = false;
}

int cuts_reader_descriptor(const struct cuts_reader *r)
{
    return r->descriptor;
}

/* Of the sensor's interfaces; UINT16_MAX: of none of them. */
static uint16_t interface_of(const struct board *b, uint32_t index)
{
    for (uint16_t i = 0; index && i < MOST_INTERFACES; i++)
        if (b->index[i] == index)
            return i;
    return UINT16_MAX;
}

static uint8_t watched_as(const struct packet *p)
{
    bool udp = p->proto == IP_PROTO_UDP;

    switch (p->dport) {
    case 53:
        return udp ? TRANSPORT_DO53_UDP : TRANSPORT_DO53_TCP;
    case 853:
        return udp ? TRANSPORT_DOQ : TRANSPORT_DOT;
    case 443:
        return udp ? TRANSPORT_DOH3 : TRANSPORT_DOH2;
    default:
        return TRANSPORT_UNKNOWN;
    }
}

static void take_line(void *context, const struct cut_line *line)
{
    struct cuts_reader *r = context;
    struct frame frame = {.bytes = line->packet,
                          .captured = line->captured,
                          .length = line->captured,
                          .time = clock_now(),
                          .linktype = LINKTYPE_RAW_IP};
    struct observation o = {.kind = OBSERVE_MET};
    struct packet p;

    if (decode_frame(r->decoder, &frame, &p, &r->scrap) != SD_OK ||
        (p.proto != IP_PROTO_UDP && p.proto != IP_PROTO_TCP)) {
        r->unread++;
        return;
    }
    o.time = frame.time;
    o.transport = watched_as(&p);
    o.proto = p.proto;
    o.iface = interface_of(r->board, line->iface);
    o.client = p.src;
    o.server = p.dst;
    o.client_port = p.sport;
    o.server_port = p.dport;
    o.station = line->station;
    o.met.acted = line->acted;
    text_copy(o.met.rule, sizeof o.met.rule, line->rule);
    r->sink.put(r->sink.context, &o);
}

bool cuts_reader_read(struct cuts_reader *r, struct observation_sink sink, struct stats *stats)
{
    int status = SD_EAGAIN;

    r->sink = sink;
    if (r->descriptor >= 0)
        status = cutlog_read(r->descriptor, &r->log, take_line, r);
    if (status == SD_EIO)
        cuts_reader_take(r, -1);
    stats->cuts = r->log.lines;
    stats->cuts_malformed = r->log.malformed + r->unread;
    stats->cuts_lost = r->log.lost;
    stats->cuts_overruns = r->log.overruns;
    return status == SD_OK;
}
