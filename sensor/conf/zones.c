/* Zones and exceptions. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "conf/apart.h"
#include "conf/reader.h"

#define ZONES_MOST   4000
#define ROLLOUT_MOST 1024 /* asked one by one */

static void read_approve(struct reader *r, const struct node *n, void *zone)
{
    static const struct option option = {.name = "approve", .kind = OPTION_ID, .size = 64};
    struct policy_zone *z = zone;
    char id[64];

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e && !complaints_full(r->complaints); e = e->next) {
        int16_t *place, found;

        if (!read_value(r, e, &option, id) || (found = read_resolver_id(r, e, id)) < 0)
            continue;
        if ((place = reader_grow(r, &z->approve, &z->approve_count, sizeof *place)) == NULL)
            return;
        *place = found;
    }
}

/* One address, or a list of at most one of each family. */
static void read_redirect(struct reader *r, const struct node *n, void *zone)
{
    static const struct option option = {.name = "redirect_to", .kind = OPTION_ADDRESS};
    struct policy_zone *z = zone;
    struct addr a;

    for (const struct node *e = n->kind == NODE_LIST ? n->first : n; e; e = e->next) {
        if (n->kind == NODE_MAP || e->kind == NODE_NOTHING || !read_value(r, e, &option, &a))
            return;
        if (!addr_is_zero(z->redirect_to + addr_is_v4(&a)))
            complain(r->complaints, e, "`redirect_to` takes one address of each family");
        z->redirect_to[addr_is_v4(&a)] = a;
        if (n->kind != NODE_LIST)
            return;
    }
}

static void read_rollout(struct reader *r, const struct node *n, void *zone)
{
    static const struct key keys[] = {
        KEY("percent", OPTION_NUMBER, FIELD(struct policy_rollout, percent), .least = 0,
            .most = 100),
        LIST("clients", OPTION_PREFIX, struct policy_rollout, clients, client_count),
        KEYS_END,
    };
    struct policy_rollout *o = &((struct policy_zone *)zone)->rollout;
    const struct node *clients = tree_member(n, "clients");

    read_map(r, n, keys, o, "`rollout`");
    o->given = true;
    if (n->kind == NODE_MAP && !tree_member(n, "percent") && !clients)
        complain(r->complaints, n->key, "`rollout` needs `percent`, `clients` or both");
    if (o->client_count > ROLLOUT_MOST)
        complain(r->complaints, clients->key, "too many clients: at most %d", ROLLOUT_MOST);
}

static const struct key zone_keys[] = {
    KEY("id", OPTION_ID, .required = true, FIELD(struct policy_zone, id)),
    LIST("networks", OPTION_PREFIX, struct policy_zone, networks, network_count),
    LIST("interfaces", OPTION_IFACE, struct policy_zone, interfaces, interface_count),
    LIST("vlans", OPTION_NUMBER, struct policy_zone, vlans, vlan_count, .least = 1, .most = 4094),
    PART("approve", read_approve),
    KEY("cleartext", OPTION_WORD, FIELD(struct policy_zone, cleartext), .word = action_name),
    PART("redirect_to", read_redirect),
    KEY("unapproved", OPTION_WORD, FIELD(struct policy_zone, unapproved), .word = action_name,
        .without = 1u << ACTION_REDIRECT),
    KEY("bootstrap", OPTION_FLAG, FIELD(struct policy_zone, bootstrap)),
    KEY("gateway_resolver", OPTION_FLAG, FIELD(struct policy_zone, gateway_resolver)),
    PART("rollout", read_rollout),
    KEYS_END,
};

/* The place of a zone: `default` and `gateway` have theirs. */
static struct policy_zone *zone_place(struct reader *r, const struct node *entry)
{
    struct policy *p = r->policy;
    const struct node *id = tree_member(entry, "id");
    struct policy_zone *z;

    for (size_t i = ZONE_DEFAULT; i <= ZONE_GATEWAY; i++)
        if (id && id->kind == NODE_TEXT && strcmp(id->text, p->zones[i].id) == 0)
            return p->zones + i;
    if (p->zone_count == ZONES_MOST) {
        complain(r->complaints, entry, "too many zones: at most %d", ZONES_MOST);
        return NULL;
    }
    if ((z = reader_grow(r, &p->zones, &p->zone_count, sizeof *z)) != NULL)
        *z = (struct policy_zone){.cleartext = ACTION_ALERT,
                                  .unapproved = ACTION_ALERT,
                                  .bootstrap = true,
                                  .gateway_resolver = true};
    return z;
}

static void check_clients(struct reader *r, const struct node *entry, const struct policy_zone *z)
{
    static const char *const keys[] = {"networks", "interfaces", "vlans"};
    bool is_default = z == r->policy->zones + ZONE_DEFAULT;
    bool is_gateway = z == r->policy->zones + ZONE_GATEWAY;
    bool any = false;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct node *n = tree_member(entry, keys[i]);

        any |= n != NULL && n->kind != NODE_NOTHING && (n->kind != NODE_LIST || n->first);
        if (n && is_default)
            complain(r->complaints, n->key,
                     "the zone `default` takes no `%s`: it is for clients of no other zone",
                     keys[i]);
        if (n && is_gateway && i > 0)
            complain(r->complaints, n->key, "the zone `gateway` takes no `%s`", keys[i]);
    }
    if (!any && !is_default && !is_gateway)
        complain(r->complaints, entry, "a zone needs `networks`, `interfaces` or `vlans`");
}

