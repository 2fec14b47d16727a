/* The kernel's filter: only what a sensor watches is copied to it. Internal to capture/. */
#ifndef SEALDNS_CAPTURE_FILTER_H
#define SEALDNS_CAPTURE_FILTER_H

#include <pcap.h>

#include "capture/capture.h"

/* The program for an activated handle; free out->bf_insns with free(). SD_EINVAL: pcap_geterr()
 * says why. SD_EMEM, SD_ELIMIT. */
int filter_build(pcap_t *pcap, const struct capture_live_options *options, struct bpf_program *out);

#endif
