/* Hours of conversations, gathered to conversations. Rows come in the order of the store's key, so
 * the clients and servers of an hour follow each other as they did in the hour before: mostly a row
 * is the next one of what followed then, which is four comparisons instead of three look-ups. */
#include "decide/plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "decide/plan_state.h"

#define CLIENTS_MOST 262144
#define NAMES_MOST   262144
#define KEY_MOST     192 /* an address or a name as recorded; longer ones are damaged */

struct plan *plan_create(const struct policy *policy, nsec_t now, uint64_t seed)
{
    struct plan *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    p->policy = policy;
    p->now = now;
    p->last = NOBODY;
    intern_init(&p->aliases, CLIENTS_MOST, seed);
    intern_init(&p->client_keys, CLIENTS_MOST, seed);
    intern_init(&p->server_keys, PLAN_MOST, seed);
    intern_init(&p->names, NAMES_MOST, seed);
    intern_init(&p->keys, PLAN_MOST, seed);
    intern_init(&p->machine_keys, CLIENTS_MOST, seed);
    intern_init(&p->blocked, PLAN_MOST, seed);
    if (intern_number(&p->names, "", 1) != 0) {
        plan_destroy(p);
        return NULL;
    }
    return p;
}

void plan_destroy(struct plan *p)
{
    if (!p)
        return;
    intern_finish(&p->aliases);
    intern_finish(&p->client_keys);
    intern_finish(&p->server_keys);
    intern_finish(&p->names);
    intern_finish(&p->keys);
    intern_finish(&p->machine_keys);
    intern_finish(&p->blocked);
    free(p->client_of);
    free(p->machine_of);
    free(p->clients);
    free(p->servers);
    free(p->conversations);
    free(p->result.conversations);
    free(p->result.clients);
    free(p->result.servers);
    free(p->result.names);
    free(p->result.zones);
    free(p->result.exceptions);
    free(p);
}

/* A zeroed element more at the end of an array that doubles. */
static void *append(void *array, size_t *room, size_t count, size_t size)
{
    char *grown = array;

    if (count == *room) {
        size_t wanted = *room ? *room * 2 : 256;

        if ((grown = realloc(array, wanted * size)) == NULL)
            return NULL;
        *room = wanted;
    }
    memset(grown + count * size, 0, size);
    return grown;
}

static bool parse(struct history_text t, struct addr *out)
{
    char text[ADDR_TEXT];

    if (t.length == 0 || t.length >= sizeof text)
        return false;
    memcpy(text, t.at, t.length);
    text[t.length] = '\0';
    return addr_parse(text, out) == SD_OK;
}

static bool demands(const struct policy_zone *z)
{
    return z->interface_count || z->vlan_count;
}

static bool is_called(const struct policy_zone *z, struct history_text name)
{
    return strlen(z->id) == name.length && memcmp(z->id, name.at, name.length) == 0;
}

/* Behind one of the interfaces and VLANs that the zone asks for, the client is in this zone. */
static bool could_be_in(const struct policy *p, int16_t zone, const struct addr *client)
{
    const struct policy_zone *z = p->zones + zone;
    size_t interfaces = z->interface_count ? z->interface_count : 1;
    size_t vlans = z->vlan_count ? z->vlan_count : 1;

    for (size_t i = 0; i < interfaces; i++)
        for (size_t k = 0; k < vlans; k++)
            if (policy_zone_of(p, client, z->interface_count ? z->interfaces[i] : "",
                               z->vlan_count ? z->vlans[k] : 0) == zone)
                return true;
    return false;
}

/* Interface and VLAN are not recorded. Where a zone hangs on them, the zone that was recorded says
 * behind which the client was, as long as the policy still calls it so. */
static int16_t zone_of(const struct policy *p, const struct addr *client,
                       struct history_text recorded, bool *uncertain)
{
    *uncertain = false;
    if (is_called(p->zones + ZONE_GATEWAY, recorded))
        return ZONE_GATEWAY;
    for (size_t i = 0; i < p->zone_count; i++) {
        if (!demands(p->zones + i) || !could_be_in(p, (int16_t)i, client))
            continue;
        *uncertain = !is_called(p->zones + i, recorded);
        if (!*uncertain)
            return (int16_t)i;
    }
    return policy_zone_of(p, client, "", 0);
}

/* The client of an address in a zone, a new one on first sight. */
static int64_t client_at(struct plan *p, const struct addr *address, int16_t zone)
{
    struct {
        struct addr address;
        int64_t zone;
    } key = {*address, zone};
    size_t before = p->client_keys.count;
    int64_t number = intern_number(&p->client_keys, &key, sizeof key);
    void *grown;

    if (number < 0 || p->client_keys.count == before)
        return number;
    grown = append(p->clients, &p->client_room, before, sizeof *p->clients);
    if (!grown)
        return SD_EMEM;
    p->clients = grown;
    p->clients[number].address = *address;
    p->clients[number].zone = zone;
    return number;
}

