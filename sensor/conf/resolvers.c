/* Resolvers: of the policy by identity, of the catalogue, and one list out of both. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "conf/apart.h"
#include "conf/reader.h"
#include "model/policy_index.h"

#define DO53 (1u << TRANSPORT_DO53_UDP | 1u << TRANSPORT_DO53_TCP)
#define ENCRYPTED                                                                                  \
    (1u << TRANSPORT_DOT | 1u << TRANSPORT_DOQ | 1u << TRANSPORT_DOH2 | 1u << TRANSPORT_DOH3)
#define RESOLVERS_MOST 4000 /* of the policy; with the catalogue's they fit an int16_t */

/* do53 of a policy means both UDP and TCP. */
static const char *served_word(unsigned value)
{
    static const char *const words[] = {"do53", "dot", "doq", "doh2", "doh3", "dnscrypt"};

    return value < sizeof words / sizeof *words ? words[value] : "?";
}

void read_transports(struct reader *r, const struct node *value, void *resolver)
{
    static const struct option option = {
        .name = "transports", .kind = OPTION_WORD, .word = served_word};
    static const uint32_t bits[] = {
        DO53,
        1u << TRANSPORT_DOT,
        1u << TRANSPORT_DOQ,
        1u << TRANSPORT_DOH2,
        1u << TRANSPORT_DOH3,
        1u << TRANSPORT_DNSCRYPT,
    };
    struct policy_resolver *to = resolver;
    unsigned word;

    if (!read_is_list(r, value))
        return;
    if (!value->first)
        complain(r->complaints, value->key, "`transports` is empty: name what may be used");
    to->transports = 0;
    for (const struct node *e = value->first; e && !complaints_full(r->complaints); e = e->next)
        if (read_value(r, e, &option, &word))
            to->transports |= bits[word];
}

static void add_addresses(struct reader *r, const struct node *list, struct policy_resolver *to,
                          bool shared)
{
    static const struct option option = {.name = "addresses", .kind = OPTION_ADDRESS};
    struct addr a;

    if (!read_is_list(r, list))
        return;
    for (const struct node *e = list->first; e && !complaints_full(r->complaints); e = e->next) {
        struct policy_address *place;

        if (!read_value(r, e, &option, &a))
            continue;
        if (addr_is_zero(&a) || a.b[0] == 0xff || (addr_is_v4(&a) && a.b[12] >= 224)) {
            complain(r->complaints, e, "%s is no address of a server", e->text);
            continue;
        }
        place = reader_grow(r, &to->addresses, &to->address_count, sizeof *place);
        if (!place)
            return;
        *place = (struct policy_address){.addr = a, .shared = shared};
        reader_spot(r, (struct spot){.prefix = {a, 128}, .at = e, .owner = -1});
    }
}

void read_addresses(struct reader *r, const struct node *value, void *resolver)
{
    add_addresses(r, value, resolver, false);
}

void read_shared(struct reader *r, const struct node *value, void *resolver)
{
    add_addresses(r, value, resolver, true);
}

void read_names(struct reader *r, const struct node *value, void *resolver)
{
    static const struct option option = {.name = "name", .kind = OPTION_NAME, .size = 256};
    struct policy_resolver *to = resolver;
    const struct node *e = value->kind == NODE_LIST ? value->first : value;
    size_t before = to->name_count;

    read_texts(r, value, &option, &to->names, &to->name_count);
    for (; e && before < to->name_count; e = e->next) {
        struct spot spot = {.name = to->names[before], .at = e, .owner = -1};
        char error[OPTION_ERROR], name[256];

        if (e->kind != NODE_TEXT || option_set(&option, e->text, name, error) != SD_OK)
            continue;
        reader_spot(r, spot);
        before++;
    }
}

static void read_pins(struct reader *r, const struct node *value, void *resolver)
{
    static const struct option option = {.name = "pins", .kind = OPTION_PIN, .size = 64};
    struct policy_resolver *to = resolver;

    if (read_is_list(r, value))
        read_texts(r, value, &option, &to->pins, &to->pin_count);
}

/* What the policy does not say itself is the catalogue's; but that an operator answers in clear
 * text approves no clear text. */
static void inherit(struct reader *r, struct policy_resolver *to, const struct node *entry,
                    const struct policy_resolver *from)
{
    bool own_names = tree_member(entry, "name") || tree_member(entry, "names");
    bool own_addresses = tree_member(entry, "addresses") || tree_member(entry, "shared");

    if (!tree_member(entry, "transports"))
        to->transports = from->transports & ~DO53;
    for (size_t i = 0; !own_names && i < from->name_count; i++) {
        char **name = reader_grow(r, &to->names, &to->name_count, sizeof *name);

        if (name && (*name = strdup(from->names[i])) == NULL) {
            r->out_of_memory = true;
            to->name_count--;
        }
    }
    for (size_t i = 0; !own_addresses && i < from->address_count; i++) {
        struct policy_address *a = reader_grow(r, &to->addresses, &to->address_count, sizeof *a);

        if (a)
            *a = from->addresses[i];
    }
}

