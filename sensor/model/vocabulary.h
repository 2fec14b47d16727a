/* The closed vocabularies of the program (their words are an interface). Each
 * list is written once; model/names.h makes enum and text table from it. */
#ifndef SEALDNS_MODEL_VOCABULARY_H
#define SEALDNS_MODEL_VOCABULARY_H

/* Transports of a conversation; the last three are what else crosses a watched port. */
#define TRANSPORTS(X)                                                                              \
    X(TRANSPORT_UNKNOWN, "unknown")                                                                \
    X(TRANSPORT_DO53_UDP, "do53-udp")                                                              \
    X(TRANSPORT_DO53_TCP, "do53-tcp")                                                              \
    X(TRANSPORT_DOT, "dot")                                                                        \
    X(TRANSPORT_DOQ, "doq")                                                                        \
    X(TRANSPORT_DOH2, "doh2")                                                                      \
    X(TRANSPORT_DOH3, "doh3")                                                                      \
    X(TRANSPORT_DNSCRYPT, "dnscrypt")                                                              \
    X(TRANSPORT_TLS, "tls")                                                                        \
    X(TRANSPORT_QUIC, "quic")                                                                      \
    X(TRANSPORT_OTHER, "other")

/* What identified a transport; bit n of `identified_by` is the n-th word. */
#define EVIDENCES(X)                                                                               \
    X(BY_PORT, "port")                                                                             \
    X(BY_ALPN, "alpn")                                                                             \
    X(BY_SNI, "sni")                                                                               \
    X(BY_ADDRESS, "address")                                                                       \
    X(BY_CERTIFICATE, "certificate")                                                               \
    X(BY_BEHAVIOUR, "behaviour")                                                                   \
    X(BY_PROBE, "probe")                                                                           \
    X(BY_PAYLOAD, "payload")

#define KINDS(X)                                                                                   \
    X(KIND_CLEARTEXT, "cleartext")                                                                 \
    X(KIND_DOWNGRADE, "downgrade")                                                                 \
    X(KIND_ENCRYPTED_DNS_BLOCKED, "encrypted-dns-blocked")                                         \
    X(KIND_UNAPPROVED_RESOLVER, "unapproved-resolver")                                             \
    X(KIND_RESOLVER_IDENTITY, "resolver-identity")                                                 \
    X(KIND_VOLUME_ANOMALY, "volume-anomaly")                                                       \
    X(KIND_TUNNEL, "tunnel")                                                                       \
    X(KIND_AMPLIFICATION, "amplification")                                                         \
    X(KIND_POISONING, "poisoning")                                                                 \
    X(KIND_ZONE_TRANSFER, "zone-transfer")                                                         \
    X(KIND_OPEN_RESOLVER, "open-resolver")                                                         \
    X(KIND_PROTOCOL_MISMATCH, "protocol-mismatch")                                                 \
    X(KIND_DESIGNATION, "designation")                                                             \
    X(KIND_PRIVACY_WEAK, "privacy-weak")                                                           \
    X(KIND_ENFORCEMENT, "enforcement")                                                             \
    X(KIND_SENSOR, "sensor")

#define CAUSES(X)                                                                                  \
    X(CAUSE_NONE, "none")                                                                          \
    X(CAUSE_RESET, "reset")                                                                        \
    X(CAUSE_TIMEOUT, "timeout")                                                                    \
    X(CAUSE_ICMP, "icmp")                                                                          \
    X(CAUSE_TLS_ALERT, "tls-alert")                                                                \
    X(CAUSE_CERTIFICATE, "certificate")                                                            \
    X(CAUSE_NOT_TLS, "not-tls")                                                                    \
    X(CAUSE_VERSION, "version")                                                                    \
    X(CAUSE_OWN_RULE, "own-rule")                                                                  \
    X(CAUSE_NO_ANSWER, "no-answer")

#define ORIGINS(X)                                                                                 \
    X(ORIGIN_UNKNOWN, "unknown")                                                                   \
    X(ORIGIN_SERVER, "server")                                                                     \
    X(ORIGIN_PATH, "path")                                                                         \
    X(ORIGIN_GATEWAY, "gateway")                                                                   \
    X(ORIGIN_CLIENT, "client")

#define MODES(X)                                                                                   \
    X(MODE_MONITOR, "monitor")                                                                     \
    X(MODE_SHADOW, "shadow")                                                                       \
    X(MODE_ENFORCE, "enforce")

/* Where the sensor stands: packets are routed through it, or bridged, or it gets copies of them. */
#define STANDS(X)   X(PLACE_GATEWAY, "gateway") X(PLACE_BRIDGE, "bridge") X(PLACE_TAP, "tap")
#define PROFILES(X) X(PROFILE_STANDARD, "standard") X(PROFILE_SMALL, "small") /* of bounds.h */

/* In order of strength. */
#define ACTIONS(X)                                                                                 \
    X(ACTION_ALLOW, "allow")                                                                       \
    X(ACTION_ALERT, "alert")                                                                       \
    X(ACTION_REDIRECT, "redirect")                                                                 \
    X(ACTION_REJECT, "reject")                                                                     \
    X(ACTION_DROP, "drop")

#define VERDICTS(X)                                                                                \
    X(VERDICT_ALLOWED, "allowed")               /* seen and told; the policy lets it pass */       \
    X(VERDICT_WOULD_BLOCK, "would-block")       /* monitor or shadow: enforce would have cut it */ \
    X(VERDICT_BLOCKED, "blocked")               /* the kernel did */                               \
    X(VERDICT_WOULD_REDIRECT, "would-redirect") /* as would-block: another would have answered */  \
    X(VERDICT_REDIRECTED, "redirected") /* the kernel sent it to the resolver of the policy */     \
    X(VERDICT_EXCEPTED, "excepted")     /* an exception of the policy covers it */

#define STATES(X)                                                                                  \
    X(STATE_NEW, "new")                                                                            \
    X(STATE_UPDATE, "update")                                                                      \
    X(STATE_FINAL, "final")

/* Who said which address and resolver a client has. */
#define LEASE_SOURCES(X)                                                                           \
    X(LEASE_DHCP4, "dhcpv4")                                                                       \
    X(LEASE_DHCP6, "dhcpv6")                                                                       \
    X(LEASE_ROUTER, "router-advertisement")

/* What was begun when a client's DNS may have gone another way. */
#define VPNS(X)                                                                                    \
    X(VPN_NONE, "none")                                                                            \
    X(VPN_WIREGUARD, "wireguard")                                                                  \
    X(VPN_IKE, "ike")                                                                              \
    X(VPN_OPENVPN, "openvpn")

/* alert.severity is the number, --severity takes the word. */
#define SEVERITIES(X)                                                                              \
    X(SEVERITY_NONE, "none")                                                                       \
    X(SEVERITY_HIGH, "high")                                                                       \
    X(SEVERITY_MEDIUM, "medium")                                                                   \
    X(SEVERITY_LOW, "low")                                                                         \
    X(SEVERITY_INFORMATIONAL, "informational")

#endif
