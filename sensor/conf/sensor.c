/* The parts of a policy that say how the sensor runs: sensor, store, control, outputs. */
#include <string.h>

#include "conf/reader.h"
#include "model/note.h"

static const char *on_exit_word(unsigned value)
{
    static const char *const words[] = {"keep", "remove"};

    return value < 2 ? words[value] : "?";
}

static void read_on_exit(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {
        .name = "on_exit", .kind = OPTION_WORD, .word = on_exit_word};
    struct policy *p = object;
    unsigned word;

    if (read_value(r, n, &option, &word))
        p->remove_on_exit = word == 1;
}

static const char *on_outage_word(unsigned value)
{
    static const char *const words[] = {"stay", "open"};

    return value < 2 ? words[value] : "?";
}

static void read_on_outage(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {
        .name = "on_resolver_outage", .kind = OPTION_WORD, .word = on_outage_word};
    struct policy *p = object;
    unsigned word;

    if (read_value(r, n, &option, &word))
        p->open_on_outage = word == 1;
}

static const char *shunt_word(unsigned value)
{
    static const char *const words[] = {"off", "auto"};

    return value < 2 ? words[value] : "?";
}

static void read_shunt(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "shunt", .kind = OPTION_WORD, .word = shunt_word};
    struct policy *p = object;
    unsigned word;

    if (read_value(r, n, &option, &word))
        p->shunt = word == 1;
}

static bool has_port(const struct policy *p, uint16_t port)
{
    for (size_t i = 0; i < p->extra_port_count; i++)
        if (p->extra_ports[i] == port)
            return true;
    return false;
}

static void read_ports(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {
        .name = "ports", .kind = OPTION_NUMBER, .size = 2, .least = 1, .most = 65535};
    struct policy *p = object;
    size_t most = sizeof p->extra_ports / sizeof *p->extra_ports;
    uint16_t port;

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        if (p->extra_port_count == most) {
            complain(r->complaints, e, "too many ports: at most %zu besides 53, 853 and 443", most);
            return;
        }
        if (!read_value(r, e, &option, &port))
            continue;
        if (port == 53 || port == 853 || port == 443 || has_port(p, port))
            complain_softly(r->complaints, e, "port %u is watched already", port);
        else
            p->extra_ports[p->extra_port_count++] = port;
    }
}

static void read_domains(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {
        .name = "internal_domains", .kind = OPTION_NAME, .size = 256};
    struct policy *p = object;

    if (read_is_list(r, n))
        read_texts(r, n, &option, &p->internal_domains, &p->internal_domain_count);
}

static void read_nftables(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("owner", OPTION_FLAG, FIELD(struct policy, owner_flag)),
        KEY("persist", OPTION_FLAG, FIELD(struct policy, persist_flag)),
        KEY("log_group", OPTION_NUMBER, FIELD(struct policy, log_group), .most = 65535),
        KEYS_END,
    };
    struct policy *p = object;

    read_map(r, n, keys, p, "`nftables`");
    if (p->persist_flag && !p->owner_flag)
        complain(r->complaints, n->key,
                 "`persist` needs `owner: true`: only an owned table can "
                 "outlive its owner");
}

static const char *role_word(unsigned value)
{
    static const char *const words[] = {"client", "forwarder", "recursive", "secondary"};

    return value < sizeof words / sizeof *words ? words[value] : "?";
}

static void read_role_word(struct reader *r, const struct node *n, struct policy_role *role)
{
    static const struct option option = {.name = "role", .kind = OPTION_WORD, .word = role_word};
    static const uint8_t roles[] = {0, ROLE_FORWARDER, ROLE_RECURSIVE, ROLE_SECONDARY};
    unsigned word;

    if (read_value(r, n, &option, &word))
        role->roles |= roles[word];
}

/* One word, or a list of them. */
static void read_role_words(struct reader *r, const struct node *n, void *object)
{
    if (n->kind != NODE_LIST)
        read_role_word(r, n, object);
    else
        for (const struct node *e = n->first; e; e = e->next)
            read_role_word(r, e, object);
}

static void read_role(struct reader *r, const struct node *entry)
{
    static const struct key keys[] = {
        KEY("address", OPTION_ADDRESS, .required = true, FIELD(struct policy_role, address)),
        PART("role", read_role_words, .required = true),
        KEYS_END,
    };
    struct policy *p = r->policy;
    struct policy_role *role = reader_grow(r, &p->roles, &p->role_count, sizeof *role);

    if (!role)
        return;
    read_map(r, entry, keys, role, "a role");
    role = p->roles + p->role_count - 1;
    for (size_t i = 0; i + 1 < p->role_count; i++)
        if (addr_equal(&p->roles[i].address, &role->address))
            complain(r->complaints, tree_member(entry, "address"),
                     "this address has a role already");
}

