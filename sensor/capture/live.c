/* An interface, by libpcap and the kernel's memory-mapped ring (TPACKET_V3). */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pcap.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/error.h"
#include "capture/capture.h"
#include "capture/filter.h"
#include "capture/shunt.h"

enum {
    WAIT_MS = 100,
    TIMEOUT_MS = 2, /* what the ring holds back at most: see activate() */
    RING_BYTES = 64 << 20,
    SNAPLEN = 262144, /* the ring packs frames: this costs nothing, and no offloaded one is cut */
    LINKTYPE_RAW_IP = 101 /* libpcap calls it DLT_RAW, 12 here */
};

struct live {
    struct capture base;
    pcap_t *pcap;
    int linktype;
    uint16_t index;
    int64_t fraction;    /* nanoseconds of one unit of the timestamps' second part */
    capture_frame_fn fn; /* during read() */
    void *context;
    struct capture_counters counters; /* the kernel's start from 0 at every look */
    struct shunt *shunt;
    char unshunted[CAPTURE_ERROR]; /* why there is none */
};

static void on_frame(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct live *l = (struct live *)user;
    struct frame frame = {
        .bytes = bytes,
        .captured = header->caplen,
        .length = header->len > header->caplen ? header->len : header->caplen,
        .time = header->ts.tv_sec * NSEC_S + header->ts.tv_usec * l->fraction,
        .linktype = l->linktype,
        .iface = l->index,
    };

    l->fn(l->context, &frame);
}

/* A packet socket whose device was removed is bound to index -1, a moment after its name went. */
static bool is_gone(const struct live *l)
{
    struct sockaddr_ll address = {0};
    socklen_t length = sizeof address;
    struct ifreq name = {0};

    if (getsockname(pcap_fileno(l->pcap), (struct sockaddr *)&address, &length) != 0)
        return false;
    if (address.sll_ifindex == 0) /* bound to all of them */
        return false;
    name.ifr_ifindex = address.sll_ifindex;
    return address.sll_ifindex == -1 ||
           (ioctl(pcap_fileno(l->pcap), SIOCGIFNAME, &name) != 0 && errno == ENODEV);
}

static int live_read(struct capture *c, capture_frame_fn fn, void *context)
{
    struct live *l = (struct live *)c;
    struct pollfd ready = {.fd = pcap_fileno(l->pcap), .events = POLLIN};
    int got;

    l->fn = fn;
    l->context = context;
    got = pcap_dispatch(l->pcap, CAPTURE_READ_MOST, on_frame, (u_char *)l);
    if (got == 0) {
        poll(&ready, 1, WAIT_MS);
        got = pcap_dispatch(l->pcap, CAPTURE_READ_MOST, on_frame, (u_char *)l);
    }
    if (got > 0)
        return got;
    if (!is_gone(l))
        return got == 0 || got == PCAP_ERROR_IFACE_NOT_UP ? SD_EAGAIN : SD_EIO;
    poll(NULL, 0, WAIT_MS); /* there is nothing to wait for on a device that is gone */
    return SD_ENET;
}

/* Not pcap_stats(), which reads files that a confined process cannot open. */
static int live_counters(struct capture *c, struct capture_counters *out)
{
    struct live *l = (struct live *)c;
    struct tpacket_stats_v3 seen = {0};
    socklen_t length = sizeof seen;

    if (getsockopt(pcap_fileno(l->pcap), SOL_PACKET, PACKET_STATISTICS, &seen, &length) != 0)
        return SD_EIO;
    l->counters.received += seen.tp_packets;
    l->counters.kernel_drops += seen.tp_drops;
    *out = l->counters;
    return 0;
}

static const char *live_error(struct capture *c)
{
    return pcap_geterr(((struct live *)c)->pcap);
}

static const char *live_notice(struct capture *c)
{
    (void)c;
    return NULL;
}

static void live_destroy(struct capture *c)
{
    struct live *l = (struct live *)c;

    if (!l)
        return;
    shunt_close(l->shunt);
    if (l->pcap)
        pcap_close(l->pcap);
    free(l);
}

static const struct {
    int status;
    int error;
    const char *text;
} refusals[] = {
    {PCAP_ERROR_NO_SUCH_DEVICE, SD_ENOENT, "no such interface; see: ip link"},
    {PCAP_ERROR_PERM_DENIED, SD_EPERM, "not permitted to capture; it takes root or CAP_NET_RAW"},
    {PCAP_ERROR_PROMISC_PERM_DENIED, SD_EPERM,
     "not permitted to make it promiscuous; it takes root or CAP_NET_RAW"},
    {PCAP_ERROR_IFACE_NOT_UP, SD_ENET, "the interface is down; see: ip link set up"},
};

static int refuse(struct live *l, const char *interface, int status, char error[CAPTURE_ERROR])
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        if (refusals[i].status != status)
            continue;
        snprintf(error, CAPTURE_ERROR, "%s: %s", interface, refusals[i].text);
        return refusals[i].error;
    }
    snprintf(error, CAPTURE_ERROR, "%s: %s", interface,
             l->pcap && pcap_geterr(l->pcap)[0] ? pcap_geterr(l->pcap) : pcap_statustostr(status));
    return SD_ENET;
}

/* Everything that must be told before activation. Without immediate mode libpcap takes TPACKET_V3,
 * which gives a block when it is full or the timeout has passed (by jiffies before Linux 6.18: 4 ms
 * where HZ is 250). A block is 256 KiB, be there one packet in it: shorter means that the ring of
 * 256 blocks is full after a shorter stall of ours, longer that pairs come later into the kernel.
 */
