/* The socket filter that keeps decided flows in the kernel. A packet of a flow in the map is
 * counted there and goes no further; every other goes to the classic filter (a tail call), which
 * takes what it took before. So this one can only leave out, and only what it reads to the end:
 * tags, IPv4 with options, IPv6 without extension headers, then TCP or UDP, whole and as decode/
 * would read them. Fragments, tunnels, PPPoE, MPLS and what is malformed go to the classic filter.
 */
#include <linux/bpf.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "capture/shunt_map.h"

#define EVERYTHING 262144

enum { STATIONS = 12, TYPE = 2, TAG = 4, TAGS_MOST = 3, LENGTH_MOST = 1500 };
enum { IPV4_LEAST = 20, IPV6_HEADER = 40, TCP_LEAST = 20, UDP_HEADER = 8, PORT = 443 };
enum { IS_TCP = 6, IS_UDP = 17, ENDS = 0x07 /* FIN, SYN, RST */ };

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, 1); /* set before it is loaded */
    __type(key, struct shunt_map_key);
    __type(value, struct shunt_map_value);
} flows SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct shunt_map_total);
} total SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} classic SEC(".maps");

/* What is read of a packet, in the order of its sender and its receiver. */
struct sight {
    union {
        __u8 b[16];
        __u64 w[2];
    } src, dst;
    __u32 at;     /* where the next header begins */
    __u32 length; /* of what follows there, as the IP header says */
    __u32 frame;  /* octets that are there */
    __u16 vlan, sport, dport, proto;
};

struct ipv4 {
    __u8 version_length, tos;
    __be16 total, id, fragment;
    __u8 ttl, proto;
    __be16 sum;
    __u8 src[4], dst[4];
};

struct ipv6 {
    __u8 version, flow[3];
    __be16 length;
    __u8 next, hops;
    __u8 src[16], dst[16];
};

struct tcp {
    __be16 sport, dport;
    __be32 seq, ack;
    __u8 offset, flags;
    __be16 window, sum, urgent;
};

struct udp {
    __be16 sport, dport, length, sum;
};

