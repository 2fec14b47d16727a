/* What a right policy means, that it is printed so that it loads again to the same, and that a
 * wrong one leaves the old one alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "conf/conf.h"
#include "model/bounds.h"
#include "model/mute.h"
#include "model/note.h"

static const struct addr *gateway_addresses;
static size_t gateway_count;

static struct policy *load(const char *text)
{
    struct conf_source source = {.policy = {"p", text, text ? strlen(text) : 0},
                                 .gateway = gateway_addresses,
                                 .gateway_count = gateway_count};
    struct conf_report report = {.to = stderr};
    struct policy *p = NULL;

    assert_int_equal(conf_load(&source, &report, &p), SD_OK);
    assert_non_null(p);
    return p;
}

static char *print(const struct policy *p)
{
    char *all = NULL;
    size_t size;
    FILE *to = open_memstream(&all, &size);

    assert_non_null(to);
    assert_int_equal(conf_print(p, to), SD_OK);
    fclose(to);
    return all;
}

static struct addr at(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(text, &a), SD_OK);
    return a;
}

static const struct policy_resolver *resolver_at(const struct policy *p, const char *address)
{
    struct addr a = at(address);
    int16_t i = policy_resolver_at(p, &a, NULL);

    return i < 0 ? NULL : p->resolvers + i;
}

static int zone_of(const struct policy *p, const char *client, const char *iface, uint16_t vlan)
{
    struct addr a = at(client);

    return policy_zone_of(p, &a, iface, vlan);
}

static enum action cleartext(const struct policy *p, const char *client, const char *server)
{
    struct addr c = at(client), s = at(server);

    return policy_cleartext(p, policy_zone_of(p, &c, "", 0), &c, &s, 0);
}

/* The policy of the contract with everything this version takes besides. */
static const char full[] =
    "sensor:\n"
    "  name: gw-fra-1\n"
    "  interfaces: [lan0, lan1]\n"
    "  mode: monitor\n"
    "  ports: [784, 8443]\n"
    "  capture: {threads: 4, ring: 8MiB, cpus: [2, 3]}\n"
    "  tunnels: true\n"
    "  shunt: off\n"
    "  on_exit: keep\n"
    "  on_resolver_outage: open\n"
    "  preflight: false\n"
    "  pairs: {timeout: 5m, hidden: true}\n"
    "  peer: {listen: \"2001:db8:99::1\", address: \"2001:db8:99::2\", port: 9000, key: "
    "/etc/sealdns/peer.key}\n"
    "  nftables: {owner: true, persist: true, log_group: 7}\n"
    "  internal_domains: [Corp.Example., lan]\n"
    "  roles: [{address: 10.0.0.53, role: recursive}, {address: \"2001:db8::7\", role: [client, "
    "secondary]}]\n"
    "store:  {path: /var/lib/sealdns/sealdns.db, max_size: 2GiB, max_age: 400d}\n"
    "control: {socket: /run/sealdns/sealdns.sock}\n"
    "probe: {interval: 1h, timeout: 3s, on_sight: true}\n"
    "resolvers:\n"
    "  - id: corp\n"
    "    name: DNS.corp.example.\n"
    "    names: [dns2.corp.example, \"*.dns.corp.example\"]\n"
    "    addresses: [10.0.0.53, \"2001:db8::53\"]\n"
    "    shared: [198.51.100.80]\n"
    "    transports: [do53, dot, doh2]\n"
    "    pins: [\"sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"]\n"
    "    ca: \"/etc/sealdns/corp ca.pem\"\n"
    "  - {id: quad9, catalog: quad9}\n"
    "zones:\n"
    "  - id: office\n"
    "    networks: [10.20.0.0/16, \"2001:db8:20::/48\"]\n"
    "    approve: [corp, quad9]\n"
    "    cleartext: reject\n"
    "    unapproved: drop\n"
    "    bootstrap: false\n"
    "    gateway_resolver: false\n"
    "  - {id: voice, networks: [10.20.0.0/16], vlans: [5, 6], cleartext: redirect, "
    "redirect_to: [10.0.0.53, \"2001:db8::53\"]}\n"
    "  - {id: wifi, interfaces: [wlan0], unapproved: allow, rollout: {percent: 20, "
    "clients: [10.20.9.0/24, \"2001:db8::7\"]}}\n"
    "  - {id: default, cleartext: drop}\n"
    "  - {id: gateway, networks: [10.0.0.1/32, \"2001:db8::1\"], cleartext: allow}\n"
    "exceptions:\n"
    "  - {client: 10.20.9.9, until: 2035-01-31, owner: netops, reason: \"printer \\\"9\\\"\"}\n"
    "  - {network: \"2001:db8:20:1::/64\", resolver: quad9, until: \"2035-01-31T12:00:00Z\", "
    "owner: a b, reason: c}\n"
    "  - {mac: \"02:00:5e:10:00:09\", until: 2035-01-31, owner: a, reason: b}\n"
    "evidence: {pcap: {path: /var/lib/sealdns/pcap, ring: 4MiB, max_size: 100MiB, snap: 256, "
    "per_event: 50, per_minute: 5, severity: medium}}\n"
    "mutes:\n"
    "  - {rule: downgrade, client: 10.20.9.9, until: 2035-01-31, owner: netops, reason: \"test\"}\n"
    "  - {kind: tunnel, network: 10.20.0.0/16, server: 9.9.9.9, name: CDN.example., "
    "until: \"2035-01-31T12:00:00Z\", owner: soc, reason: \"a: \\\"b\\\"\"}\n"
    "outputs:\n"
    "  - {type: file, format: eve, path: /var/log/sealdns/eve.json}\n"
    "  - {type: stdout, format: text}\n";