static void check_id(struct reader *r, const struct node *entry, const struct policy_resolver *to)
{
    const struct node *id = tree_member(entry, "id");
    const struct policy *p = r->policy;

    for (size_t i = 0; to->id[0] && i + 1 < p->resolver_count; i++)
        if (strcmp(p->resolvers[i].id, to->id) == 0) {
            complain_again(r, entry, "resolver");
            return;
        }
    for (size_t i = 0; !to->catalog[0] && i < r->catalog_count; i++)
        if (strcmp(r->catalog[i].id, to->id) == 0)
            complain_softly(r->complaints, id,
                            "the catalogue has a `%s` too, and what it has beyond this stays "
                            "unapproved: `catalog: %s` takes it whole",
                            to->id, to->id);
}

static void read_catalog_id(struct reader *r, const struct node *n, void *resolver)
{
    static const struct option option = {.name = "catalog", .kind = OPTION_ID, .size = 64};
    struct policy_resolver *to = resolver;
    char quoted[OPTION_ERROR], hint[OPTION_ERROR];
    struct nearest near;

    if (!read_value(r, n, &option, to->catalog))
        return;
    near = nearest_to(n->text);
    for (size_t i = 0; i < r->catalog_count; i++) {
        if (strcmp(r->catalog[i].id, n->text) == 0)
            return;
        nearest_offer(&near, r->catalog[i].id);
    }
    complain(r->complaints, n, "the catalogue has no resolver %s%s", option_quote(n->text, quoted),
             nearest_text(&near, hint));
}

static const struct key resolver_keys[] = {
    KEY("id", OPTION_ID, .required = true, FIELD(struct policy_resolver, id)),
    PART("catalog", read_catalog_id),
    PART("name", read_names),
    PART("names", read_names),
    PART("addresses", read_addresses),
    PART("shared", read_shared),
    PART("transports", read_transports),
    PART("pins", read_pins),
    KEY("ca", OPTION_PATH, FIELD(struct policy_resolver, ca)),
    KEYS_END,
};

/* It says who the resolver is, be it right or wrong. */
static bool has_any(const struct node *entry)
{
    static const char *const keys[] = {"catalog", "name", "names", "addresses", "shared"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct node *n = tree_member(entry, keys[i]);

        if (n && (n->kind == NODE_TEXT || n->first))
            return true;
    }
    return false;
}

static void read_resolver(struct reader *r, const struct node *entry)
{
    struct policy *p = r->policy;
    struct policy_resolver *to;
    size_t spots = r->spot_count;

    if (p->resolver_count == RESOLVERS_MOST) {
        complain(r->complaints, entry, "too many resolvers: at most %d", RESOLVERS_MOST);
        return;
    }
    to = reader_grow(r, &p->resolvers, &p->resolver_count, sizeof *to);
    if (!to)
        return;
    to->from_policy = true;
    to->transports = ENCRYPTED;
    read_map(r, entry, resolver_keys, to, "a resolver");
    for (; spots < r->spot_count; spots++)
        r->spots[spots].owner = (int)p->resolver_count - 1;
    for (size_t i = 0; i < r->catalog_count; i++)
        if (strcmp(r->catalog[i].id, to->catalog) == 0)
            inherit(r, to, entry, r->catalog + i);
    if (!has_any(entry))
        complain(r->complaints, entry, "a resolver needs a `name`, `addresses` or `catalog`");
    check_id(r, entry, to);
}

/* Who has which address and name: what the policy writes out, before what it takes from the
 * catalogue, before the rest of the catalogue. */
struct claims {
    struct address_map addresses;
    struct name_map names;
};

static int owner_of(const struct claims *c, const struct addr *a)
{
    const struct address_entry *e = address_map_find(&c->addresses, a);

    return e ? e->value : -1;
}

/* Somebody before it has this name or address. */
static void complain_claimed(struct reader *r, size_t i, int owner)
{
    const struct spot *s = r->spots + i, *first = s;

    for (size_t k = 0; k < i && first == s; k++)
        if (r->spots[k].owner == owner && !r->spots[k].name == !s->name &&
            (s->name ? strcmp(r->spots[k].name, s->name) == 0
                     : addr_equal(&r->spots[k].prefix.addr, &s->prefix.addr)))
            first = r->spots + k;
    complain(r->complaints, s->at, "%s is of the resolver `%s` already, in line %u:%u", s->at->text,
             r->policy->resolvers[owner].id, first->at->line, first->at->column);
}

