/* `store`: where it lies, and how much of it stays for how long. */
#include <string.h>

#include "conf/reader.h"

#define LEAST (3600 * NSEC_S)

/* Kinds of events by their word; `dns` and `conversations` are no kinds. */
static nsec_t *place_of(struct policy *p, const char *key)
{
    int kind = kind_of(key);

    if (strcmp(key, "dns") == 0)
        return &p->query_log.retention;
    if (strcmp(key, "conversations") == 0)
        return &p->conversation_retention;
    return kind >= 0 ? &p->store_retention[kind] : NULL;
}

static void complain_of_key(struct reader *r, const struct node *key)
{
    struct nearest near = nearest_to(key->text);
    char quoted[OPTION_ERROR], hint[OPTION_ERROR];

    nearest_offer(&near, "dns");
    nearest_offer(&near, "conversations");
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        nearest_offer(&near, kind_name(kind));
    complain(r->complaints, key, "`retention` knows no %s: a kind of event, conversations or dns%s",
             option_quote(key->text, quoted), nearest_text(&near, hint));
}

static void read_retention(struct reader *r, const struct node *map, void *object)
{
    if (map->kind != NODE_MAP) {
        complain(r->complaints, map, "`retention` is a map, as {cleartext: 90d, dns: 30d}");
        return;
    }
    for (const struct node *n = map->first; n; n = n->next) {
        nsec_t *place = place_of(object, n->key->text);
        const struct option option = {.name = n->key->text, .kind = OPTION_DURATION};

        if (!place)
            complain_of_key(r, n->key);
        else if (tree_member(map, n->key->text) != n)
            complain(r->complaints, n->key, "`%s` is there twice", n->key->text);
        else if (read_value(r, n, &option, place) && *place < LEAST)
            complain(r->complaints, n, "`%s` is too short: at least 1h", n->key->text);
    }
}

void read_store(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("path", OPTION_PATH, FIELD(struct policy, store_path)),
        KEY("max_size", OPTION_BYTES, FIELD(struct policy, store_max_size)),
        KEY("max_age", OPTION_DURATION, FIELD(struct policy, store_max_age)),
        PART("retention", read_retention),
        KEYS_END,
    };
    const struct policy *p = object;
    const struct node *size = tree_member(n, "max_size"), *age = tree_member(n, "max_age");

    read_map(r, n, keys, object, "`store`");
    if (size && size->kind == NODE_TEXT && p->store_max_size < 16u << 20)
        complain(r->complaints, size, "`max_size` is too small: at least 16MiB");
    if (age && age->kind == NODE_TEXT && p->store_max_age < LEAST)
        complain(r->complaints, age, "`max_age` is too short: at least 1h");
}