static void contract(void **state)
{
    struct policy *p = load(full);

    (void)state;
    assert_string_equal(p->name, "gw-fra-1");
    assert_int_equal(p->interface_count, 2);
    assert_string_equal(p->interfaces[1], "lan1");
    assert_int_equal(p->extra_port_count, 2);
    assert_int_equal(p->extra_ports[1], 8443);
    assert_int_equal(p->probe.interval, 3600 * NSEC_S);
    assert_int_equal(p->probe.timeout, 3 * NSEC_S);
    assert_true(p->probe.on_sight);
    assert_true(p->tunnels && p->owner_flag && p->persist_flag && !p->remove_on_exit);
    assert_true(p->open_on_outage && !p->preflight && !p->shunt && !p->refused);
    assert_true(p->pairs.timeout == 300 * NSEC_S && p->pairs.hidden);
    assert_int_equal(p->capture.threads, 4);
    assert_int_equal(p->capture.ring, 8 << 20);
    assert_int_equal(p->capture.cpu_count, 2);
    assert_int_equal(p->capture.cpus[1], 3);
    assert_true(p->peer.listen.b[15] == 1 && p->peer.address.b[15] == 2);
    assert_int_equal(p->peer.port, 9000);
    assert_string_equal(p->peer.key, "/etc/sealdns/peer.key");
    assert_int_equal(p->log_group, 7);
    assert_int_equal(p->internal_domain_count, 2);
    assert_int_equal(p->role_count, 2);
    assert_int_equal(p->roles[0].roles, ROLE_RECURSIVE);
    assert_int_equal(p->roles[1].roles, ROLE_SECONDARY);
    assert_int_equal(policy_roles_of(p, &p->roles[0].address), ROLE_RECURSIVE);
    assert_string_equal(p->internal_domains[0], "corp.example");
    assert_int_equal(p->store_max_size, UINT64_C(2) << 30);
    assert_int_equal(p->store_max_age, 400 * 86400 * NSEC_S);
    assert_int_equal(p->output_count, 2);
    assert_string_equal(p->evidence.path, "/var/lib/sealdns/pcap");
    assert_int_equal(p->evidence.ring, 4 << 20);
    assert_int_equal(p->evidence.per_event, 50);
    assert_int_equal(p->evidence.severity, SEVERITY_MEDIUM);
    assert_int_equal(p->mute_count, 2);
    assert_string_equal(p->mutes[0].rule, "downgrade");
    assert_int_equal(p->mutes[0].kind, KIND_DOWNGRADE);
    assert_true(p->mutes[0].has_client && !p->mutes[0].has_server);
    assert_int_equal(p->mutes[1].kind, KIND_TUNNEL);
    assert_string_equal(p->mutes[1].name, "cdn.example");
    assert_int_equal(p->mutes[1].server.length, 128);
    assert_string_equal(p->mutes[1].owner, "soc");
    assert_string_equal(p->resolvers[0].names[0], "dns.corp.example");
    assert_int_equal(p->resolvers[0].name_count, 3);
    assert_true(p->resolvers[0].transports & 1u << TRANSPORT_DO53_UDP);
    assert_true(p->resolvers[0].transports & 1u << TRANSPORT_DO53_TCP);
    assert_int_equal(p->resolvers[0].pin_count, 1);
    assert_string_equal(p->resolvers[0].ca, "/etc/sealdns/corp ca.pem");
    assert_int_equal(strlen(p->digest), 16);
    policy_destroy(p);
}

