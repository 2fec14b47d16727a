/* A flow through the classifier, cut into segments as the input says: two octets (direction, hole,
 * length) before each; over TCP, over UDP, or as the frames of QUIC Initials. Nothing is expected
 * but that every text it gives ends where it should. */
#include <stdlib.h>
#include <string.h>

#include "classify/classify.h"
#include "seal.inc"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { SIDE = 0x80, HOLE = 0x40, UDP = 1, SEALED = 2, SEAL_MAX = 1200, PORT = 853 };

static void check_text(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);

    if (!end)
        abort();
    for (; text < end; text++)
        if (*text < ' ' || *text > '~')
            abort();
}

static void check(const struct tls_facts *f)
{
    check_text(f->sni, sizeof(f->sni));
    check_text(f->alpn, sizeof(f->alpn));
    check_text(f->alpn_selected, sizeof(f->alpn_selected));
    check_text(f->ja3, sizeof(f->ja3));
    check_text(f->ja3s, sizeof(f->ja3s));
    check_text(f->ja4, sizeof(f->ja4));
    check_text(f->issuer, sizeof(f->issuer));
    check_text(f->subject, sizeof(f->subject));
}

/* The bytes of one segment in memory of exactly their length; NULL: no memory. */
static uint8_t *segment(uint8_t mode, int from_client, const uint8_t *bytes, size_t *n)
{
    static const struct quic_keys none;
    struct quic_keys keys[2] = {none, none};
    uint8_t sealed[SEAL_MAX + 100];
    uint8_t *exact;

    if (mode & SEALED) {
        quic_keys_derive(1, dcid, sizeof(dcid), &keys[1], &keys[0]);
        *n = seal(1, &keys[from_client], 0, bytes, *n < SEAL_MAX ? *n : SEAL_MAX, sealed);
        bytes = sealed;
    }
    exact = malloc(*n + (*n == 0));
    if (exact)
        memcpy(exact, bytes, *n);
    return exact;
}

static void feed(struct classifier *c, uint8_t mode, const uint8_t *bytes, size_t length)
{
    struct packet p = {.proto = mode ? IP_PROTO_UDP : IP_PROTO_TCP, .sport = 40000, .dport = PORT};
    enum classify_answer answer = CLASSIFY_MORE;
    void *flow = classifier_ops.flow_open(c);
    uint32_t seq[2] = {1000, 2000};
    struct tls_facts facts;

    while (flow && length >= 2 && answer == CLASSIFY_MORE) {
        size_t n = (size_t)(bytes[0] & 0x0f) << 8 | bytes[1];
        int from_client = (bytes[0] & SIDE) != 0;

        seq[from_client] += (bytes[0] & HOLE) != 0;
        bytes += 2;
        length -= 2;
        if (n > length)
            n = length;
        size_t sent = n;
        uint8_t *exact = segment(mode, from_client, bytes, &sent);

        if (!exact)
            break;
        p.payload = exact;
        p.payload_length = (uint32_t)sent;
        p.seq = seq[from_client];
        answer = classifier_ops.flow_feed(c, flow, &p, from_client);
        classifier_ops.flow_facts(c, flow, &facts);
        check(&facts);
        free(exact);
        seq[from_client] += (uint32_t)n;
        bytes += n;
        length -= n;
    }
    classifier_ops.flow_close(c, flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct classifier *classifier; /* nDPI takes 10 ms to start */

    if (!classifier)
        classifier = classifier_create();
    if (!classifier || length < 1)
        return 0;
    feed(classifier, bytes[0] & (UDP | SEALED), bytes + 1, length - 1);
    return 0;
}
