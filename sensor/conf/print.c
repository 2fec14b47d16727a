/* The effective policy as YAML that conf_load() reads to the same policy again. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "conf/conf.h"
#include "model/mute.h"
#include "model/note.h"

/* A text is written bare where no YAML reader can take it for something else. */
static void put_text(FILE *to, const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-";

    if (*text && text[strspn(text, safe)] == '\0' && *text != '-' && *text != '.' &&
        strcmp(text, "null") != 0 && strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        fputs(text, to);
        return;
    }
    putc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            putc('\\', to);
        putc(*text, to);
    }
    putc('"', to);
}

static void put_pair(FILE *to, const char *before, const char *value)
{
    fputs(before, to);
    put_text(to, value);
    putc('\n', to);
}

static void put_comma(FILE *to, size_t i)
{
    if (i)
        fputs(", ", to);
}

static void put_addr(FILE *to, const struct addr *a)
{
    char text[ADDR_TEXT];

    fprintf(to, addr_is_v4(a) ? "%s" : "\"%s\"", addr_text(a, text));
}

static void put_prefix(FILE *to, const struct prefix *p)
{
    char text[ADDR_TEXT + 4];

    fprintf(to, addr_is_v4(&p->addr) ? "%s" : "\"%s\"", prefix_text(p, text));
}

static void put_texts(FILE *to, const char *before, char *const *texts, size_t count)
{
    if (count == 0)
        return;
    fputs(before, to);
    for (size_t i = 0; i < count; i++) {
        put_comma(to, i);
        put_text(to, texts[i]);
    }
    fputs("]\n", to);
}

static void put_interfaces(FILE *to, const char *before, char (*names)[16], size_t count)
{
    if (count == 0)
        return;
    fputs(before, to);
    for (size_t i = 0; i < count; i++) {
        put_comma(to, i);
        put_text(to, names[i]);
    }
    fputs("]\n", to);
}

static void put_numbers(FILE *to, const char *before, const uint16_t *numbers, size_t count)
{
    if (count == 0)
        return;
    fputs(before, to);
    for (size_t i = 0; i < count; i++) {
        put_comma(to, i);
        fprintf(to, "%u", numbers[i]);
    }
    fputs("]\n", to);
}

static const char *flag(bool value)
{
    return value ? "true" : "false";
}

static void put_bytes(FILE *to, uint64_t bytes)
{
    static const char *const units[] = {"", "KiB", "MiB", "GiB", "TiB"};
    unsigned unit = 0;

    while (unit < 4 && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        unit++;
    }
    fprintf(to, "%" PRIu64 "%s", bytes, units[unit]);
}

static void put_age(FILE *to, nsec_t age)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
    int64_t seconds = age / NSEC_S;
    size_t unit = 0;

    while (seconds % units[unit].seconds)
        unit++;
    fprintf(to, "%" PRId64 "%c", seconds / units[unit].seconds, units[unit].letter);
}

static void print_roles(const struct policy *p, FILE *to)
{
    fputs(p->role_count ? "  roles:\n" : "", to);
    for (size_t i = 0; i < p->role_count; i++) {
        const struct policy_role *r = p->roles + i;

        fputs("    - {address: ", to);
        put_addr(to, &r->address);
        fprintf(to, ", role: [client%s%s%s]}\n", r->roles & ROLE_RECURSIVE ? ", recursive" : "",
                r->roles & ROLE_FORWARDER ? ", forwarder" : "",
                r->roles & ROLE_SECONDARY ? ", secondary" : "");
    }
}

/* What stays for another time than the rest. */
static void print_retention(const struct policy *p, FILE *to)
{
    const char *gap = ", retention: {";

    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        if (p->store_retention[kind]) {
            fprintf(to, "%s%s: ", gap, kind_name(kind));
            put_age(to, p->store_retention[kind]);
            gap = ", ";
        }
    if (p->conversation_retention) {
        fprintf(to, "%sconversations: ", gap);
        put_age(to, p->conversation_retention);
        gap = ", ";
    }
    if (gap[2] == '\0')
        putc('}', to);
}