static void zones_of_the_file(void **state)
{
    struct policy *p = load(full);

    (void)state;
    assert_int_equal(p->zone_count, 5);
    assert_string_equal(p->zones[ZONE_DEFAULT].id, "default");
    assert_string_equal(p->zones[ZONE_GATEWAY].id, "gateway");
    assert_int_equal(p->zones[ZONE_DEFAULT].cleartext, ACTION_DROP);
    assert_int_equal(p->zones[ZONE_DEFAULT].unapproved, ACTION_ALERT);
    assert_string_equal(p->zones[zone_of(p, "10.20.1.1", "lan0", 0)].id, "office");
    assert_string_equal(p->zones[zone_of(p, "10.20.1.1", "lan0", 6)].id, "voice");
    assert_string_equal(p->zones[zone_of(p, "192.0.2.1", "wlan0", 0)].id, "wifi");
    assert_string_equal(p->zones[zone_of(p, "2a00::1", "wlan0", 0)].id, "wifi");
    assert_int_equal(zone_of(p, "192.0.2.1", "lan0", 0), ZONE_DEFAULT);
    /* single addresses of the zone gateway are the gateway's own */
    assert_int_equal(zone_of(p, "10.0.0.1", "", 0), ZONE_GATEWAY);
    assert_int_equal(zone_of(p, "2001:db8::1", "", 0), ZONE_GATEWAY);
    assert_int_equal(cleartext(p, "192.0.2.1", "10.0.0.1"), ACTION_ALLOW);
    assert_int_equal(cleartext(p, "10.20.1.1", "10.0.0.1"), ACTION_REJECT);
    assert_int_equal(cleartext(p, "10.0.0.1", "8.8.8.8"), ACTION_ALLOW);
    policy_destroy(p);
}

static void built_in(void **state)
{
    struct policy *p = load(NULL);
    struct addr quad9 = at("9.9.9.9");

    (void)state;
    assert_int_equal(p->mode, MODE_MONITOR);
    assert_int_equal(p->zone_count, 2);
    assert_int_equal(p->zones[0].cleartext, ACTION_ALERT);
    assert_int_equal(p->zones[0].unapproved, ACTION_ALERT);
    assert_int_equal(p->zones[1].cleartext, ACTION_ALERT);
    assert_int_equal(p->exception_count, 0);
    assert_int_equal(p->output_count, 0);
    assert_string_equal(p->store_path, "/var/lib/sealdns/sealdns.db");
    assert_true(p->remove_on_exit && p->preflight && p->shunt && !p->open_on_outage);
    assert_true(p->pairs.timeout == 600 * NSEC_S && !p->pairs.hidden);
    assert_true(p->capture.threads == 1 && !p->capture.ring && !p->capture.cpu_count);
    assert_true(addr_is_zero(&p->peer.listen));
    assert_int_equal(p->log_group, 853);
    assert_true(policy_resolver_at(p, &quad9, NULL) >= 0);
    for (size_t i = 0; i < p->resolver_count; i++) {
        assert_false(p->resolvers[i].from_policy);
        for (unsigned t = 0; t < TRANSPORT_COUNT; t++)
            assert_false(policy_approves(p, ZONE_DEFAULT, (int16_t)i, t));
    }
    assert_int_equal(cleartext(p, "10.0.0.5", "9.9.9.9"), ACTION_ALERT);
    policy_destroy(p);
}