static int activate(struct live *l, const struct capture_live_options *options)
{
    size_t ring = options->ring_bytes ? options->ring_bytes : RING_BYTES;

    pcap_set_snaplen(l->pcap, SNAPLEN);
    pcap_set_promisc(l->pcap, 1);
    pcap_set_timeout(l->pcap, options->timeout_ms ? options->timeout_ms : TIMEOUT_MS);
    pcap_set_buffer_size(l->pcap, ring > INT32_MAX ? INT32_MAX : (int)ring);
    pcap_set_tstamp_precision(l->pcap, PCAP_TSTAMP_PRECISION_NANO);
    return pcap_activate(l->pcap);
}

static bool is_loopback(const struct live *l, const char *interface)
{
    struct ifreq request = {0};

    memcpy(request.ifr_name, interface, strnlen(interface, IFNAMSIZ - 1));
    return ioctl(pcap_fileno(l->pcap), SIOCGIFFLAGS, &request) == 0 &&
           request.ifr_flags & IFF_LOOPBACK;
}

/* Watching goes on without it. A loopback shows each packet to the filter twice, and libpcap leaves
 * one out; libpcap takes off what is before IP where that is no Ethernet header. */
static void put_shunt(struct live *l, const struct capture_live_options *options,
                      const struct bpf_program *classic)
{
    if (!options->shunt)
        snprintf(l->unshunted, sizeof l->unshunted, "off by the policy of the start");
    else if (pcap_datalink(l->pcap) != DLT_EN10MB || is_loopback(l, options->interface))
        snprintf(l->unshunted, sizeof l->unshunted, "an interface of this kind has none");
    else
        shunt_open(pcap_fileno(l->pcap), (const void *)classic->bf_insns, classic->bf_len, 0,
                   &l->shunt, l->unshunted);
}

static int set_filter(struct live *l, const struct capture_live_options *options)
{
    struct bpf_program program;
    int result = filter_build(l->pcap, options, &program);

    if (result != 0)
        return result;
    result = pcap_setfilter(l->pcap, &program) == 0 ? 0 : SD_ENET;
    if (result == 0)
        put_shunt(l, options, &program);
    free(program.bf_insns);
    return result;
}

static int open_handle(struct live *l, const struct capture_live_options *options,
                       char error[CAPTURE_ERROR])
{
    char text[PCAP_ERRBUF_SIZE] = "";
    int status;

    l->pcap = pcap_create(options->interface, text);
    if (!l->pcap) {
        snprintf(error, CAPTURE_ERROR, "%s: %.200s", options->interface, text);
        return SD_ENET;
    }
    status = activate(l, options);
    if (status < 0)
        return refuse(l, options->interface, status, error);
    status = set_filter(l, options);
    if (status != 0) {
        refuse(l, options->interface, PCAP_ERROR, error);
        return status;
    }
    if (pcap_setnonblock(l->pcap, 1, text) != 0)
        return refuse(l, options->interface, PCAP_ERROR, error);
    return 0;
}

int capture_live_open(const struct capture_live_options *options, struct capture **out,
                      char error[CAPTURE_ERROR])
{
    static const struct capture_ops ops = {
        .read = live_read,
        .counters = live_counters,
        .error = live_error,
        .notice = live_notice,
        .destroy = live_destroy,
    };
    struct live *l = calloc(1, sizeof *l);
    int result;

    error[0] = '\0';
    if (!l) {
        snprintf(error, CAPTURE_ERROR, "out of memory");
        return SD_EMEM;
    }
    l->base.ops = &ops;
    l->index = options->index;
    result = open_handle(l, options, error);
    if (result != 0) {
        live_destroy(&l->base);
        return result;
    }
    l->linktype = pcap_datalink(l->pcap) == DLT_RAW ? LINKTYPE_RAW_IP : pcap_datalink(l->pcap);
    l->fraction =
        pcap_get_tstamp_precision(l->pcap) == PCAP_TSTAMP_PRECISION_NANO ? 1 : (int)NSEC_US;
    *out = &l->base;
    return 0;
}

int capture_live_descriptor(const struct capture *c)
{
    return pcap_fileno(((const struct live *)c)->pcap);
}

struct shunt *capture_live_shunt(const struct capture *c)
{
    return ((const struct live *)c)->shunt;
}

const char *capture_live_unshunted(const struct capture *c)
{
    return ((const struct live *)c)->unshunted;
}

static bool is_bound(int descriptor, int index)
{
    struct sockaddr_ll address = {0};
    socklen_t length = sizeof address;

    return getsockname(descriptor, (struct sockaddr *)&address, &length) == 0 &&
           address.sll_ifindex == index;
}

int capture_live_bound(int descriptor, char name[16])
{
    struct sockaddr_ll address = {0};
    socklen_t length = sizeof address;
    struct ifreq now = {0};

    if (getsockname(descriptor, (struct sockaddr *)&address, &length) != 0)
        return SD_ENOENT;
    now.ifr_ifindex = address.sll_ifindex;
    if (address.sll_ifindex <= 0 || ioctl(descriptor, SIOCGIFNAME, &now) != 0)
        return SD_ENOENT;
    memcpy(name, now.ifr_name, 16);
    return SD_OK;
}

int capture_live_rebind(int descriptor, const char *interface)
{
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = (int)if_nametoindex(interface),
    };
    struct packet_mreq membership = {
        .mr_ifindex = address.sll_ifindex,
        .mr_type = PACKET_MR_PROMISC, /* went away with the device */
    };

    if (address.sll_ifindex == 0)
        return SD_ENOENT;
    if (is_bound(descriptor, address.sll_ifindex))
        return 0;
    if (bind(descriptor, (struct sockaddr *)&address, sizeof address) != 0)
        return errno == ENODEV ? SD_ENOENT : SD_ENET;
    if (setsockopt(descriptor, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership))
        return errno == ENODEV ? SD_ENOENT : SD_ENET;
    return 0;
}
