#include "decode/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "decode/fragment.h"
#include "decode/layers.h"
#include "decode/plain.h"

struct decoder {
    struct reassembly *reassembly;
    bool tunnels;
};

struct decoder *decoder_create(bool tunnels, uint64_t seed, size_t fragment_bytes)
{
    struct decoder *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->tunnels = tunnels;
    d->reassembly = reassembly_create(seed, fragment_bytes);
    if (!d->reassembly) {
        free(d);
        return NULL;
    }
    return d;
}

void decoder_destroy(struct decoder *d)
{
    if (!d)
        return;
    reassembly_destroy(d->reassembly);
    free(d);
}

void decoder_finish(struct decoder *d, struct stats *stats)
{
    reassembly_flush(d->reassembly, stats);
}

int walk_malformed(struct walk *w, enum layer_kind kind)
{
    uint64_t *reason[] = {
        [IN_LINK] = &w->stats->malformed_link,
        [IN_IP] = &w->stats->malformed_ip,
        [IN_TRANSPORT] = &w->stats->malformed_transport,
        [IN_TUNNEL] = &w->stats->malformed_tunnel,
    };

    w->stats->malformed++;
    ++*reason[kind];
    return SD_EMALF;
}

int walk_short(struct walk *w, enum layer_kind kind)
{
    if (w->missing == 0)
        return walk_malformed(w, kind);
    w->stats->truncated++;
    return SD_ETRUNC;
}

int walk_unsupported(struct walk *w)
{
    w->stats->unsupported++;
    return SD_EUNSUP;
}

void walk_limit(struct walk *w, size_t length)
{
    if (length <= w->c.left) {
        cursor_limit(&w->c, length);
        w->missing = 0;
    } else {
        w->missing = (uint32_t)(length - w->c.left);
    }
}

int walk_into(struct walk *w, layer_fn next)
{
    if (!w->tunnels)
        return walk_unsupported(w);
    w->out->vlan = 0;
    return walk_to(w, next);
}

int walk_frame(struct decoder *d, const struct frame *frame, struct packet *out,
               struct stats *stats)
{
    struct walk w = {
        .c = cursor_over(frame->bytes, frame->captured),
        .missing = frame->length > frame->captured ? frame->length - frame->captured : 0,
        .frame = frame,
        .out = out,
        .stats = stats,
        .reassembly = d->reassembly,
        .tunnels = d->tunnels,
    };
    int result;

    memset(out, 0, sizeof *out);
    out->time = frame->time;
    out->iface = frame->iface;
    out->wire_length = frame->length;
    result = layer_by_linktype(&w, frame->linktype);
    for (int layers = 0; result == 0 && w.next; layers++) {
        layer_fn layer = w.next;

        if (layers == LAYERS_MAX)
            return walk_malformed(&w, IN_TUNNEL);
        w.next = NULL;
        result = layer(&w);
    }
    if (result == 0 && out->cut)
        stats->truncated++;
    return result;
}

int decode_frame(struct decoder *d, const struct frame *frame, struct packet *out,
                 struct stats *stats)
{
    if (plain_frame(frame, d->tunnels, out))
        return SD_OK;
    return walk_frame(d, frame, out, stats);
}