static void read_roles(struct reader *r, const struct node *list, void *object)
{
    (void)object;
    read_entries(r, list, "a role", read_role);
}

static void read_pairs(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("timeout", OPTION_DURATION, FIELD(struct policy_pairs, timeout)),
        KEY("hidden", OPTION_FLAG, FIELD(struct policy_pairs, hidden)),
        KEYS_END,
    };
    struct policy_pairs *p = &((struct policy *)object)->pairs;
    const struct node *timeout = tree_member(n, "timeout"), *hidden = tree_member(n, "hidden");

    read_map(r, n, keys, p, "`pairs`");
    if (p->hidden && !p->timeout)
        complain(r->complaints, hidden->key,
                 "`hidden` makes pairs, and `timeout: 0s` forbids them: take one of both out");
    if (timeout && timeout->kind == NODE_TEXT && p->timeout &&
        (p->timeout < 5 * NSEC_S || p->timeout > 86400 * NSEC_S))
        complain(r->complaints, timeout, "`timeout` is between 5s and 1d, or 0s for no pairs");
}

static void read_cpus(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {
        .name = "cpus", .kind = OPTION_NUMBER, .size = 2, .least = 0, .most = 1023};
    struct policy_capture *c = object;
    size_t most = sizeof c->cpus / sizeof *c->cpus;

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        if (c->cpu_count == most) {
            complain(r->complaints, e, "too many processors: at most %zu", most);
            return;
        }
        c->cpu_count += read_value(r, e, &option, c->cpus + c->cpu_count);
    }
}

static void read_capture(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("threads", OPTION_NUMBER, FIELD(struct policy_capture, threads), .least = 1,
            .most = 16),
        KEY("ring", OPTION_BYTES, FIELD(struct policy_capture, ring)),
        PART("cpus", read_cpus),
        KEYS_END,
    };
    struct policy_capture *c = &((struct policy *)object)->capture;
    const struct node *ring = tree_member(n, "ring");

    read_map(r, n, keys, c, "`capture`");
    if (ring && ring->kind == NODE_TEXT && (c->ring < 1 << 20 || c->ring > UINT64_C(1) << 30))
        complain(r->complaints, ring, "`ring` is between 1MiB and 1GiB");
}

static void read_peer(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("listen", OPTION_ADDRESS, .required = true, FIELD(struct policy_peer, listen)),
        KEY("address", OPTION_ADDRESS, .required = true, FIELD(struct policy_peer, address)),
        KEY("port", OPTION_NUMBER, FIELD(struct policy_peer, port), .least = 1, .most = 65535),
        KEY("key", OPTION_PATH, .required = true, FIELD(struct policy_peer, key)),
        KEYS_END,
    };
    struct policy_peer *p = &((struct policy *)object)->peer;

    read_map(r, n, keys, p, "`peer`");
    if (addr_is_zero(&p->listen) || addr_is_zero(&p->address))
        return;
    if (addr_equal(&p->listen, &p->address))
        complain(r->complaints, n->key,
                 "`listen` is this gateway's address, `address` the other's");
    else if (addr_is_v4(&p->listen) != addr_is_v4(&p->address))
        complain(r->complaints, n->key, "`listen` and `address` are of one family");
}

static const struct key sensor_keys[] = {
    KEY("name", OPTION_TEXT, FIELD(struct policy, name)),
    LIST("interfaces", OPTION_IFACE, struct policy, interfaces, interface_count),
    KEY("mode", OPTION_WORD, FIELD(struct policy, mode), .word = mode_name),
    PART("ports", read_ports),
    PART("capture", read_capture),
    KEY("tunnels", OPTION_FLAG, FIELD(struct policy, tunnels)),
    PART("shunt", read_shunt),
    PART("internal_domains", read_domains),
    PART("on_exit", read_on_exit),
    PART("pairs", read_pairs),
    PART("peer", read_peer),
    PART("nftables", read_nftables),
    PART("on_resolver_outage", read_on_outage),
    KEY("preflight", OPTION_FLAG, FIELD(struct policy, preflight)),
    KEY("place", OPTION_WORD, FIELD(struct policy, place), .word = place_name),
    KEY("set_only", OPTION_FLAG, FIELD(struct policy, set_only)),
    KEY("profile", OPTION_WORD, FIELD(struct policy, profile), .word = footprint_name),
    KEY("max_flows", OPTION_NUMBER, FIELD(struct policy, max_flows), .least = 1024,
        .most = 16777216),
    PART("roles", read_roles),
    KEYS_END,
};

