/* The pure questions of model/policy.h, over a policy built by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "model/note.h"
#include "model/policy.h"
#include "model/policy_index.h"

#define DAY (86400 * NSEC_S)

enum { OFFICE = 2, LAB, WIFI, VLAN_5, SIX };
enum { CORP, QUAD9, CLOUD, WILD };

static struct addr at(const char *text)
{
    struct addr a;

    assert_int_equal(addr_parse(text, &a), SD_OK);
    return a;
}

static void *some(size_t size)
{
    void *p = calloc(1, size);

    assert_non_null(p);
    return p;
}

static struct policy_zone *add_zone(struct policy *p, const char *id, const char *networks)
{
    struct policy_zone *z;
    char copy[256], *save = NULL;

    p->zones = realloc(p->zones, (p->zone_count + 1) * sizeof *p->zones);
    z = memset(p->zones + p->zone_count++, 0, sizeof *z);
    snprintf(z->id, sizeof z->id, "%s", id);
    z->cleartext = z->unapproved = ACTION_ALERT;
    z->gateway_resolver = true;
    z->networks = some(8 * sizeof *z->networks);
    snprintf(copy, sizeof copy, "%s", networks);
    for (char *n = strtok_r(copy, " ", &save); n; n = strtok_r(NULL, " ", &save))
        assert_int_equal(prefix_parse(n, z->networks + z->network_count++), SD_OK);
    return z;
}

static void add_resolver(struct policy *p, const char *name, const char *addresses,
                         uint32_t transports)
{
    struct policy_resolver *r;
    char copy[256], *save = NULL;

    p->resolvers = realloc(p->resolvers, (p->resolver_count + 1) * sizeof *p->resolvers);
    r = memset(p->resolvers + p->resolver_count++, 0, sizeof *r);
    r->transports = transports;
    r->names = some(sizeof *r->names);
    r->names[r->name_count++] = strdup(name);
    r->addresses = some(8 * sizeof *r->addresses);
    snprintf(copy, sizeof copy, "%s", addresses);
    for (char *a = strtok_r(copy, " ", &save); a; a = strtok_r(NULL, " ", &save)) {
        bool shared = *a == '~';

        r->addresses[r->address_count++] =
            (struct policy_address){.addr = at(a + shared), .shared = shared};
    }
}

static void add_exception(struct policy *p, const char *client, int resolver, nsec_t until)
{
    struct policy_exception *x;

    p->exceptions = realloc(p->exceptions, (p->exception_count + 1) * sizeof *p->exceptions);
    x = memset(p->exceptions + p->exception_count++, 0, sizeof *x);
    assert_int_equal(prefix_parse(client, &x->client), SD_OK);
    x->resolver = (int16_t)resolver;
    x->until = until;
}

static void approve(struct policy_zone *z, int first, int second)
{
    z->approve = some(2 * sizeof *z->approve);
    z->approve[z->approve_count++] = (int16_t)first;
    if (second >= 0)
        z->approve[z->approve_count++] = (int16_t)second;
}

static void add_zones(struct policy *p)
{
    struct policy_zone *z;

    add_zone(p, "default", "");
    add_zone(p, "gateway", "");
    z = add_zone(p, "office", "10.0.0.0/8 2001:db8::/32");
    approve(z, CORP, QUAD9);
    z->cleartext = ACTION_REJECT;
    z->unapproved = ACTION_DROP;
    z = add_zone(p, "lab", "10.9.0.0/16 10.9.9.9/32 2001:db8:9::/48");
    z->gateway_resolver = false;
    z->cleartext = ACTION_DROP;
    z = add_zone(p, "wifi", "10.9.0.0/16");
    z->interfaces = some(2 * sizeof *z->interfaces);
    strcpy(z->interfaces[z->interface_count++], "wlan0");
    strcpy(z->interfaces[z->interface_count++], "wlan1");
    z = add_zone(p, "vlan-5", "");
    z->vlans = some(2 * sizeof *z->vlans);
    z->vlans[z->vlan_count++] = 5;
    add_zone(p, "six", "::/0");
}

static int make(void **state)
{
    struct policy *p = some(sizeof *p);

    add_zones(p);
    add_resolver(p, "dns.corp.example", "10.0.0.53 2001:db8::53",
                 1u << TRANSPORT_DO53_UDP | 1u << TRANSPORT_DO53_TCP | 1u << TRANSPORT_DOT);
    add_resolver(p, "dns.quad9.net", "9.9.9.9 2620:fe::fe",
                 1u << TRANSPORT_DOT | 1u << TRANSPORT_DOH2);
    add_resolver(p, "cloud.example", "198.51.100.7 ~198.51.100.8", 1u << TRANSPORT_DOH2);
    add_resolver(p, "*.d.example", "9.9.9.9", 1u << TRANSPORT_DOT);
    add_exception(p, "10.1.1.1", -1, 10 * DAY - 1);
    add_exception(p, "10.2.0.0/16", CLOUD, 20 * DAY - 1);
    add_exception(p, "10.2.3.0/24", -1, 5 * DAY - 1);
    p->gateway = some(2 * sizeof *p->gateway);
    p->gateway[p->gateway_count++] = at("10.0.0.1");
    p->gateway[p->gateway_count++] = at("fe80::1");
    assert_int_equal(policy_compile(p), SD_OK);
    *state = p;
    return 0;
}

static int unmake(void **state)
{
    policy_destroy(*state);
    return 0;
}

static int zone(const struct policy *p, const char *client, const char *iface, uint16_t vlan)
{
    struct addr a = at(client);

    return policy_zone_of(p, &a, iface, vlan);
}

static void longest_prefix(void **state)
{
    const struct policy *p = *state;

    assert_int_equal(zone(p, "10.20.0.1", "lan0", 0), OFFICE);
    assert_int_equal(zone(p, "10.9.0.1", "lan0", 0), LAB);
    assert_int_equal(zone(p, "10.9.255.255", "", 0), LAB);
    assert_int_equal(zone(p, "10.10.0.0", "", 0), OFFICE);
    assert_int_equal(zone(p, "11.0.0.0", "", 0), ZONE_DEFAULT);
    assert_int_equal(zone(p, "2001:db8:9::1", "", 0), LAB);
    assert_int_equal(zone(p, "2001:db8:a::1", "", 0), OFFICE);
    assert_int_equal(zone(p, "2001:db9::1", "", 0), SIX);
    assert_int_equal(zone(p, "192.0.2.1", "", 0), ZONE_DEFAULT); /* ::/0 holds no IPv4 */
}