static void print_evidence(const struct policy_evidence *e, FILE *to)
{
    if (!e->path[0])
        return;
    fputs("evidence:\n  pcap: {path: ", to);
    put_text(to, e->path);
    fputs(", ring: ", to);
    put_bytes(to, e->ring);
    fputs(", max_size: ", to);
    put_bytes(to, e->max_size);
    fprintf(to, ", snap: %u, per_event: %u, per_minute: %u, severity: %s}\n", e->snap, e->per_event,
            e->per_minute, severity_name(e->severity));
}

static void print_capture(const struct policy_capture *c, FILE *to)
{
    fprintf(to, "  capture: {threads: %u%s", c->threads, c->ring ? ", ring: " : "");
    if (c->ring)
        put_bytes(to, c->ring);
    for (size_t i = 0; i < c->cpu_count; i++)
        fprintf(to, "%s%u%s", i ? ", " : ", cpus: [", c->cpus[i], i + 1 < c->cpu_count ? "" : "]");
    fputs("}\n", to);
}

static void print_peer(const struct policy_peer *peer, FILE *to)
{
    if (addr_is_zero(&peer->listen))
        return;
    fputs("  peer: {listen: ", to);
    put_addr(to, &peer->listen);
    fputs(", address: ", to);
    put_addr(to, &peer->address);
    fprintf(to, ", port: %u, key: ", peer->port);
    put_text(to, peer->key);
    fputs("}\n", to);
}

static void print_sensor(const struct policy *p, FILE *to)
{
    fputs("sensor:\n", to);
    if (p->name[0])
        put_pair(to, "  name: ", p->name);
    put_interfaces(to, "  interfaces: [", p->interfaces, p->interface_count);
    fprintf(to, "  mode: %s\n", mode_name(p->mode));
    fprintf(to, "  place: %s\n", place_name(p->place));
    fprintf(to, "  profile: %s\n", footprint_name(p->profile));
    if (p->max_flows)
        fprintf(to, "  max_flows: %u\n", p->max_flows);
    put_numbers(to, "  ports: [", p->extra_ports, p->extra_port_count);
    print_capture(&p->capture, to);
    fprintf(to, "  tunnels: %s\n", flag(p->tunnels));
    fprintf(to, "  shunt: %s\n", p->shunt ? "auto" : "off");
    put_texts(to, "  internal_domains: [", p->internal_domains, p->internal_domain_count);
    fprintf(to, "  on_exit: %s\n", p->remove_on_exit ? "remove" : "keep");
    fprintf(to, "  on_resolver_outage: %s\n", p->open_on_outage ? "open" : "stay");
    fprintf(to, "  preflight: %s\n", flag(p->preflight));
    fputs(p->set_only ? "  set_only: true\n" : "", to);
    fputs("  pairs: {timeout: ", to);
    put_age(to, p->pairs.timeout);
    fprintf(to, ", hidden: %s}\n", flag(p->pairs.hidden));
    print_peer(&p->peer, to);
    fprintf(to, "  nftables: {owner: %s, persist: %s, log_group: %u}\n", flag(p->owner_flag),
            flag(p->persist_flag), p->log_group);
    print_roles(p, to);
    fputs("store: {path: ", to);
    put_text(to, p->store_path);
    fputs(", max_size: ", to);
    put_bytes(to, p->store_max_size);
    fputs(", max_age: ", to);
    put_age(to, p->store_max_age);
    print_retention(p, to);
    fputs("}\ncontrol: {socket: ", to);
    put_text(to, p->socket_path);
    fputs("}\nprobe: {", to);
    if (p->probe.interval) {
        fputs("interval: ", to);
        put_age(to, p->probe.interval);
        fputs(", ", to);
    }
    fputs("timeout: ", to);
    put_age(to, p->probe.timeout);
    fprintf(to, ", on_sight: %s}\n", flag(p->probe.on_sight));
    print_evidence(&p->evidence, to);
}