/* That Quad9 answers on port 53 approves no clear text; the policy's own word does. */
static void catalogue_and_clear_text(void **state)
{
    static const char zone[] = "zones: [{id: a, networks: [10.0.0.0/8], approve: [q], "
                               "cleartext: drop}]\n";
    char text[512];
    struct policy *p;

    (void)state;
    snprintf(text, sizeof text, "resolvers: [{id: q, catalog: quad9}]\n%s", zone);
    p = load(text);
    assert_int_equal(cleartext(p, "10.0.0.5", "9.9.9.9"), ACTION_DROP);
    assert_true(policy_approves(p, 2, 0, TRANSPORT_DOT));
    assert_true(policy_resolver_named(p, "dns.quad9.net") == 0);
    policy_destroy(p);
    snprintf(text, sizeof text, "resolvers: [{id: q, catalog: quad9, transports: [do53, dot]}]\n%s",
             zone);
    p = load(text);
    assert_int_equal(cleartext(p, "10.0.0.5", "9.9.9.9"), ACTION_ALLOW);
    assert_int_equal(cleartext(p, "10.0.0.5", "8.8.8.8"), ACTION_DROP);
    assert_false(policy_approves(p, 2, 0, TRANSPORT_DOH2));
    policy_destroy(p);
}

/* What a policy writes out is its resolver's; the rest of an operator stays the catalogue's. */
static void policy_before_catalogue(void **state)
{
    struct policy *p = load("resolvers:\n"
                            "  - {id: all, catalog: quad9}\n"
                            "  - {id: mine, name: dns9.quad9.net, addresses: [9.9.9.9]}\n"
                            "  - {id: part, addresses: [1.1.1.1]}\n"
                            "  - {id: some, catalog: google, addresses: [8.8.8.8]}\n");
    const struct policy_resolver *cloudflare = resolver_at(p, "1.0.0.1");
    const struct policy_resolver *google = resolver_at(p, "8.8.4.4");

    (void)state;
    assert_string_equal(resolver_at(p, "9.9.9.9")->id, "mine");
    assert_string_equal(resolver_at(p, "149.112.112.112")->id, "all");
    assert_int_equal(policy_resolver_named(p, "dns9.quad9.net"), 1);
    assert_int_equal(policy_resolver_named(p, "dns.quad9.net"), 0);
    assert_string_equal(resolver_at(p, "1.1.1.1")->id, "part");
    assert_string_equal(cloudflare->id, "cloudflare");
    assert_false(cloudflare->from_policy);
    assert_string_equal(resolver_at(p, "8.8.8.8")->id, "some");
    assert_string_equal(google->id, "google");
    assert_false(google->from_policy);
    assert_int_equal(policy_resolver_named(p, "dns.google"), 3);
    for (size_t i = 0; i < p->resolver_count; i++) {
        const struct policy_resolver *r = p->resolvers + i;

        assert_true(r->name_count + r->address_count > 0);
        for (size_t k = 0; k < r->address_count; k++)
            assert_int_equal(policy_resolver_at(p, &r->addresses[k].addr, NULL), i);
        for (size_t k = 0; k < r->name_count; k++)
            if (r->names[k][0] != '*')
                assert_int_equal(policy_resolver_named(p, r->names[k]), i);
    }
    policy_destroy(p);
}

static void end_of_day(void **state)
{
    struct policy *p = load("sensor: {mode: enforce}\n"
                            "exceptions:\n"
                            "  - {client: 10.0.0.5, until: 2035-01-31, owner: a, reason: b}\n");
    struct addr client = at("10.0.0.5");
    nsec_t end;

    (void)state;
    assert_int_equal(p->mode, MODE_ENFORCE);
    assert_int_equal(time_parse("2035-02-01", 0, &end), SD_OK);
    assert_non_null(policy_exception_for(p, &client, 0, -1, end - 1));
    assert_null(policy_exception_for(p, &client, 0, -1, end));
    policy_destroy(p);
}

static void host_gateway(void **state)
{
    struct addr own = at("192.0.2.254");
    struct policy *p;

    (void)state;
    gateway_addresses = &own;
    gateway_count = 1;
    p = load("zones: [{id: all, networks: [0.0.0.0/0], cleartext: reject}]\n");
    gateway_addresses = NULL;
    gateway_count = 0;
    assert_int_equal(zone_of(p, "192.0.2.254", "", 0), ZONE_GATEWAY);
    assert_int_equal(cleartext(p, "192.0.2.1", "192.0.2.254"), ACTION_ALLOW);
    assert_int_equal(cleartext(p, "192.0.2.1", "192.0.2.253"), ACTION_REJECT);
    assert_int_equal(cleartext(p, "192.0.2.254", "9.9.9.9"), ACTION_ALERT);
    policy_destroy(p);
}