static void interface_and_vlan(void **state)
{
    const struct policy *p = *state;

    assert_int_equal(zone(p, "10.9.0.1", "wlan1", 0), WIFI);
    assert_int_equal(zone(p, "10.9.0.1", "wlan2", 0), LAB);
    assert_int_equal(zone(p, "10.9.9.9", "wlan0", 0), LAB); /* the longer prefix counts first */
    assert_int_equal(zone(p, "203.0.113.1", "lan0", 5), VLAN_5);
    assert_int_equal(zone(p, "203.0.113.1", "lan0", 6), ZONE_DEFAULT);
    assert_int_equal(zone(p, "2a00::1", "lan0", 5), VLAN_5);
    assert_int_equal(zone(p, "10.9.0.1", "lan0", 5), LAB);
}

static int inside(const struct policy *p, const char *client, const char *server)
{
    struct addr c = at(client), s = at(server);

    return policy_inside(p, &c, &s);
}

static void inside_and_outside(void **state)
{
    const struct policy *p = *state;

    assert_int_equal(inside(p, "10.9.0.1", "9.9.9.9"), INSIDE_CLIENT);
    assert_int_equal(inside(p, "9.9.9.9", "192.168.7.7"), INSIDE_SERVER);
    assert_int_equal(inside(p, "2001:db8:9::1", "2001:db8::53"), INSIDE_CLIENT | INSIDE_SERVER);
    assert_int_equal(inside(p, "192.0.2.1", "9.9.9.9"), 0);
    /* a zone of everything is nobody's network */
    assert_int_equal(inside(p, "2a00::1", "2620:fe::fe"), 0);
    assert_int_equal(inside(p, "2a00::1", "2a00::2"), INSIDE_CLIENT | INSIDE_SERVER);
    assert_int_equal(inside(p, "2a00:0:0:1::1", "2a00::2"), 0);
}

static void gateway(void **state)
{
    const struct policy *p = *state;
    struct addr own = at("10.0.0.1"), local = at("fe80::1"), client = at("10.20.0.1");
    struct addr lab = at("10.9.0.1");

    assert_int_equal(zone(p, "10.0.0.1", "lan0", 0), ZONE_GATEWAY);
    assert_int_equal(zone(p, "fe80::1", "", 0), ZONE_GATEWAY);
    assert_true(policy_is_gateway(p, &own));
    assert_false(policy_is_gateway(p, &client));
    assert_int_equal(policy_cleartext(p, OFFICE, &client, &own, 0), ACTION_ALLOW);
    assert_int_equal(policy_cleartext(p, OFFICE, &client, &local, 0), ACTION_ALLOW);
    assert_int_equal(policy_cleartext(p, LAB, &lab, &own, 0), ACTION_DROP);
    assert_int_equal(policy_kernel(p, OFFICE, &client, &own, 53, 0), ACTION_ALLOW);
    assert_int_equal(policy_kernel(p, LAB, &lab, &own, 53, 0), ACTION_DROP);
}