static void read_sensor(struct reader *r, const struct node *n, void *object)
{
    const struct node *list = tree_member(n, "interfaces"), *sets = tree_member(n, "set_only");
    const struct policy *p = object;

    read_map(r, n, sensor_keys, object, "`sensor`");
    if (p->place == PLACE_TAP && p->mode != MODE_MONITOR)
        complain(r->complaints, tree_member(n, "mode"), "%s", TAP_CANNOT_CUT);
    if (p->set_only && p->owner_flag)
        complain(r->complaints, sets->key,
                 "`set_only` and `nftables: {owner: true}` exclude each other: nobody else can "
                 "write rules into an owned table");
    for (const struct node *e = list ? list->first : NULL; e; e = e->next)
        for (const struct node *o = list->first; o != e; o = o->next)
            if (o->kind == NODE_TEXT && e->kind == NODE_TEXT && strcmp(o->text, e->text) == 0) {
                complain(r->complaints, e, "the interface %s is there twice", e->text);
                return;
            }
}

static void read_control(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("socket", OPTION_PATH, FIELD(struct policy, socket_path)),
        KEYS_END,
    };

    read_map(r, n, keys, object, "`control`");
}

static void read_probe(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("interval", OPTION_DURATION, FIELD(struct policy_probe, interval)),
        KEY("timeout", OPTION_DURATION, FIELD(struct policy_probe, timeout)),
        KEY("on_sight", OPTION_FLAG, FIELD(struct policy_probe, on_sight)),
        KEYS_END,
    };
    struct policy_probe *p = &((struct policy *)object)->probe;
    const struct node *interval = tree_member(n, "interval"), *timeout = tree_member(n, "timeout");

    read_map(r, n, keys, p, "`probe`");
    if (interval && interval->kind == NODE_TEXT && p->interval && p->interval < 10 * NSEC_S)
        complain(r->complaints, interval, "`interval` is too short: at least 10s");
    if (timeout && timeout->kind == NODE_TEXT && (p->timeout < NSEC_S || p->timeout > 60 * NSEC_S))
        complain(r->complaints, timeout, "`timeout` is between 1s and 60s");
}

static void read_evidence_pcap(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("path", OPTION_PATH, .required = true, FIELD(struct policy_evidence, path)),
        KEY("ring", OPTION_BYTES, FIELD(struct policy_evidence, ring)),
        KEY("max_size", OPTION_BYTES, FIELD(struct policy_evidence, max_size)),
        KEY("snap", OPTION_NUMBER, FIELD(struct policy_evidence, snap), .least = 64, .most = 9216),
        KEY("per_event", OPTION_NUMBER, FIELD(struct policy_evidence, per_event), .least = 1,
            .most = 2000),
        KEY("per_minute", OPTION_NUMBER, FIELD(struct policy_evidence, per_minute), .least = 1,
            .most = 600),
        KEY("severity", OPTION_WORD, FIELD(struct policy_evidence, severity), .word = severity_name,
            .without = 1u << SEVERITY_NONE),
        KEYS_END,
    };
    struct policy_evidence *e = object;
    const struct node *ring = tree_member(n, "ring"), *most = tree_member(n, "max_size");

    read_map(r, n, keys, e, "`pcap`");
    if (ring && (e->ring < 64 << 10 || e->ring > UINT64_C(1) << 30))
        complain(r->complaints, ring, "`ring` is between 64KiB and 1GiB");
    if (most && e->max_size < 1 << 20)
        complain(r->complaints, most, "`max_size` is too small: at least 1MiB");
}

static void read_evidence(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        PART("pcap", read_evidence_pcap),
        KEYS_END,
    };

    read_map(r, n, keys, &((struct policy *)object)->evidence, "`evidence`");
}

static void set_aside(struct reader *r, const struct node *n, void *object)
{
    (void)r;
    (void)n;
    (void)object;
}

/* Resolvers come before those who name them, wherever they stand in the file. */
void read_policy(struct reader *r, const struct node *root)
{
    static const struct key keys[] = {
        PART("sensor", read_sensor),     PART("store", read_store),
        PART("control", read_control),   PART("resolvers", set_aside),
        PART("zones", set_aside),        PART("exceptions", set_aside),
        PART("outputs", set_aside),      PART("mutes", set_aside),
        PART("probe", read_probe),       PART("query_log", set_aside),
        PART("evidence", read_evidence), PART("privacy", set_aside),
        PART("web", read_web),           KEYS_END,
    };

    read_map(r, root, keys, r->policy, "a policy");
    read_resolvers(r, tree_member(root, "resolvers"));
    read_zones(r, tree_member(root, "zones"));
    read_exceptions(r, tree_member(root, "exceptions"));
    read_mutes(r, tree_member(root, "mutes"));
    read_outputs(r, tree_member(root, "outputs"));
    read_privacy(r, tree_member(root, "privacy"));
    read_query_log(r, tree_member(root, "query_log"));
}
