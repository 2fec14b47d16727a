/* A classic filter as the same program in eBPF: so may it stand behind another one, which a socket
 * does not do for two filters. Internal to capture/. */
#ifndef SEALDNS_CAPTURE_TRANSLATE_H
#define SEALDNS_CAPTURE_TRANSLATE_H

#include <linux/bpf.h>
#include <linux/filter.h>
#include <stddef.h>

/* *out is the caller's to free(). SD_EUNSUP: an instruction that libpcap does not make (division by
 * X, an ancillary value beside VLAN tag, protocol and packet type), or a jump that eBPF's sixteen
 * bits do not reach. SD_EMEM. */
int translate_classic(const struct sock_filter *classic, size_t count, struct bpf_insn **out,
                      size_t *out_count);

#endif