static void check_redirect(struct reader *r, const struct node *entry, const struct policy_zone *z)
{
    const struct node *to = tree_member(entry, "redirect_to");
    const struct node *cleartext = tree_member(entry, "cleartext");
    const struct node *at = cleartext ? cleartext : entry;
    bool none = addr_is_zero(z->redirect_to) && addr_is_zero(z->redirect_to + 1);

    if (z->cleartext != ACTION_REDIRECT) {
        if (to)
            complain_softly(r->complaints, to->key,
                            "`redirect_to` does nothing without `cleartext: redirect`");
        return;
    }
    if (z == r->policy->zones + ZONE_GATEWAY)
        complain(r->complaints, at,
                 "what the gateway itself sends is not redirected: use `reject`, or give its "
                 "programs another resolver");
    else if (none)
        complain(r->complaints, at,
                 "`cleartext: redirect` needs `redirect_to`, the address of a resolver");
    else if (r->policy->set_only)
        complain_softly(r->complaints, at,
                        "`set_only` installs no rules, so nothing is redirected but by your own");
    else if (addr_is_zero(z->redirect_to) || addr_is_zero(z->redirect_to + 1))
        complain_softly(r->complaints, to ? to->key : at,
                        "`redirect_to` has no address of IPv%d: there clear text is rejected",
                        addr_is_zero(z->redirect_to) ? 6 : 4);
}

static void check_place(struct reader *r, const struct node *entry, const struct policy_zone *z)
{
    const struct node *cleartext = tree_member(entry, "cleartext");
    const struct node *unapproved = tree_member(entry, "unapproved");
    bool redirects = z->cleartext == ACTION_REDIRECT;

    if (r->policy->place != PLACE_BRIDGE || r->policy->set_only)
        return;
    if (redirects || z->cleartext == ACTION_REJECT)
        complain(r->complaints, cleartext, "a bridge does not %s: write `drop`",
                 redirects ? "redirect" : "reject");
    if (z->unapproved == ACTION_REJECT)
        complain(r->complaints, unapproved, "a bridge does not reject: write `drop`");
}

/* Whether the zone has any of these addresses: where interfaces alone say who is in, it may. */
static bool has_some_of(const struct policy_zone *z, const struct prefix *p)
{
    bool any = z->network_count == 0;

    for (size_t i = 0; i < z->network_count && !any; i++)
        any = prefix_holds(z->networks + i, &p->addr) || prefix_holds(p, &z->networks[i].addr);
    return any;
}

static void check_rollout_clients(struct reader *r, const struct node *rollout,
                                  const struct policy_zone *z)
{
    const struct policy_rollout *o = &z->rollout;
    const struct node *list = tree_member(rollout, "clients");
    const struct node *e = list ? list->first : NULL;

    for (size_t i = 0; e && i < o->client_count; i++, e = e->next)
        if (!has_some_of(z, o->clients + i))
            complain_softly(r->complaints, e,
                            "%s is in no network of zone `%s`: nobody there is enforced by this",
                            e->text, z->id);
}

static void check_rollout(struct reader *r, const struct node *entry, const struct policy_zone *z)
{
    const struct node *rollout = tree_member(entry, "rollout");

    if (rollout && z == r->policy->zones + ZONE_GATEWAY)
        complain(r->complaints, rollout->key,
                 "the zone `gateway` is one machine: it takes no `rollout`");
    if (rollout && r->policy->set_only)
        complain(r->complaints, rollout->key,
                 "`rollout` needs our rules, and `set_only` installs none: take one of both out");
    else if (rollout)
        check_rollout_clients(r, rollout, z);
}

/* What the kernel cannot do in this version is an error where rules are asked for. */
static void check_enforced(struct reader *r, const struct node *entry, const struct policy_zone *z)
{
    const struct node *vlans = tree_member(entry, "vlans");

    if (r->policy->mode == MODE_MONITOR)
        return;
    if (z->vlan_count)
        complain(r->complaints, vlans->key,
                 "in mode %s the kernel no longer sees VLAN tags: name the VLAN's interface under "
                 "`interfaces`",
                 mode_name(r->policy->mode));
}

/* A zone without networks is for all behind its interfaces, or with its VLANs. */
static void note_anybody(struct reader *r, const struct node *entry, int zone)
{
    const struct node *list = tree_member(entry, "interfaces");

    if (!list || !list->first)
        list = tree_member(entry, "vlans");
    for (const struct node *e = list ? list->first : NULL; e; e = e->next)
        if (e->kind == NODE_TEXT)
            reader_spot(r, (struct spot){.owner = zone, .name = e->text, .at = e});
}

