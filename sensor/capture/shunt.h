/* The kernel's side of shunted flows (model/shunt.h): a socket filter in eBPF ahead of the classic
 * one, and the map of flows that it counts. Loading takes CAP_BPF; the rest is done by whoever
 * holds the descriptors, without any capability. Worst case: SHUNT_FLOWS * 128 bytes of the
 * kernel's memory, used as flows come, and 16 bytes for each of SHUNT_FLOWS at once. A flow that
 * does not fit is refused, never pushed out by another: its counts would be lost. Where observe/
 * keeps fewer flows than SHUNT_FLOWS, all of them fit. */
#ifndef SEALDNS_CAPTURE_SHUNT_H
#define SEALDNS_CAPTURE_SHUNT_H

#include <stddef.h>
#include <stdint.h>

#include "capture/capture.h"
#include "model/shunt.h"

enum { SHUNT_FLOWS = 262144 };

struct shunt;
struct sock_filter;

struct shunt_total {
    uint64_t packets, bytes; /* of all flows, since it was opened */
};

/* Loads both programs and puts them in the place of the socket's classic filter, which stays where
 * this fails. Frames of the socket begin with an Ethernet header. flows 0: SHUNT_FLOWS. error gets
 * one line. SD_EUNSUP: this program was built without eBPF, the kernel has none, or does not take
 * ours; SD_EPERM: no CAP_BPF; SD_EMEM. */
int shunt_open(int socket, const struct sock_filter *classic, size_t count, size_t flows,
               struct shunt **out, char error[CAPTURE_ERROR]);
/* Frees what this process holds; the socket keeps its filter, which then takes all. */
void shunt_close(struct shunt *s);

/* SD_ELIMIT: the map is full, or the kernel short of memory. SD_EPERM: this kernel (before 5.19)
 * lets nobody without CAP_BPF. */
int shunt_put(struct shunt *s, const struct shunt_flow *flow);
/* Its counts; last is of CLOCK_MONOTONIC here. SD_ENOENT. */
int shunt_read(struct shunt *s, const struct shunt_flow *flow, struct shunt_counts *counts);
/* Takes it out, with its counts. A packet that another processor is counting at this very moment
 * may be missing from them: for flows that have ended, or are to go. SD_ENOENT. */
int shunt_take(struct shunt *s, const struct shunt_flow *flow, struct shunt_counts *counts);
/* Whether this process may do both: what could be put and not taken out again would be hidden for
 * good. As shunt_put(), or SD_ENOENT. */
int shunt_try(struct shunt *s);
/* SD_EIO. */
int shunt_total(struct shunt *s, struct shunt_total *out);

#endif