static void claim_spots(struct reader *r, struct claims *c)
{
    for (size_t i = 0; i < r->spot_count; i++) {
        const struct spot *s = r->spots + i;
        int owner = s->name ? name_map_same(&c->names, s->name) : owner_of(c, &s->prefix.addr);

        if (owner == s->owner)
            complain_softly(r->complaints, s->at, "%s is there twice", s->at->text);
        else if (owner >= 0)
            complain_claimed(r, i, owner);
        else if (s->name)
            name_map_add(&c->names, s->name, (int16_t)s->owner);
        else
            address_map_add(&c->addresses, &s->prefix.addr, (int16_t)s->owner, false);
    }
}

/* Keeps of a resolver what nobody before it claimed. */
static void claim(struct claims *c, struct policy_resolver *to, int16_t number)
{
    size_t kept = 0;

    for (size_t i = 0; i < to->address_count; i++) {
        int owner = owner_of(c, &to->addresses[i].addr);

        if (owner < 0)
            address_map_add(&c->addresses, &to->addresses[i].addr, number, false);
        if (owner < 0 || owner == number)
            to->addresses[kept++] = to->addresses[i];
    }
    to->address_count = kept;
    kept = 0;
    for (size_t i = 0; i < to->name_count; i++) {
        int owner = name_map_same(&c->names, to->names[i]);

        if (owner < 0)
            name_map_add(&c->names, to->names[i], number);
        if (owner < 0 || owner == number)
            to->names[kept++] = to->names[i];
        else
            free(to->names[i]);
    }
    to->name_count = kept;
}

static int claims_init(struct claims *c, const struct reader *r)
{
    const struct policy *p = r->policy;
    size_t addresses = r->spot_count, names = r->spot_count;
    int e;

    for (size_t i = 0; i < p->resolver_count + r->catalog_count; i++) {
        const struct policy_resolver *to =
            i < p->resolver_count ? p->resolvers + i : r->catalog + i - p->resolver_count;

        addresses += to->address_count;
        names += to->name_count;
    }
    if ((e = address_map_init(&c->addresses, addresses)) != SD_OK)
        return e;
    if ((e = name_map_init(&c->names, names)) != SD_OK)
        address_map_finish(&c->addresses);
    return e;
}

static void resolver_finish(struct policy_resolver *to)
{
    for (size_t i = 0; i < to->name_count; i++)
        free(to->names[i]);
    free(to->names);
    free(to->addresses);
}

/* The catalogue's entries follow the policy's resolvers, without what those took from them. */
static void append_catalog(struct reader *r, struct claims *c)
{
    struct policy *p = r->policy;

    for (size_t i = 0; i < r->catalog_count; i++) {
        struct policy_resolver *from = r->catalog + i, *to;

        claim(c, from, (int16_t)p->resolver_count);
        to = from->name_count + from->address_count
                 ? reader_grow(r, &p->resolvers, &p->resolver_count, sizeof *to)
                 : NULL;
        if (to)
            *to = *from;
        else
            resolver_finish(from);
        memset(from, 0, sizeof *from);
    }
}

void read_resolvers(struct reader *r, const struct node *list)
{
    struct claims c;

    r->spot_count = 0; /* what the catalogue's reading left */
    read_entries(r, list, "a resolver", read_resolver);
    if (claims_init(&c, r) != SD_OK) {
        r->out_of_memory = true;
        return;
    }
    claim_spots(r, &c);
    for (size_t i = 0; i < r->policy->resolver_count; i++)
        claim(&c, r->policy->resolvers + i, (int16_t)i);
    append_catalog(r, &c);
    address_map_finish(&c.addresses);
    name_map_finish(&c.names);
    r->spot_count = 0;
}

int16_t read_resolver_id(struct reader *r, const struct node *n, const char *id)
{
    const struct policy *p = r->policy;
    struct nearest near = nearest_to(id);
    char hint[OPTION_ERROR];

    for (size_t i = 0; i < p->resolver_count && p->resolvers[i].from_policy; i++) {
        if (strcmp(p->resolvers[i].id, id) == 0)
            return (int16_t)i;
        nearest_offer(&near, p->resolvers[i].id);
    }
    for (size_t i = 0; i < p->resolver_count; i++)
        if (strcmp(p->resolvers[i].id, id) == 0) {
            complain(r->complaints, n,
                     "`%s` is in the catalogue only: add {id: %s, catalog: %s} to `resolvers`", id,
                     id, id);
            return -1;
        }
    complain(r->complaints, n, "no resolver `%s` is defined%s", id, nearest_text(&near, hint));
    return -1;
}