static void detections(void **state)
{
    static const char own[] = "id: volume-anomaly\nkind: volume-anomaly\nsignature_id: 8530040\n"
                              "rev: 2\ntitle: mine\ncategory: x\nseverity: 1\n"
                              "thresholds: {floor_queries: 7}\nattack: [T1]\ncontrols: [a, b]\n";
    struct conf_text text = {"d", own, sizeof own - 1};
    struct conf_source source = {.detections = &text, .detection_count = 1};
    struct conf_report report = {.to = stderr};
    struct policy *p = load(NULL), *q = NULL;

    (void)state;
    assert_int_equal(policy_threshold(p, "volume-anomaly", "floor_queries", 1), 150);
    assert_int_equal(policy_threshold(p, "volume-anomaly", "no-such", 1), 1);
    assert_int_equal(policy_threshold(p, "no-such", "floor_queries", 2), 2);
    assert_int_equal(policy_detection_named(p, "unapproved-resolver")->signatures[TRANSPORT_DOQ],
                     8530032);
    assert_int_equal(conf_load(&source, &report, &q), SD_OK);
    assert_int_equal(q->detection_count, p->detection_count);
    assert_int_equal(policy_threshold(q, "volume-anomaly", "floor_queries", 1), 7);
    assert_string_equal(policy_detection_named(q, "volume-anomaly")->metadata, "T1,a,b");
    assert_string_not_equal(p->digest, q->digest);
    policy_destroy(p);
    policy_destroy(q);
}

static void what_decides_by_behaviour(void **state)
{
    const struct policy_detection *d;
    struct policy *p = load(NULL);
    size_t at;

    (void)state;
    d = policy_detection_named(p, "hidden-resolver");
    assert_non_null(d);
    assert_true(d->tree.count > 2);
    assert_null(decision_fault(&d->tree, &at));
    assert_int_equal(policy_detection_named(p, "unapproved-resolver")->tree.count, 0);
    assert_true(policy_is_outer_name(p, "cloudflare-ech.com"));
    assert_true(policy_is_outer_name(p, "Cloudflare-ECH.com"));
    assert_false(policy_is_outer_name(p, "dns.google"));
    assert_false(policy_is_outer_name(p, ""));
    policy_destroy(p);
}

static void ways_to_stand(void **state)
{
    struct policy *p = load(full),
                  *sets = load("sensor: {set_only: true, mode: enforce, place: bridge}\n");
    const struct policy_rollout *o = &p->zones[4].rollout;
    char *printed = print(p), *alone = print(sets);

    (void)state;
    assert_true(o->given && o->percent == 20 && o->client_count == 2 &&
                o->clients[1].length == 128);
    assert_false(p->zones[2].rollout.given || p->set_only);
    assert_non_null(strstr(printed, "rollout: {percent: 20, clients: [10.20.9.0/24, "));
    assert_true(sets->set_only && !policy_enforces(sets) && sets->place == PLACE_BRIDGE);
    assert_non_null(strstr(alone, "set_only: true\n"));
    assert_non_null(strstr(alone, "place: bridge\n"));
    free(printed);
    free(alone);
    policy_destroy(p);
    policy_destroy(sets);
}

static void how_much_it_may_remember(void **state)
{
    struct policy *usual = load(""), *small = load("sensor: {profile: small, max_flows: 2048}\n");
    char *printed = print(small);

    (void)state;
    assert_int_equal(bounds_of_policy(usual).flows, bounds_of(PROFILE_STANDARD)->flows);
    assert_int_equal(bounds_of_policy(small).flows, 2048);
    assert_int_equal(bounds_of_policy(small).clients, bounds_of(PROFILE_SMALL)->clients);
    assert_non_null(strstr(printed, "  profile: small\n  max_flows: 2048\n"));
    free(printed);
    policy_destroy(usual);
    policy_destroy(small);
}