static void print_addresses(const struct policy_resolver *r, FILE *to, bool shared)
{
    size_t written = 0;

    for (size_t i = 0; i < r->address_count; i++) {
        if (r->addresses[i].shared != shared)
            continue;
        if (written++ == 0)
            fputs(shared ? "    shared: [" : "    addresses: [", to);
        else
            fputs(", ", to);
        put_addr(to, &r->addresses[i].addr);
    }
    if (written)
        fputs("]\n", to);
}

static void print_resolver(const struct policy_resolver *r, FILE *to)
{
    static const struct {
        const char *word;
        enum transport transport;
    } words[] = {
        {"do53", TRANSPORT_DO53_UDP}, {"dot", TRANSPORT_DOT},   {"doq", TRANSPORT_DOQ},
        {"doh2", TRANSPORT_DOH2},     {"doh3", TRANSPORT_DOH3}, {"dnscrypt", TRANSPORT_DNSCRYPT},
    };
    size_t written = 0;

    put_pair(to, "  - id: ", r->id);
    if (r->catalog[0])
        put_pair(to, "    catalog: ", r->catalog);
    if (r->name_count)
        put_pair(to, "    name: ", r->names[0]);
    if (r->name_count > 1)
        put_texts(to, "    names: [", r->names + 1, r->name_count - 1);
    print_addresses(r, to, false);
    print_addresses(r, to, true);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (r->transports >> words[i].transport & 1)
            fprintf(to, "%s%s", written++ ? ", " : "    transports: [", words[i].word);
    if (written)
        fputs("]\n", to);
    put_texts(to, "    pins: [", r->pins, r->pin_count);
    if (r->ca[0])
        put_pair(to, "    ca: ", r->ca);
}

static void print_resolvers(const struct policy *p, FILE *to)
{
    size_t count = 0;

    while (count < p->resolver_count && p->resolvers[count].from_policy)
        count++;
    fputs(count ? "resolvers:\n" : "resolvers: []\n", to);
    for (size_t i = 0; i < count; i++)
        print_resolver(p->resolvers + i, to);
}

static void print_rollout(const struct policy_rollout *o, FILE *to)
{
    if (!o->given)
        return;
    fprintf(to, "    rollout: {percent: %u, clients: [", o->percent);
    for (size_t i = 0; i < o->client_count; i++) {
        put_comma(to, i);
        put_prefix(to, o->clients + i);
    }
    fputs("]}\n", to);
}

static void print_zone(const struct policy *p, const struct policy_zone *z, FILE *to)
{
    put_pair(to, "  - id: ", z->id);
    for (size_t i = 0; i < z->network_count; i++) {
        fputs(i ? ", " : "    networks: [", to);
        put_prefix(to, z->networks + i);
    }
    fputs(z->network_count ? "]\n" : "", to);
    put_interfaces(to, "    interfaces: [", z->interfaces, z->interface_count);
    put_numbers(to, "    vlans: [", z->vlans, z->vlan_count);
    fputs("    approve: [", to);
    for (size_t i = 0; i < z->approve_count; i++) {
        put_comma(to, i);
        put_text(to, p->resolvers[z->approve[i]].id);
    }
    fprintf(to, "]\n    cleartext: %s\n", action_name(z->cleartext));
    for (size_t i = 2, put = 0; i-- > 0;)
        if (!addr_is_zero(z->redirect_to + i)) {
            fputs(put++ ? ", " : "    redirect_to: [", to);
            put_addr(to, z->redirect_to + i);
        }
    fputs(z->cleartext == ACTION_REDIRECT ? "]\n" : "", to);
    fprintf(to, "    unapproved: %s\n    bootstrap: %s\n    gateway_resolver: %s\n",
            action_name(z->unapproved), flag(z->bootstrap), flag(z->gateway_resolver));
    print_rollout(&z->rollout, to);
}