/* What a row says of its client: address and zone, with a NUL between. */
static size_t alias_key(const struct history_row *row, char key[KEY_MOST])
{
    size_t length = row->client.length;

    memcpy(key, row->client.at, length);
    key[length++] = '\0';
    memcpy(key + length, row->zone.at, row->zone.length);
    return length + row->zone.length;
}

static int64_t alias_of(struct plan *p, const struct history_row *row)
{
    char key[KEY_MOST];
    size_t before = p->aliases.count;
    struct addr address;
    bool uncertain;
    int64_t number, client;
    void *grown;

    if (row->client.length + row->zone.length >= sizeof key || !parse(row->client, &address))
        return SD_EMALF;
    number = intern_number(&p->aliases, key, alias_key(row, key));
    if (number < 0 || p->aliases.count == before)
        return number;
    client = client_at(p, &address, zone_of(p->policy, &address, row->zone, &uncertain));
    grown = append(p->client_of, &p->alias_room, before, sizeof *p->client_of);
    if (!grown)
        return SD_EMEM;
    p->client_of = grown;
    p->client_of[number] = client >= 0 ? (uint32_t)client : NOBODY;
    if (client >= 0)
        p->clients[client].zone_uncertain |= uncertain;
    return client == SD_EMEM ? SD_EMEM : number;
}

static int64_t server_of(struct plan *p, const struct history_row *row, const struct addr *address)
{
    size_t before = p->server_keys.count;
    int64_t number = intern_number(&p->server_keys, row->server.at, row->server.length);
    bool shared;
    void *grown;

    if (number < 0 || p->server_keys.count == before)
        return number;
    grown = append(p->servers, &p->server_room, before, sizeof *p->servers);
    if (!grown)
        return SD_EMEM;
    p->servers = grown;
    p->servers[number].address = *address;
    p->servers[number].resolver = policy_resolver_at(p->policy, address, &shared);
    p->servers[number].shared = shared;
    return number;
}

static int transport_at(struct history_text t)
{
    char word[16];

    if (t.length >= sizeof word)
        return -1;
    memcpy(word, t.at, t.length);
    word[t.length] = '\0';
    return transport_of(word);
}

static bool says(const struct intern *n, uint32_t number, struct history_text t)
{
    return n->keys[number].length == t.length &&
           memcmp(intern_bytes(n, number), t.at, t.length) == 0;
}

static bool is_alias(const struct plan *p, uint32_t alias, const struct history_row *row)
{
    const char *key = intern_bytes(&p->aliases, alias);
    size_t length = p->aliases.keys[alias].length;

    return length == row->client.length + 1 + row->zone.length &&
           memcmp(key, row->client.at, row->client.length) == 0 &&
           key[row->client.length] == '\0' &&
           memcmp(key + row->client.length + 1, row->zone.at, row->zone.length) == 0;
}

static bool is_of(const struct plan *p, const struct plan_conversation *c,
                  const struct history_row *row)
{
    const char *transport = transport_name(c->transport);

    return c->server_port == row->server_port && is_alias(p, c->alias, row) &&
           says(&p->server_keys, c->server, row->server) &&
           strlen(transport) == row->transport.length &&
           memcmp(transport, row->transport.at, row->transport.length) == 0;
}

static struct plan_conversation *predicted(struct plan *p, const struct history_row *row)
{
    uint32_t next = p->last == NOBODY ? NOBODY : p->conversations[p->last].next;

    if (next == NOBODY || !is_of(p, p->conversations + next, row))
        return NULL;
    p->last = next;
    return p->conversations + next;
}

/* No rule looks at anything else than these. */
static bool concerns(const struct plan *p, int transport, uint16_t port, const struct addr *server)
{
    return (transport > TRANSPORT_UNKNOWN && transport <= TRANSPORT_DNSCRYPT) || port == 53 ||
           port == 853 || policy_resolver_at(p->policy, server, NULL) >= 0;
}

static int64_t conversation_of(struct plan *p, const struct history_row *row, uint8_t transport,
                               const struct addr *address)
{
    struct {
        uint32_t client, server, port, transport;
    } key = {.port = row->server_port, .transport = transport};
    int64_t alias = alias_of(p, row), server = alias < 0 ? alias : server_of(p, row, address);
    size_t before = p->keys.count;
    int64_t number;
    void *grown;

    if (server < 0)
        return server;
    if ((key.client = p->client_of[alias]) == NOBODY)
        return SD_ELIMIT;
    key.server = (uint32_t)server;
    number = intern_number(&p->keys, &key, sizeof key);
    if (number >= 0 && p->keys.count > before) {
        grown = append(p->conversations, &p->room, before, sizeof *p->conversations);
        if (!grown)
            return SD_EMEM;
        p->conversations = grown;
        p->conversations[number] = (struct plan_conversation){.client = key.client,
                                                              .server = key.server,
                                                              .next = NOBODY,
                                                              .server_port = row->server_port,
                                                              .transport = transport,
                                                              .exception = -1,
                                                              .first = row->hour};
    }
    if (number >= 0)
        p->conversations[number].alias = (uint32_t)alias;
    return number;
}

