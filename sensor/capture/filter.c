#include "capture/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "capture/share.h"

enum { TEXT = 4096, INSTRUCTIONS_MAX = 4096 /* BPF_MAXINSNS */ };

/* The answers by which a VPN begins (observe/vpn.c), never its traffic: WireGuard on any port, IKE
 * behind a NAT, OpenVPN. IPv4 first; the same offsets behind an IPv6 header. */
#define VPN_ANSWERS                                                                                \
    " or (udp[4:2] = 100 and udp[8:4] = 0x02000000)"                                               \
    " or (udp src port 4500 and udp[8:4] = 0)"                                                     \
    " or (udp src port 1194 and udp[8] = 0x40)"                                                    \
    " or (ip6[6] = 17 and ip6[44:2] = 100 and ip6[48:4] = 0x02000000)"                             \
    " or (ip6[6] = 17 and ip6[40:2] = 4500 and ip6[48:4] = 0)"                                     \
    " or (ip6[6] = 17 and ip6[40:2] = 1194 and ip6[48] = 0x40)"

/* What is watched in an IP packet. Behind IPv6 extension headers a filter cannot look: they pass.
 */
static const char watched[] =
    "port 53 or port 853 or port 443 or udp port 5353 or udp port 5355"
    " or udp port 67 or udp port 68 or udp port 546 or udp port 547"
    " or udp src port 500" VPN_ANSWERS " or icmp[0] = 3 or icmp[0] = 11 or icmp[0] = 12"
    " or (ip6[6] = 58 and (ip6[40] < 5 or ip6[40] = 134))"
    " or ip6[6] = 0 or ip6[6] = 43 or ip6[6] = 44 or ip6[6] = 60"
    " or ip[6:2] & 0x3fff != 0";

static const char tunnels[] =
    " or ip proto 4 or ip proto 41 or ip proto 47 or ip6[6] = 4 or ip6[6] = 41 or ip6[6] = 47"
    " or udp port 1701 or udp port 2152 or udp port 3544 or udp port 4754 or udp port 4789"
    " or udp port 4790 or udp port 6081 or udp port 6635 or udp port 8472";

/* What may stand between the link header and IP. Each of these words moves the offsets of all that
 * follows it in the same expression, alternatives included; so each is compiled by itself. */
static const struct framing {
    const char *text;
    bool in_frame; /* tags are in the frame's bytes, not in the kernel's metadata about it */
} framings[] = {
    {"", false},
    {"vlan and ", false},
    {"vlan and vlan and ", false},
    {"pppoes and ", false},
    {"vlan and pppoes and ", false},
    {"vlan and vlan and pppoes and ", false},
    /* where it looks at both, libpcap 1.10.3 loses a tag's length at PPPoE: frames that go out */
    {"vlan and pppoes and ", true},
    {"vlan and vlan and pppoes and ", true},
};

static int text_of(const struct capture_live_options *options, char text[TEXT])
{
    size_t used = (size_t)snprintf(text, TEXT, "%s%s", watched, options->tunnels ? tunnels : "");

    for (size_t i = 0; i < options->port_count && used < TEXT; i++)
        used += (size_t)snprintf(text + used, TEXT - used, " or port %u", options->ports[i]);
    return used < TEXT ? 0 : SD_ELIMIT;
}

/* Puts a program behind the others: where they said no, this one is asked. The last instruction
 * that libpcap makes may be any return, so every "return 0" becomes a jump to the end. */
static int append(struct bpf_program *all, const struct bpf_program *one)
{
    struct bpf_insn *more;

    if (all->bf_len + one->bf_len > INSTRUCTIONS_MAX)
        return SD_ELIMIT;
    more = realloc(all->bf_insns, (all->bf_len + one->bf_len) * sizeof *more);
    if (!more)
        return SD_EMEM;
    for (u_int i = 0; i < all->bf_len; i++)
        if (more[i].code == (BPF_RET | BPF_K) && more[i].k == 0)
            more[i] = (struct bpf_insn)BPF_STMT(BPF_JMP | BPF_JA, all->bf_len - i - 1);
    memcpy(more + all->bf_len, one->bf_insns, one->bf_len * sizeof *more);
    all->bf_insns = more;
    all->bf_len += one->bf_len;
    return 0;
}

static int append_text(pcap_t *pcap, const char *text, struct bpf_program *all)
{
    struct bpf_program one;
    int result;

    if (pcap_compile(pcap, &one, text, 1, PCAP_NETMASK_UNKNOWN) != 0)
        return SD_EINVAL;
    result = append(all, &one);
    pcap_freecode(&one);
    return result;
}

/* A link that has no VLANs or PPPoE refuses their words: it is watched without them. */
static int append_framing(pcap_t *pcap, pcap_t *dead, const struct framing *framing,
                          const char *inner, struct bpf_program *all)
{
    char text[TEXT + 64];
    int result;

    snprintf(text, sizeof text, "%s(%s)", framing->text, inner);
    result = append_text(framing->in_frame ? dead : pcap, text, all);
    return result == SD_EINVAL && framing->text[0] ? 0 : result;
}

static int append_labels(pcap_t *pcap, struct bpf_program *all)
{
    static const char text[] = "ether proto 0x8847 or ether proto 0x8848 or ether proto 0x894f";
    int result = append_text(pcap, text, all);

    return result == SD_EINVAL ? 0 : result;
}

/* What is another reader's is refused before anything is asked of it. Jumps are relative. */
static int put_share_first(int linktype, const struct capture_share *share, struct bpf_program *all)
{
    struct bpf_program first;
    int result = share->of > 1 ? share_build(linktype, share, &first) : SD_OK;
    struct bpf_insn *more;

    if (share->of <= 1 || result != SD_OK)
        return result;
    more = realloc(first.bf_insns, (first.bf_len + all->bf_len) * sizeof *more);
    if (!more || first.bf_len + all->bf_len > INSTRUCTIONS_MAX) {
        free(more ? more : first.bf_insns);
        return more ? SD_ELIMIT : SD_EMEM;
    }
    memcpy(more + first.bf_len, all->bf_insns, all->bf_len * sizeof *more);
    free(all->bf_insns);
    *all = (struct bpf_program){.bf_len = first.bf_len + all->bf_len, .bf_insns = more};
    return SD_OK;
}

int filter_build(pcap_t *pcap, const struct capture_live_options *options, struct bpf_program *out)
{
    pcap_t *dead = pcap_open_dead(pcap_datalink(pcap), pcap_snapshot(pcap));
    char inner[TEXT];
    int result = dead ? text_of(options, inner) : SD_EMEM;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < sizeof framings / sizeof *framings && result == 0; i++)
        result = append_framing(pcap, dead, &framings[i], inner, out);
    if (result == 0 && options->tunnels)
        result = append_labels(pcap, out);
    if (result == 0)
        result = put_share_first(pcap_datalink(pcap), &options->share, out);
    if (dead)
        pcap_close(dead);
    if (result != 0) {
        free(out->bf_insns);
        out->bf_insns = NULL;
    }
    return result;
}