static void resolvers(void **state)
{
    const struct policy *p = *state;
    struct addr quad9 = at("9.9.9.9"), shared = at("198.51.100.8"), nobody = at("9.9.9.1");
    bool is_shared = true;

    assert_int_equal(policy_resolver_at(p, &quad9, &is_shared), QUAD9); /* the first has it */
    assert_false(is_shared);
    assert_int_equal(policy_resolver_at(p, &shared, &is_shared), CLOUD);
    assert_true(is_shared);
    assert_int_equal(policy_resolver_at(p, &nobody, &is_shared), -1);
    assert_false(is_shared);
    assert_int_equal(policy_resolver_at(p, &nobody, NULL), -1);
    assert_int_equal(policy_resolver_named(p, "dns.quad9.net"), QUAD9);
    assert_int_equal(policy_resolver_named(p, "x.dns.quad9.net"), -1);
    assert_int_equal(policy_resolver_named(p, "a.d.example"), WILD);
    assert_int_equal(policy_resolver_named(p, "a.b.d.example"), WILD);
    assert_int_equal(policy_resolver_named(p, "d.example"), -1);
    assert_int_equal(policy_resolver_named(p, ""), -1);
}

static void approvals(void **state)
{
    const struct policy *p = *state;

    assert_true(policy_approves(p, OFFICE, CORP, TRANSPORT_DOT));
    assert_true(policy_approves(p, OFFICE, CORP, TRANSPORT_DO53_UDP));
    assert_false(policy_approves(p, OFFICE, CORP, TRANSPORT_DOH2));
    assert_true(policy_approves(p, OFFICE, QUAD9, TRANSPORT_DOH2));
    assert_false(policy_approves(p, OFFICE, QUAD9, TRANSPORT_DO53_TCP));
    assert_false(policy_approves(p, OFFICE, CLOUD, TRANSPORT_DOH2));
    assert_false(policy_approves(p, LAB, CORP, TRANSPORT_DOT));
    assert_false(policy_approves(p, OFFICE, -1, TRANSPORT_DOT));
    assert_false(policy_approves(p, OFFICE, CORP, TRANSPORT_UNKNOWN));
    assert_true(policy_approves_any(p, OFFICE, CORP, TRANSPORTS_CLEAR));
    assert_false(policy_approves_any(p, OFFICE, QUAD9, TRANSPORTS_CLEAR));
    assert_true(policy_approves_any(p, OFFICE, QUAD9, TRANSPORTS_SEALED));
    assert_false(policy_approves_any(p, OFFICE, -1, TRANSPORTS_SEALED));
    assert_false(policy_approves_any(p, 99, CORP, TRANSPORTS_SEALED));
    assert_true(policy_is_approved(p, CORP));
    assert_false(policy_is_approved(p, CLOUD));
    assert_false(policy_is_approved(p, -1));
}

static void exceptions(void **state)
{
    const struct policy *p = *state;
    struct addr one = at("10.1.1.1"), other = at("10.1.1.2"), net = at("10.2.3.4");

    assert_ptr_equal(policy_exception_for(p, &one, 0, -1, 10 * DAY - 1), p->exceptions);
    assert_null(policy_exception_for(p, &one, 0, -1, 10 * DAY));
    assert_null(policy_exception_for(p, &other, 0, -1, 0));
    assert_ptr_equal(policy_exception_for(p, &net, 0, QUAD9, 0), p->exceptions + 2);
    assert_null(policy_exception_for(p, &net, 0, QUAD9, 6 * DAY));
    assert_ptr_equal(policy_exception_for(p, &net, 0, CLOUD, 6 * DAY), p->exceptions + 1);
}

