/* The counters of a sensor: one list, so that status, metrics, the analyze document and the store
 * show the same. Each capture side and the engine has one; they are added up for display. */
#ifndef SEALDNS_MODEL_STATS_H
#define SEALDNS_MODEL_STATS_H

#include <stddef.h>
#include <stdint.h>

/* word, text for metrics and status */
#define STATS(X)                                                                                   \
    X(packets, "frames captured")                                                                  \
    X(bytes, "bytes on the wire of these frames")                                                  \
    X(kernel_drops, "frames the kernel dropped before we read them")                               \
    X(shed_443, "frames of payload on port 443 left out: there was no time for them")              \
    X(shed_853, "... on port 853")                                                                 \
    X(malformed, "frames that do not parse, all reasons below")                                    \
    X(unsupported, "frames of a kind this program does not read")                                  \
    X(malformed_link, "... in the link layer or a tag")                                            \
    X(malformed_ip, "... in an IP header")                                                         \
    X(malformed_transport, "... in TCP, UDP or ICMP")                                              \
    X(malformed_tunnel, "... in a tunnel header")                                                  \
    X(truncated, "frames cut by the capture's snap length where it mattered")                      \
    X(fragments, "IP fragments")                                                                   \
    X(fragments_joined, "datagrams put together from fragments")                                   \
    X(fragments_dropped, "fragments given up: overlap, bounds or time")                            \
    X(dns_queries, "DNS queries on port 53")                                                       \
    X(dns_responses, "DNS responses on port 53")                                                   \
    X(dns_malformed, "DNS messages on port 53 that do not parse")                                  \
    X(dns_unanswered, "queries without an answer in their time")                                   \
    X(dns_unmatched, "responses without a query")                                                  \
    X(dns_retried, "queries asked again")                                                          \
    X(local_names, "mDNS and LLMNR messages")                                                      \
    X(leases, "DHCP messages and router advertisements that say who is who")                       \
    X(leases_malformed, "... that do not parse")                                                   \
    X(vpns, "answers to the first message of a VPN (WireGuard, IKE, OpenVPN)")                     \
    X(tcp_gaps, "lost segments a stream was resynchronised over")                                  \
    X(tcp_out_of_order, "segments put back in order")                                              \
    X(tcp_retransmitted, "segments seen again")                                                    \
    X(tcp_overflow, "streams that were given up because too much was out of order")                \
    X(flows, "flows tracked")                                                                      \
    X(flows_evicted, "flows evicted before their end")                                             \
    X(flows_undecided, "flows never classified: memory or packets were short")                     \
    X(hellos, "ClientHellos read")                                                                 \
    X(hellos_ech, "... with the extension of ECH, which most browsers send as GREASE")             \
    X(hellos_outer, "... whose name is known to hide another: ECH in use")                         \
    X(behaviours, "times that it was told how a TLS or QUIC flow behaves")                         \
    X(behaviours_unwatched, "flows whose behaviour nobody watched: memory was short")              \
    X(shunted, "flows that the kernel counts in our place, now")                                   \
    X(shunts, "... times that one was handed over")                                                \
    X(shunts_refused, "... flows that it did not take: they stay with us")                         \
    X(shunted_packets, "frames of such flows, which never came to us")                             \
    X(shunted_bytes, "... bytes on the wire of them")                                              \
    X(shunt_fallbacks, "captures that came to be watched without it")                              \
    X(classified, "flows given a verdict by nDPI")                                                 \
    X(observations, "observations made")                                                           \
    X(observations_twice,                                                                          \
      "... of packets that another place on their way had shown, not counted again")               \
    X(observations_dropped, "observations lost in the ring to the engine")                         \
    X(findings, "findings of detectors")                                                           \
    X(events, "revisions of events")                                                               \
    X(events_muted, "... that a mute of the policy covers: stored, in no feed")                    \
    X(records_dropped, "records lost in the ring to the recorder")                                 \
    X(queries_logged, "DNS messages that the query log tells of")                                  \
    X(queries_unlogged, "... that were lost on their way to the recorder")                         \
    X(conversations, "conversations in the table")                                                 \
    X(conversations_folded, "conversations folded for want of room")                               \
    X(state_evicted, "detector state evicted for want of room")                                    \
    X(cuts, "lines of the kernel's log of what our rules cut")                                     \
    X(cuts_malformed, "... that say nothing we can read")                                          \
    X(cuts_lost, "... that the kernel wrote and we never saw")                                     \
    X(cuts_overruns, "times that they came faster than they were read")                            \
    X(rules_drifted, "times that the kernel's rules were found not as the policy says")            \
    X(rules_healed, "... and were put back")                                                       \
    X(pairs_put, "pairs of client and server put into the kernel, or given more time")             \
    X(pairs_refused, "... that the policy does not cut, or that were beyond the bounds")

struct stats {
#define X(word, text) uint64_t word;
    STATS(X)
#undef X
};

#define STATS_COUNT (sizeof(struct stats) / sizeof(uint64_t))

struct stats_word {
    const char *name, *text;
    size_t offset;
};

extern const struct stats_word stats_words[STATS_COUNT];

void stats_add(struct stats *sum, const struct stats *more);

#endif
