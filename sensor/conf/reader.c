#include "conf/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define KEYS_MOST 64

void *reader_grow(struct reader *r, void *array_pointer, size_t *count, size_t size)
{
    size_t n = *count;
    char *array;

    memcpy(&array, array_pointer, sizeof array);
    if ((n & (n - 1)) == 0) { /* 0 or a power of two: full */
        array = realloc(array, (n ? 2 * n : 1) * size);
        if (!array) {
            r->out_of_memory = true;
            return NULL;
        }
        memcpy(array_pointer, &array, sizeof array);
    }
    (*count)++;
    return memset(array + n * size, 0, size);
}

void reader_spot(struct reader *r, struct spot spot)
{
    struct spot *s = reader_grow(r, &r->spots, &r->spot_count, sizeof *s);

    if (s)
        *s = spot;
}

bool read_is_list(struct reader *r, const struct node *n)
{
    const char *name = n->key ? n->key->text : "this";
    char text[64];

    if (n->kind == NODE_LIST || n->kind == NODE_NOTHING)
        return true;
    if (n->kind == NODE_TEXT) {
        text_printable(n->text, sizeof text, text, sizeof text);
        complain(r->complaints, n, "`%s` is a list: write [%s]", name, text);
    } else {
        complain(r->complaints, n, "`%s` is a list: begin each entry with `- `", name);
    }
    return false;
}

bool read_value(struct reader *r, const struct node *n, const struct option *o, void *field)
{
    char error[OPTION_ERROR];

    if (n->kind == NODE_NOTHING) {
        complain(r->complaints, n->key ? n->key : n, "`%s` has no value", o->name);
        return false;
    }
    if (n->kind != NODE_TEXT) {
        complain(r->complaints, n, "`%s` is one value, not a %s", o->name,
                 n->kind == NODE_LIST ? "list" : "map");
        return false;
    }
    if (option_set(o, n->text, field, error) == SD_OK)
        return true;
    complain(r->complaints, n, "%s", error);
    return false;
}

static void read_list(struct reader *r, const struct node *n, const struct key *k, char *object)
{
    size_t *count = (size_t *)(void *)(object + k->count_offset);

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e && !complaints_full(r->complaints); e = e->next) {
        void *element = reader_grow(r, object + k->option.offset, count, k->element);

        if (!element)
            return;
        if (!read_value(r, e, &k->option, element))
            (*count)--;
    }
}

uint32_t read_words(struct reader *r, const struct node *list, const struct option *option)
{
    uint32_t bits = 0;
    unsigned word;

    if (!read_is_list(r, list))
        return 0;
    for (const struct node *n = list->first; n; n = n->next)
        if (read_value(r, n, option, &word))
            bits |= 1u << word;
    return bits;
}

void read_texts(struct reader *r, const struct node *n, const struct option *o, char ***texts,
                size_t *count)
{
    char text[256] = "";
    const struct node *e = n->kind == NODE_LIST ? n->first : n;

    if (n->kind == NODE_NOTHING)
        return;
    for (; e && !complaints_full(r->complaints); e = n->kind == NODE_LIST ? e->next : NULL) {
        char **place;

        if (!read_value(r, e, o, text))
            continue;
        if ((place = reader_grow(r, texts, count, sizeof *place)) == NULL)
            return;
        if ((*place = strdup(text)) == NULL) {
            r->out_of_memory = true;
            (*count)--;
            return;
        }
    }
}

void read_entries(struct reader *r, const struct node *list, const char *what,
                  void (*read)(struct reader *r, const struct node *entry))
{
    if (!list || !read_is_list(r, list))
        return;
    r->list = list;
    for (const struct node *e = list->first; e && !complaints_full(r->complaints); e = e->next) {
        if (r->out_of_memory)
            return;
        if (e->kind == NODE_MAP)
            read(r, e);
        else
            complain(r->complaints, e, "%s is a map: write {id: ..., ...} or one key a line", what);
    }
}

static void complain_unknown(struct reader *r, const struct node *key, const struct key *keys,
                             const char *what)
{
    char quoted[OPTION_ERROR], hint[OPTION_ERROR];
    struct nearest near = nearest_to(key->text);

    for (const struct key *k = keys; k->option.name; k++)
        nearest_offer(&near, k->option.name);
    complain(r->complaints, key, "%s has no key %s%s", what, option_quote(key->text, quoted),
             nearest_text(&near, hint));
}

static void read_member(struct reader *r, const struct node *n, const struct key *k, char *object)
{
    if (k->read)
        k->read(r, n, object);
    else if (k->element)
        read_list(r, n, k, object);
    else
        read_value(r, n, &k->option, object + k->option.offset);
}

void read_map(struct reader *r, const struct node *map, const struct key *keys, void *object,
              const char *what)
{
    const struct node *seen[KEYS_MOST] = {NULL};

    if (map->kind == NODE_TEXT || map->kind == NODE_LIST) {
        complain(r->complaints, map, "%s is a map: write `key: value`", what);
        return;
    }
    for (const struct node *n = map->first; n && !complaints_full(r->complaints); n = n->next) {
        size_t i = 0;

        while (keys[i].option.name && strcmp(keys[i].option.name, n->key->text) != 0)
            i++;
        if (!keys[i].option.name) {
            complain_unknown(r, n->key, keys, what);
        } else if (seen[i]) {
            complain(r->complaints, n->key, "`%s` is there twice; the first is in line %u",
                     n->key->text, seen[i]->line);
        } else {
            seen[i] = n->key;
            read_member(r, n, keys + i, object);
        }
    }
    for (size_t i = 0; keys[i].option.name; i++)
        if (keys[i].option.required && !seen[i])
            complain(r->complaints, map, "%s needs `%s`", what, keys[i].option.name);
}