static void cleartext(void **state)
{
    const struct policy *p = *state;
    struct addr client = at("10.20.0.1"), corp = at("10.0.0.53"), quad9 = at("9.9.9.9");
    struct addr excepted = at("10.1.1.1"), guest = at("192.0.2.1");

    assert_int_equal(policy_cleartext(p, OFFICE, &client, &corp, 0), ACTION_ALLOW);
    assert_int_equal(policy_cleartext(p, OFFICE, &client, &quad9, 0), ACTION_REJECT);
    assert_int_equal(policy_cleartext(p, OFFICE, &excepted, &quad9, 0), ACTION_ALLOW);
    assert_int_equal(policy_cleartext(p, OFFICE, &excepted, &quad9, 10 * DAY), ACTION_REJECT);
    assert_int_equal(policy_cleartext(p, ZONE_DEFAULT, &guest, &corp, 0), ACTION_ALERT);
    assert_int_equal(policy_cleartext(p, -1, &guest, &corp, 0), ACTION_ALERT);
}

static enum action kernel(const struct policy *p, int zone_number, const char *client,
                          const char *server, uint16_t port)
{
    struct addr c = at(client), s = at(server);

    return policy_kernel(p, (int16_t)zone_number, &c, &s, port, DAY);
}

static void in_the_kernel(void **state)
{
    const struct policy *p = *state;

    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "8.8.8.8", 53), ACTION_REJECT);
    assert_int_equal(kernel(p, ZONE_DEFAULT, "192.0.2.1", "8.8.8.8", 53), ACTION_ALLOW);
    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "9.9.9.9", 853), ACTION_ALLOW);
    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "8.8.8.8", 853), ACTION_DROP);
    assert_int_equal(kernel(p, OFFICE, "10.1.1.1", "8.8.8.8", 853), ACTION_ALLOW);
    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "198.51.100.7", 443), ACTION_DROP);
    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "198.51.100.8", 443), ACTION_ALLOW);
    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "198.51.100.8", 853), ACTION_DROP);
    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "203.0.113.1", 443), ACTION_ALLOW);
    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "9.9.9.9", 443), ACTION_ALLOW);
    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "9.9.9.9", 8443), ACTION_ALLOW);
    assert_int_equal(kernel(p, OFFICE, "10.20.0.1", "10.0.0.1", 853), ACTION_ALLOW);
    assert_int_equal(kernel(p, LAB, "10.9.0.1", "10.0.0.1", 53), ACTION_DROP);
    assert_int_equal(kernel(p, LAB, "10.9.0.1", "8.8.8.8", 853), ACTION_ALLOW);
    assert_int_equal(kernel(p, OFFICE, "10.2.3.4", "198.51.100.7", 443), ACTION_ALLOW);
}

/* The index answers as a walk over all prefixes would. */
static void as_a_linear_search(void **state)
{
    struct prefix_map m;
    struct prefix prefixes[300];
    uint64_t random = 88172645463325252u;

    (void)state;
    assert_int_equal(prefix_map_init(&m, 300), SD_OK);
    for (int i = 0; i < 300; i++) {
        uint8_t four[4];

        random = random * 6364136223846793005u + 1442695040888963407u;
        memcpy(four, (char *)&random + 4, 4);
        four[0] &= 3;
        prefixes[i] = (struct prefix){addr_v4(four), (uint8_t)(96 + i % 33)};
        for (unsigned bit = prefixes[i].length; bit < 128; bit++)
            prefixes[i].addr.b[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
        prefix_map_add(&m, prefixes + i, i);
    }
    for (int n = 0; n < 20000; n++) {
        struct prefix_walk w;
        struct addr key;
        uint8_t four[4];
        int best = -1, found;

        random = random * 6364136223846793005u + 1442695040888963407u;
        memcpy(four, (char *)&random + 4, 4);
        four[0] &= 3;
        key = addr_v4(four);
        for (int i = 0; i < 300; i++)
            if (prefix_holds(prefixes + i, &key) &&
                (best < 0 || prefixes[i].length > prefixes[best].length))
                best = i;
        w = prefix_walk_from(&m, &key);
        found = prefix_walk_next(&w);
        assert_int_equal(found, best);
    }
    prefix_map_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(longest_prefix, make, unmake),
        cmocka_unit_test_setup_teardown(interface_and_vlan, make, unmake),
        cmocka_unit_test_setup_teardown(inside_and_outside, make, unmake),
        cmocka_unit_test_setup_teardown(gateway, make, unmake),
        cmocka_unit_test_setup_teardown(resolvers, make, unmake),
        cmocka_unit_test_setup_teardown(approvals, make, unmake),
        cmocka_unit_test_setup_teardown(exceptions, make, unmake),
        cmocka_unit_test_setup_teardown(cleartext, make, unmake),
        cmocka_unit_test_setup_teardown(in_the_kernel, make, unmake),
        cmocka_unit_test(as_a_linear_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