static void put_until(FILE *to, nsec_t until)
{
    bool whole_day = until % (86400 * NSEC_S) == 86400 * NSEC_S - 1;
    char text[TIME_TEXT];

    time_text(until, text);
    if (whole_day)
        fprintf(to, "%.10s", text);
    else
        fprintf(to, "\"%.19sZ\"", text);
}

static void print_exception(const struct policy *p, const struct policy_exception *x, FILE *to)
{
    char station[STATION_TEXT];

    fputs(x->station                ? "  - mac: "
          : x->client.length == 128 ? "  - client: "
                                    : "  - network: ",
          to);
    if (x->station)
        fprintf(to, "\"%s\"", station_text(x->station, station));
    else if (x->client.length == 128)
        put_addr(to, &x->client.addr);
    else
        put_prefix(to, &x->client);
    if (x->resolver >= 0)
        put_pair(to, "\n    resolver: ", p->resolvers[x->resolver].id);
    fputs(x->resolver >= 0 ? "    until: " : "\n    until: ", to);
    put_until(to, x->until);
    put_pair(to, "\n    owner: ", x->owner);
    put_pair(to, "    reason: ", x->reason);
}

static void print_mute(const struct policy_mute *m, FILE *to)
{
    put_pair(to, m->rule[0] ? "  - rule: " : "  - kind: ",
             m->rule[0] ? m->rule : kind_name((unsigned)m->kind));
    if (m->has_client) {
        fputs("    network: ", to);
        put_prefix(to, &m->client);
        putc('\n', to);
    }
    if (m->has_server) {
        fputs("    server: ", to);
        put_prefix(to, &m->server);
        putc('\n', to);
    }
    if (m->name[0])
        put_pair(to, "    name: ", m->name);
    fputs("    until: ", to);
    put_until(to, m->until);
    put_pair(to, "\n    owner: ", m->owner);
    put_pair(to, "    reason: ", m->reason);
}

static void put_setting(FILE *to, const char *key, const char *value)
{
    if (!value[0])
        return;
    fprintf(to, ", %s: ", key);
    put_text(to, value);
}

static void put_words(FILE *to, const char *before, uint32_t bits, const char *(*word)(unsigned),
                      unsigned count)
{
    const char *gap = before;

    for (unsigned i = 0; i < count; i++) {
        if (!(bits & 1u << i))
            continue;
        fprintf(to, "%s%s", gap, word(i));
        gap = ", ";
    }
    if (bits)
        putc(']', to);
}

static void print_output(const struct policy_output *o, FILE *to)
{
    fprintf(to, "  - {type: %s, format: %s, id: %s, severity: %s, repeats: %s", o->type, o->format,
            o->id, severity_name(o->severity), flag(o->repeats));
    put_words(to, ", kinds: [", o->kinds, kind_name, KIND_COUNT);
    if (o->types != 1u << EVENT_ALERT)
        put_words(to, ", types: [", o->types, event_type_name, EVENT_TYPE_COUNT);
    put_setting(to, "path", o->path);
    put_setting(to, "server", o->server);
    put_setting(to, "url", o->url);
    if (strcmp(o->type, "syslog") == 0)
        fprintf(to, ", transport: %s, facility: %s", syslog_transport_name(o->transport),
                syslog_facility_name(o->facility));
    put_setting(to, strcmp(o->type, "kafka") == 0 ? "topic" : "table", o->topic);
    put_setting(to, "user", o->user);
    put_setting(to, "secret", o->secret);
    put_setting(to, "ca", o->ca);
    put_setting(to, "certificate", o->certificate);
    put_setting(to, "key", o->key);
    if (o->spool) {
        fputs(", spool: ", to);
        put_bytes(to, o->spool);
    }
    fputs("}\n", to);
}