static void note_networks(struct reader *r, const struct node *entry, int zone)
{
    static const struct option option = {.name = "networks", .kind = OPTION_PREFIX};
    const struct node *list = tree_member(entry, "networks");
    char error[OPTION_ERROR];
    struct prefix p;

    for (const struct node *e = list ? list->first : NULL; e; e = e->next)
        if (e->kind == NODE_TEXT && option_set(&option, e->text, &p, error) == 0)
            reader_spot(r, (struct spot){.prefix = p, .owner = zone, .at = e});
    if (r->policy->zones[zone].network_count == 0)
        note_anybody(r, entry, zone);
}

static void read_zone(struct reader *r, const struct node *entry)
{
    struct policy *p = r->policy;
    struct policy_zone *z = zone_place(r, entry);
    int number;

    if (!z)
        return;
    number = (int)(z - p->zones);
    if (number <= ZONE_GATEWAY && r->zone_seen[number]) {
        complain_again(r, entry, "zone");
        return;
    }
    if (number <= ZONE_GATEWAY)
        r->zone_seen[number] = true;
    read_map(r, entry, zone_keys, z, "a zone");
    for (int i = 0; i < number && z->id[0]; i++)
        if (strcmp(p->zones[i].id, z->id) == 0)
            complain_again(r, entry, "zone");
    check_clients(r, entry, z);
    check_redirect(r, entry, z);
    check_rollout(r, entry, z);
    check_place(r, entry, z);
    check_enforced(r, entry, z);
    note_networks(r, entry, number);
}

void read_zones(struct reader *r, const struct node *list)
{
    r->zones = list;
    read_entries(r, list, "a zone", read_zone);
    check_zones_apart(r);
    r->spot_count = 0;
}

static void read_exception_client(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "client", .kind = OPTION_ADDRESS};
    struct policy_exception *x = object;

    if (n->kind == NODE_TEXT && strchr(n->text, '/'))
        complain(r->complaints, n, "`client` is one address: for a prefix write `network: %s`",
                 n->text);
    else if (read_value(r, n, &option, &x->client.addr))
        x->client.length = 128;
}

static void read_exception_network(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "network", .kind = OPTION_PREFIX};

    read_value(r, n, &option, &((struct policy_exception *)object)->client);
}

static void read_exception_mac(struct reader *r, const struct node *n, void *object)
{
    struct policy_exception *x = object;

    if (n->kind != NODE_TEXT || station_parse(n->text, &x->station) != SD_OK)
        complain(r->complaints, n,
                 "`mac` is the link address of one machine: write \"02:00:5e:10:00:09\"");
    else
        x->client = (struct prefix){.addr = addr_of_station(x->station), .length = 128};
}

static void read_exception_resolver(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "resolver", .kind = OPTION_ID, .size = 64};
    char id[64];

    if (read_value(r, n, &option, id))
        ((struct policy_exception *)object)->resolver = read_resolver_id(r, n, id);
}

static void read_exception(struct reader *r, const struct node *entry)
{
    static const struct key keys[] = {
        PART("client", read_exception_client),
        PART("network", read_exception_network),
        PART("mac", read_exception_mac),
        PART("resolver", read_exception_resolver),
        KEY("until", OPTION_DATE, .required = true, FIELD(struct policy_exception, until)),
        KEY("owner", OPTION_TEXT, .required = true, FIELD(struct policy_exception, owner)),
        KEY("reason", OPTION_TEXT, .required = true, FIELD(struct policy_exception, reason)),
        KEYS_END,
    };
    struct policy *p = r->policy;
    struct policy_exception *x = reader_grow(r, &p->exceptions, &p->exception_count, sizeof *x);
    const struct node *client = tree_member(entry, "client");
    const struct node *network = tree_member(entry, "network");
    const struct node *mac = tree_member(entry, "mac");
    const struct node *resolver = tree_member(entry, "resolver");
    const struct node *until = tree_member(entry, "until");

    if (!x)
        return;
    x->resolver = -1;
    read_map(r, entry, keys, x, "an exception");
    if ((client && network) || (mac && (client || network)))
        complain(r->complaints, network ? network->key : mac->key,
                 mac ? "`client`, `network` or `mac`, one of them"
                     : "`client` or `network`, not both");
    if (!client && !network && !mac)
        complain(r->complaints, entry, "an exception needs `client`, `network` or `mac`");
    if (mac && resolver)
        complain(r->complaints, resolver->key,
                 "an exception by `mac` is for every resolver: name the machine by `client` to "
                 "except it for one");
    if (client || network || mac)
        reader_spot(r, (struct spot){.prefix = x->client,
                                     .owner = (int)p->exception_count - 1,
                                     .at = client    ? client
                                           : network ? network
                                                     : mac});
    if (resolver && !mac)
        check_exception_needed(r, x, resolver);
    if (x->until && x->until < r->now)
        complain_softly(r->complaints, until, "this exception has ended and is inactive");
}

void read_exceptions(struct reader *r, const struct node *list)
{
    read_entries(r, list, "an exception", read_exception);
    check_exceptions_apart(r);
    r->spot_count = 0;
}