static void what_is_written_of_queries_and_clients(void **state)
{
    struct policy *usual = load(""),
                  *p = load("store: {retention: {cleartext: 90d, dns: 2d}}\n"
                            "zones: [{id: z, networks: [10.0.0.0/8]}]\n"
                            "privacy: {clients: pseudonym, key: /k, in: [feed]}\n"
                            "query_log: {mode: aggregated, interval: 10s, zones: [z]}\n"
                            "outputs: [{type: stdout, types: [dns]}, {type: file, path: /f}]\n");
    char *printed = print(p);

    (void)state;
    assert_int_equal(usual->query_log.mode, QUERIES_OFF);
    assert_int_equal(usual->privacy.clients, CLIENTS_PLAIN);
    assert_int_equal(p->store_retention[KIND_CLEARTEXT], 90 * 86400 * NSEC_S);
    assert_int_equal(p->query_log.retention, 2 * 86400 * NSEC_S);
    assert_true(p->query_log.some_zones && p->zones[2].logged && !p->zones[ZONE_DEFAULT].logged);
    assert_int_equal(p->privacy.in, 1 << PRIVACY_FEED);
    assert_int_equal(p->outputs[0].types, 1 << EVENT_DNS);
    assert_int_equal(p->outputs[1].types, 1 << EVENT_ALERT);
    assert_non_null(strstr(printed, "max_age: 400d, retention: {cleartext: 90d}}\n"));
    assert_non_null(strstr(printed, "query_log: {mode: aggregated, interval: 10s, clients: plain, "
                                    "names: full, answers: false, zones: [z], store: false, "
                                    "retention: 2d}\n"));
    free(printed);
    policy_destroy(usual);
    policy_destroy(p);
}

static void round_trip(void **state)
{
    const char *texts[] = {NULL,
                           "",
                           full,
                           "sensor: {name: \"a: #b\"}\n",
                           "resolvers: [{id: some, catalog: google, addresses: [8.8.8.8]}]\n"
                           "store: {max_size: 1000000001, max_age: 90m}\n",
                           "store: {retention: {cleartext: 90d, conversations: 5h, dns: 2d}}\n"
                           "zones: [{id: z, networks: [10.0.0.0/8]}]\n"
                           "privacy: {clients: pseudonym, key: /k, rotate: 7d, in: [feed]}\n"
                           "query_log: {mode: sampled, sample: 1/50, clients: pseudonym, names: "
                           "registered, answers: true, zones: [z, default], store: true}\n"
                           "outputs: [{type: stdout, types: [dns, alert]}]\n"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct policy *p = load(texts[i]), *q;
        char *first = print(p), *second;

        q = load(first);
        second = print(q);
        assert_string_equal(first, second);
        assert_int_equal(p->resolver_count, q->resolver_count);
        assert_int_equal(p->gateway_count, q->gateway_count);
        for (size_t k = 0; k < p->zone_count; k++)
            assert_int_equal(p->zones[k].approve_count, q->zones[k].approve_count);
        free(first);
        free(second);
        policy_destroy(p);
        policy_destroy(q);
    }
}

static void reload(void **state)
{
    struct policy *p = load(full), *kept = p;
    struct conf_source source = {.policy = {"p", "zones: [{id: x}]\n", 17}};
    struct conf_report report = {0};

    (void)state;
    assert_int_equal(conf_load(&source, &report, &p), SD_ECONF);
    assert_ptr_equal(p, kept);
    assert_int_equal(report.errors, 1);
    assert_string_equal(p->name, "gw-fra-1");
    policy_destroy(p);
}

static void files(void **state)
{
    char path[] = "/tmp/sealdns-conf-XXXXXX";
    int descriptor = mkstemp(path);
    char *bytes = NULL;
    size_t length = 0;
    FILE *f = fdopen(descriptor, "w");

    (void)state;
    assert_non_null(f);
    for (int i = 0; i < 20000; i++)
        fputs("#\n", f);
    fflush(f);
    assert_int_equal(conf_read_file(path, &bytes, &length), SD_OK);
    assert_int_equal(length, 40000);
    assert_int_equal(strlen(bytes), 40000);
    free(bytes);
    assert_int_equal(ftruncate(descriptor, 17 << 20), 0);
    assert_int_equal(conf_read_file(path, &bytes, &length), SD_ELIMIT);
    fclose(f);
    unlink(path);
    assert_int_equal(conf_read_file(path, &bytes, &length), SD_ENOENT);
    assert_int_equal(conf_read_file("/tmp", &bytes, &length), SD_EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contract),
        cmocka_unit_test(zones_of_the_file),
        cmocka_unit_test(built_in),
        cmocka_unit_test(catalogue_and_clear_text),
        cmocka_unit_test(policy_before_catalogue),
        cmocka_unit_test(end_of_day),
        cmocka_unit_test(host_gateway),
        cmocka_unit_test(detections),
        cmocka_unit_test(what_decides_by_behaviour),
        cmocka_unit_test(ways_to_stand),
        cmocka_unit_test(how_much_it_may_remember),
        cmocka_unit_test(what_is_written_of_queries_and_clients),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(reload),
        cmocka_unit_test(files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
