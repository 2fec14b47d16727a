/* The pure questions that every stage may ask of the compiled policy. Longest prefix decides zones;
 * nothing here reads a clock. */
#ifndef SEALDNS_MODEL_POLICY_H
#define SEALDNS_MODEL_POLICY_H

#include "model/policy_types.h"

/* Transports of DNS as bits: in clear text, encrypted. */
#define TRANSPORTS_CLEAR (1u << TRANSPORT_DO53_UDP | 1u << TRANSPORT_DO53_TCP)
#define TRANSPORTS_SEALED                                                                          \
    (1u << TRANSPORT_DOT | 1u << TRANSPORT_DOQ | 1u << TRANSPORT_DOH2 | 1u << TRANSPORT_DOH3 |     \
     1u << TRANSPORT_DNSCRYPT)

/* For whoever wants rules where there is only a copy of the traffic. */
#define TAP_CANNOT_CUT                                                                             \
    "a tap gets copies of packets and can cut nothing: keep mode monitor, and take the rules for " \
    "the machine that can from `sealdns rules show`"

/* After conf/ has filled the arrays (and gateway): makes the index. SD_EMEM. */
int policy_compile(struct policy *p);
void policy_destroy(struct policy *p);

/* Longest prefix among zones whose interface and VLAN fit; ZONE_GATEWAY for the gateway's own
 * addresses; ZONE_DEFAULT when none. iface: name, "" when unknown. */
int16_t policy_zone_of(const struct policy *p, const struct addr *client, const char *iface,
                       uint16_t vlan);
/* Resolver whose address this is, or -1; *shared tells a CDN's address (may be NULL). */
int16_t policy_resolver_at(const struct policy *p, const struct addr *server, bool *shared);
/* Resolver of this name (exact, lower case), or -1. */
int16_t policy_resolver_named(const struct policy *p, const char *name);
/* Resolver of this id, by which it is known again in another policy; -1: none, or "". */
int16_t policy_resolver_called(const struct policy *p, const char *id);
/* The same by the hash of the id (hash_bytes() with seed 0), as it travels between processes. */
uint64_t policy_resolver_hash(const struct policy *p, int16_t resolver);
int16_t policy_resolver_hashed(const struct policy *p, uint64_t hash);
/* Of our own network: a private address, the gateway's, or one in a network of a zone. */
bool policy_is_inside(const struct policy *p, const struct addr *a);
/* Bits of enum inside. Two IPv6 addresses of one /64 are neighbours, and so are the gateway's and a
 * client of a server with a private address: no zone need list them. */
uint8_t policy_inside(const struct policy *p, const struct addr *client, const struct addr *server);
/* What sensor.roles says of this address, 0: nothing, or `client`. */
uint8_t policy_roles_of(const struct policy *p, const struct addr *a);
bool policy_is_gateway(const struct policy *p, const struct addr *a);
/* The name is one that every client of ECH shows instead of the site that it means (RFC 9849 6.1):
 * it says nothing of whom it talks to. */
bool policy_is_outer_name(const struct policy *p, const char *name);
/* The zone approves this resolver for this transport. */
bool policy_approves(const struct policy *p, int16_t zone, int16_t resolver, enum transport t);
/* For one of these transports, bits 1 << enum transport. */
bool policy_approves_any(const struct policy *p, int16_t zone, int16_t resolver,
                         uint32_t transports);
/* Some zone lists it. */
bool policy_is_approved(const struct policy *p, int16_t resolver);
/* NULL: none that holds at this time for this client and resolver. station: the client's link
 * address, 0: unknown. What is asked without it (policy_cleartext(), policy_kernel()) knows nothing
 * of exceptions by `mac`. */
const struct policy_exception *policy_exception_for(const struct policy *p,
                                                    const struct addr *client, uint64_t station,
                                                    int16_t resolver, nsec_t now);
/* Its client, network or link address into text[ADDR_TEXT + 4]; returns text. */
const char *policy_exception_text(const struct policy_exception *e, char text[ADDR_TEXT + 4]);
/* What the policy means for clear-text DNS from client to server: ALLOW when approved for do53,
 * the gateway's own resolver, or excepted; else the zone's action. Where that is REDIRECT: REJECT
 * for a family that `redirect_to` has no address of, ALLOW to and from the resolver redirected to.
 */
enum action policy_cleartext(const struct policy *p, int16_t zone, const struct addr *client,
                             const struct addr *server, nsec_t now);
/* One of the addresses of the resolver to which the zone redirects: what it asks is not sent back
 * to it. */
bool policy_is_redirect_source(const struct policy *p, int16_t zone, const struct addr *client);
/* What the installed rules (mode enforce) do with a packet: ALLOW, REJECT, DROP or REDIRECT. Port
 * 53 is clear text; 853 is cut for servers that are no approved address; 443 passes unless the
 * address is a dedicated one of an unapproved resolver. The twin of enforce/'s ruleset. */
enum action policy_kernel(const struct policy *p, int16_t zone, const struct addr *client,
                          const struct addr *server, uint16_t server_port, nsec_t now);
/* Rules of ours are to cut: mode enforce, and not the sets alone. */
bool policy_enforces(const struct policy *p);
/* In mode enforce they cut this client, or would if it asked for what the zone forbids: the zone is
 * not held, and its rollout has come to the client. For all others policy_kernel() is what would
 * be. */
bool policy_acts_on(const struct policy *p, int16_t zone, const struct addr *client);
/* The same of a client that is paired with this server for its DNS over HTTPS to a resolver (-1:
 * one that the policy does not name) at an address that others share, on port 443. ALLOW, and never
 * to be paired: the gateway's own addresses, an address or a resolver that the zone lists,
 * exceptions but those by `mac`, zones that do not cut. */
enum action policy_paired(const struct policy *p, int16_t zone, const struct addr *client,
                          const struct addr *server, int16_t resolver, nsec_t now);
const struct policy_detection *policy_detection_named(const struct policy *p, const char *id);
/* A threshold of a detection's file, or otherwise when it has none of that name. */
int64_t policy_threshold(const struct policy *p, const char *detection, const char *name,
                         int64_t otherwise);

#endif