static struct plan_conversation *follow(struct plan *p, int64_t number)
{
    if (p->last != NOBODY)
        p->conversations[p->last].next = (uint32_t)number;
    p->last = (uint32_t)number;
    return p->conversations + number;
}

/* The last name is that of the conversation. Names without number stay unsaid. */
static int name_it(struct plan *p, struct plan_conversation *c, struct history_text name)
{
    const struct intern_key *k = p->names.keys + c->name;
    char text[KEY_MOST];
    int64_t number;

    if (!name.length || name.length >= sizeof text || memchr(name.at, '\0', name.length) ||
        (k->length == name.length + 1 && memcmp(p->names.bytes + k->at, name.at, name.length) == 0))
        return SD_OK;
    memcpy(text, name.at, name.length);
    text[name.length] = '\0';
    number = intern_number(&p->names, text, name.length + 1);
    if (number >= 0)
        c->name = (uint32_t)number;
    return number == SD_EMEM ? SD_EMEM : SD_OK;
}

/* Over port 53 an answer is a message; what is sealed was answered where a flow did not fail. */
static bool was_answered(const struct history_row *row, uint8_t transport)
{
    if (transport == TRANSPORT_DO53_UDP || transport == TRANSPORT_DO53_TCP)
        return row->responses > 0;
    return row->responses > 0 || row->flows > row->flows_failed;
}

static int add(struct plan *p, struct plan_conversation *c, const struct history_row *row)
{
    c->flows += row->flows;
    c->flows_failed += row->flows_failed;
    c->queries += row->queries;
    c->responses += row->responses;
    if (row->gateway_resolver)
        p->servers[c->server].was_gateway = true;
    if (row->hour < c->first)
        c->first = row->hour;
    if (row->hour > c->last)
        c->last = row->hour;
    if (was_answered(row, c->transport)) {
        if (!c->answered_first || row->hour < c->answered_first)
            c->answered_first = row->hour;
        if (row->hour > c->answered_last)
            c->answered_last = row->hour;
    }
    return name_it(p, c, row->name);
}

static int leave_out(struct plan *p, const struct history_row *row, int64_t why)
{
    struct plan_result *r = &p->result;

    if (why == SD_EMEM)
        return SD_EMEM;
    if (why == SD_EMALF) {
        r->damaged_rows++;
        return SD_OK;
    }
    r->omitted.rows++;
    r->omitted.flows += row->flows;
    r->omitted.queries += row->queries;
    return SD_OK;
}

int plan_take(struct plan *p, const struct history_row *row)
{
    struct plan_result *r = &p->result;
    struct plan_conversation *c;
    struct addr server;
    int transport;
    int64_t number;

    r->rows++;
    if (!r->first || row->hour < r->first)
        r->first = row->hour;
    if (row->hour > r->last)
        r->last = row->hour;
    if ((c = predicted(p, row)) != NULL)
        return add(p, c, row);
    if (row->client.length == 0)
        return leave_out(p, row, SD_ELIMIT);
    if ((transport = transport_at(row->transport)) < 0 || !parse(row->server, &server))
        return leave_out(p, row, SD_EMALF);
    if (!concerns(p, transport, row->server_port, &server)) {
        r->other_rows++;
        return SD_OK;
    }
    number = conversation_of(p, row, (uint8_t)transport, &server);
    return number < 0 ? leave_out(p, row, number) : add(p, follow(p, number), row);
}

int plan_machine(struct plan *p, const struct addr *address, uint32_t machine)
{
    size_t before = p->machine_keys.count;
    int64_t number = intern_number(&p->machine_keys, address, sizeof *address);
    void *grown;

    if (number < 0)
        return number == SD_ELIMIT ? SD_OK : SD_EMEM;
    if (p->machine_keys.count > before) {
        grown = append(p->machine_of, &p->machine_room, before, sizeof *p->machine_of);
        if (!grown)
            return SD_EMEM;
        p->machine_of = grown;
    }
    p->machine_of[number] = machine;
    if (machine >= p->machines)
        p->machines = machine + 1;
    return SD_OK;
}

size_t plan_gateways(const struct plan *p, struct addr *out, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < p->server_keys.count && count < most; i++)
        if (p->servers[i].was_gateway && !policy_is_gateway(p->policy, &p->servers[i].address))
            out[count++] = p->servers[i].address;
    return count;
}

int plan_blocked(struct plan *p, const struct addr *client, const struct addr *server,
                 bool cleartext)
{
    struct plan_block key = {*client, *server, cleartext};

    return intern_number(&p->blocked, &key, sizeof key) == SD_EMEM ? SD_EMEM : SD_OK;
}

const struct plan_result *plan_result(const struct plan *p)
{
    return &p->result;
}

const struct plan_client *plan_client(const struct plan *p, uint32_t number)
{
    assert(number < p->client_keys.count);
    return p->clients + number;
}

const struct plan_server *plan_server(const struct plan *p, uint32_t number)
{
    assert(number < p->server_keys.count);
    return p->servers + number;
}

const char *plan_name(const struct plan *p, uint32_t number)
{
    return number < p->names.count ? intern_bytes(&p->names, number) : "";
}