static __always_inline int is_tag(__u16 type)
{
    return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* The ethertype behind the tags, 0: not to be read. The innermost tag's VLAN counts; one that the
 * card took off was the outermost. */
static __always_inline __u16 read_link(struct __sk_buff *skb, struct sight *s)
{
    struct {
        __be16 control, type;
    } tag;
    __be16 type;

    s->vlan = skb->vlan_present ? skb->vlan_tci & 0xfff : 0;
    if (bpf_skb_load_bytes(skb, STATIONS, &type, sizeof type) != 0)
        return 0;
    s->at = STATIONS + TYPE;
#pragma unroll
    for (int i = 0; i < TAGS_MOST; i++) {
        if (!is_tag(bpf_ntohs(type)))
            break;
        if (bpf_skb_load_bytes(skb, s->at, &tag, sizeof tag) != 0)
            return 0;
        s->vlan = bpf_ntohs(tag.control) & 0xfff;
        type = tag.type;
        s->at += TAG;
    }
    return bpf_ntohs(type);
}

static __always_inline void map_ipv4(__u8 to[16], const __u8 four[4])
{
    to[10] = to[11] = 0xff;
    __builtin_memcpy(to + 12, four, 4);
}

static __always_inline int read_ipv4(struct __sk_buff *skb, struct sight *s)
{
    struct ipv4 h;
    __u32 header, total;

    if (bpf_skb_load_bytes(skb, s->at, &h, sizeof h) != 0)
        return 0;
    header = (h.version_length & 15) * 4;
    total = bpf_ntohs(h.total);
    if (total == 0) /* segmentation was left to the network card */
        total = s->frame - s->at;
    if (h.version_length >> 4 != 4 || header < IPV4_LEAST || total < header ||
        h.fragment & bpf_htons(0x3fff))
        return 0;
    s->at += header;
    s->length = total - header;
    s->proto = h.proto;
    map_ipv4(s->src.b, h.src);
    map_ipv4(s->dst.b, h.dst);
    return 1;
}

static __always_inline int read_ipv6(struct __sk_buff *skb, struct sight *s)
{
    struct ipv6 h;

    if (bpf_skb_load_bytes(skb, s->at, &h, sizeof h) != 0 || h.version >> 4 != 6)
        return 0;
    s->at += IPV6_HEADER;
    s->length = h.length ? bpf_ntohs(h.length) : s->frame - s->at;
    s->proto = h.next;
    __builtin_memcpy(s->src.b, h.src, 16);
    __builtin_memcpy(s->dst.b, h.dst, 16);
    return 1;
}

static __always_inline int read_tcp(struct __sk_buff *skb, struct sight *s)
{
    struct tcp h;
    __u32 header;

    if (bpf_skb_load_bytes(skb, s->at, &h, sizeof h) != 0)
        return 0;
    header = (h.offset >> 4) * 4;
    if (header < TCP_LEAST || header > s->length || s->at + header > s->frame || h.flags & ENDS)
        return 0;
    s->sport = bpf_ntohs(h.sport);
    s->dport = bpf_ntohs(h.dport);
    return 1;
}

/* An empty datagram is nobody's. */
static __always_inline int read_udp(struct __sk_buff *skb, struct sight *s)
{
    struct udp h;
    __u16 length;

    if (bpf_skb_load_bytes(skb, s->at, &h, sizeof h) != 0)
        return 0;
    length = bpf_ntohs(h.length);
    if (length <= UDP_HEADER || length > s->length || s->at + UDP_HEADER >= s->frame)
        return 0;
    s->sport = bpf_ntohs(h.sport);
    s->dport = bpf_ntohs(h.dport);
    return 1;
}

static __always_inline int read_packet(struct __sk_buff *skb, struct sight *s)
{
    __u16 type;

    s->frame = skb->len;
    type = read_link(skb, s);
    if (type == 0x0800 ? !read_ipv4(skb, s) : type != 0x86dd || !read_ipv6(skb, s))
        return 0;
    if (s->proto == IS_TCP)
        return read_tcp(skb, s);
    return s->proto == IS_UDP && read_udp(skb, s);
}

/* As memcmp() of the addresses, then the ports, orders them (observe/flow.c). */
static __always_inline int sent_by_low(const struct sight *s)
{
    if (s->src.w[0] != s->dst.w[0])
        return bpf_be64_to_cpu(s->src.w[0]) < bpf_be64_to_cpu(s->dst.w[0]);
    if (s->src.w[1] != s->dst.w[1])
        return bpf_be64_to_cpu(s->src.w[1]) < bpf_be64_to_cpu(s->dst.w[1]);
    return s->sport <= s->dport;
}

static __always_inline void make_key(const struct sight *s, int low, struct shunt_map_key *key)
{
    __builtin_memcpy(key->low, low ? s->src.b : s->dst.b, 16);
    __builtin_memcpy(key->high, low ? s->dst.b : s->src.b, 16);
    key->low_port = low ? s->sport : s->dport;
    key->high_port = low ? s->dport : s->sport;
    key->vlan = s->vlan;
    key->proto = (__u8)s->proto;
}

/* libpcap puts a tag that the card took off back into the frame, and counts it. */
static __always_inline void count(struct __sk_buff *skb, struct shunt_map_value *v, int low)
{
    __u64 length = skb->len + (skb->vlan_present ? TAG : 0);
    __u32 zero = 0;
    struct shunt_map_total *all = bpf_map_lookup_elem(&total, &zero);

    __sync_fetch_and_add(&v->packets, 1);
    /* One addition at an address that varies would be refused without CAP_PERFMON. */
    __sync_fetch_and_add(&v->bytes[0], low ? length : 0);
    __sync_fetch_and_add(&v->bytes[1], low ? 0 : length);
    v->last = bpf_ktime_get_coarse_ns();
    if (all) {
        all->packets++;
        all->bytes += length;
    }
}

SEC("socket")
int sealdns_shunt(struct __sk_buff *skb)
{
    struct sight s = {};
    struct shunt_map_key key = {};
    struct shunt_map_value *v;
    int low;

    if (!read_packet(skb, &s) || (s.sport != PORT && s.dport != PORT))
        goto pass;
    low = sent_by_low(&s);
    make_key(&s, low, &key);
    v = bpf_map_lookup_elem(&flows, &key);
    if (v) {
        count(skb, v, low);
        return 0;
    }
pass:
    bpf_tail_call(skb, &classic, 0);
    return EVERYTHING;
}