static void print_listen(const struct policy_web *w, FILE *to)
{
    char text[ADDR_TEXT];
    bool v6 = strchr(addr_text(&w->address, text), ':') != NULL;

    fprintf(to, v6 ? "[%s]:%u" : "%s:%u", text, w->port);
}

static void print_viewers(const struct policy_web *w, FILE *to)
{
    for (size_t i = 0; i < w->viewer_count; i++) {
        fputs(i ? ", {token: " : ", viewers: [{token: ", to);
        put_text(to, w->viewers[i].token);
        fprintf(to, ", clients: %s}", w->viewers[i].clients ? "true" : "false");
    }
    if (w->viewer_count)
        putc(']', to);
    for (size_t i = 0; i < WEB_HOSTS && w->hosts[i][0]; i++) {
        fputs(i ? ", " : ", hosts: [", to);
        put_text(to, w->hosts[i]);
    }
    if (w->hosts[0][0])
        putc(']', to);
}

static void print_web(const struct policy_web *w, FILE *to)
{
    if (w->off) {
        fputs("web: {listen: off}\n", to);
        return;
    }
    fputs("web: {listen: \"", to);
    print_listen(w, to);
    fputs("\"", to);
    put_setting(to, "token", w->token);
    if (w->certificate[0]) {
        fputs(", tls: {certificate: ", to);
        put_text(to, w->certificate);
        put_setting(to, "key", w->key);
        put_setting(to, "client_ca", w->client_ca);
        putc('}', to);
    }
    print_viewers(w, to);
    fputs("}\n", to);
}

static void print_privacy(const struct policy_privacy *v, FILE *to)
{
    if (!v->key[0])
        return;
    fprintf(to, "privacy: {clients: %s, rotate: ", client_form_name(v->clients));
    put_age(to, v->rotate);
    put_setting(to, "key", v->key);
    put_words(to, ", in: [", v->in, privacy_place_name, PRIVACY_PLACE_COUNT);
    fputs("}\n", to);
}

static void print_query_log(const struct policy *p, FILE *to)
{
    const struct policy_query_log *q = &p->query_log;
    const char *gap = ", zones: [";

    fprintf(to, "query_log: {mode: %s", query_mode_name(q->mode));
    if (q->mode == QUERIES_SAMPLED)
        fprintf(to, ", sample: 1/%u", q->sample);
    if (q->mode == QUERIES_AGGREGATED) {
        fputs(", interval: ", to);
        put_age(to, q->interval);
    }
    fprintf(to, ", clients: %s, names: %s, answers: %s", client_form_name(q->clients),
            name_form_name(q->names), flag(q->answers));
    for (size_t z = 0; z < p->zone_count && q->some_zones; z++)
        if (p->zones[z].logged) {
            fputs(gap, to);
            put_text(to, p->zones[z].id);
            gap = ", ";
        }
    fprintf(to, "%s, store: %s, retention: ", q->some_zones ? "]" : "", flag(q->store));
    put_age(to, q->retention);
    fputs("}\n", to);
}

int conf_print(const struct policy *p, FILE *to)
{
    print_sensor(p, to);
    print_resolvers(p, to);
    fputs("zones:\n", to);
    for (size_t i = 0; i < p->zone_count; i++)
        print_zone(p, p->zones + i, to);
    fputs(p->exception_count ? "exceptions:\n" : "exceptions: []\n", to);
    for (size_t i = 0; i < p->exception_count; i++)
        print_exception(p, p->exceptions + i, to);
    fputs(p->mute_count ? "mutes:\n" : "mutes: []\n", to);
    for (size_t i = 0; i < p->mute_count; i++)
        print_mute(p->mutes + i, to);
    print_web(&p->web, to);
    print_privacy(&p->privacy, to);
    print_query_log(p, to);
    fputs(p->output_count ? "outputs:\n" : "outputs: []\n", to);
    for (size_t i = 0; i < p->output_count; i++)
        print_output(p->outputs + i, to);
    return fflush(to) == 0 && !ferror(to) ? SD_OK : SD_EIO;
}
