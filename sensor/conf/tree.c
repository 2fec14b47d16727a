#include "conf/tree.h"

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define ARENA_CHUNK   (64u << 10)
#define TREE_BRACKETS 1000u

struct chunk {
    struct chunk *next;
    size_t used, size;
    _Alignas(16) char bytes[];
};

struct tree {
    struct chunk *chunks;
    struct node *root;
    size_t nodes;
};

/* Where the next node goes: the open lists and maps from the root down. */
struct builder {
    struct tree *tree;
    struct complaints *complaints;
    struct level {
        struct node *open, *last, *key;
    } levels[TREE_DEPTH];
    unsigned depth;
    unsigned documents;
    unsigned brackets;
    unsigned last_line, last_column; /* of the text: the parser's end may lie behind it */
};

static void *arena(struct tree *t, size_t size)
{
    struct chunk *c = t->chunks;
    size_t want;

    size = (size + 15) & ~(size_t)15;
    if (!c || c->size - c->used < size) {
        want = size > ARENA_CHUNK ? size : ARENA_CHUNK;
        c = malloc(sizeof *c + want);
        if (!c)
            return NULL;
        *c = (struct chunk){.next = t->chunks, .size = want};
        t->chunks = c;
    }
    c->used += size;
    return memset(c->bytes + c->used - size, 0, size);
}

void tree_destroy(struct tree *t)
{
    if (!t)
        return;
    while (t->chunks) {
        struct chunk *next = t->chunks->next;

        free(t->chunks);
        t->chunks = next;
    }
    free(t);
}

const struct node *tree_root(const struct tree *t)
{
    return t->root;
}

const struct node *tree_member(const struct node *map, const char *key)
{
    for (const struct node *n = map && map->kind == NODE_MAP ? map->first : NULL; n; n = n->next)
        if (strcmp(n->key->text, key) == 0)
            return n;
    return NULL;
}

/* Hangs a node under the open list or map; in a map every other one is a key. */
static int place(struct builder *b, struct node *n)
{
    struct level *l = b->depth ? b->levels + b->depth - 1 : NULL;

    if (!l) {
        b->tree->root = n;
        return SD_OK;
    }
    if (l->open->kind == NODE_MAP && !l->key) {
        if (n->kind != NODE_TEXT) {
            complain(b->complaints, n, "a key is wanted here, one word with a colon behind it");
            return SD_ECONF;
        }
        l->key = n;
        return SD_OK;
    }
    n->key = l->key;
    l->key = NULL;
    *(l->last ? &l->last->next : &l->open->first) = n;
    l->last = n;
    return SD_OK;
}

/* libfyaml's marks stand behind an opening quote and behind the `*` of an alias. */
static unsigned has_sign(const struct fy_event *e, const struct fy_mark *mark)
{
    enum fy_scalar_style style;

    if (mark->column == 0)
        return 0;
    if (e->type == FYET_ALIAS)
        return 1;
    if (e->type != FYET_SCALAR || !e->scalar.value)
        return 0;
    style = fy_token_scalar_style(e->scalar.value);
    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

static int add(struct builder *b, struct fy_event *e, enum node_kind kind, struct node **out)
{
    const struct fy_mark *mark = fy_event_start_mark(e);
    struct node *n = arena(b->tree, sizeof *n);

    if (!n)
        return SD_EMEM;
    n->kind = kind;
    n->line = mark ? (unsigned)mark->line + 1 : 1;
    n->column = mark ? (unsigned)mark->column + 1 - has_sign(e, mark) : 1;
    *out = n;
    if (fy_event_get_anchor_token(e) || fy_event_get_tag_token(e) || e->type == FYET_ALIAS) {
        complain(
            b->complaints, n,
            "anchors, aliases and tags (`&`, `*`, `!`) are not read here: write the value out, "
            "in quotes if it begins with such a sign");
        return SD_ECONF;
    }
    if (++b->tree->nodes > TREE_NODES) {
        complain(b->complaints, n, "too much: more than %u values in one file", TREE_NODES);
        return SD_ECONF;
    }
    return SD_OK;
}

static int add_open(struct builder *b, struct fy_event *e, enum node_kind kind)
{
    struct node *n = NULL;
    int error = add(b, e, kind, &n);

    if (error == SD_OK)
        error = place(b, n);
    if (error != SD_OK)
        return error;
    if (b->depth == TREE_DEPTH) {
        complain(b->complaints, n, "nested too deeply: more than %u levels", TREE_DEPTH);
        return SD_ECONF;
    }
    b->levels[b->depth++] = (struct level){.open = n};
    return SD_OK;
}

/* A key without a value, and `~`, are nothing; in quotes they are text. */
static bool is_nothing(struct fy_token *token, const char *text, size_t length)
{
    if (token && fy_token_scalar_style(token) != FYSS_PLAIN)
        return false;
    return length == 0 || (length == 1 && *text == '~') ||
           (length == 4 && !memcmp(text, "null", 4));
}

static int add_scalar(struct builder *b, struct fy_event *e)
{
    struct fy_token *token = e->scalar.value;
    size_t length = 0;
    const char *text = token ? fy_token_get_text(token, &length) : "";
    struct node *n = NULL;
    char *copy;
    int error;

    if (!text)
        return SD_EMEM;
    error = add(b, e, is_nothing(token, text, length) ? NODE_NOTHING : NODE_TEXT, &n);
    if (error != SD_OK)
        return error;
    if (memchr(text, '\0', length)) {
        complain(b->complaints, n, "a NUL character inside a text");
        return SD_ECONF;
    }
    if ((copy = arena(b->tree, length + 1)) == NULL)
        return SD_EMEM;
    memcpy(copy, text, length);
    n->text = copy;
    return place(b, n);
}

static int add_close(struct builder *b)
{
    b->depth--;
    return SD_OK;
}

static int take(struct builder *b, struct fy_event *e)
{
    struct node *n;

    switch (e->type) {
    case FYET_DOCUMENT_START:
        if (b->documents++ == 0)
            return SD_OK;
        if (add(b, e, NODE_NOTHING, &n) == SD_OK)
            complain(b->complaints, n, "a second document begins here: one file is one document");
        return SD_ECONF;
    case FYET_MAPPING_START:
        return add_open(b, e, NODE_MAP);
    case FYET_SEQUENCE_START:
        return add_open(b, e, NODE_LIST);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return add_close(b);
    case FYET_SCALAR:
        return add_scalar(b, e);
    case FYET_ALIAS:
        return add(b, e, NODE_NOTHING, &n);
    default:
        return SD_OK;
    }
}

static void discard(struct fy_diag *diag, void *user, const char *text, size_t length)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)length;
}

/* What the parser said. */
static int tell_syntax(struct builder *b, struct fy_diag *diag)
{
    void *iterator = NULL;
    struct fy_diag_error *e;
    char quoted[OPTION_ERROR];

    while ((e = fy_diag_errors_iterate(diag, &iterator)) != NULL) {
        size_t length = strcspn(e->msg, "\n");

        snprintf(quoted, sizeof quoted, "%.*s", (int)(length < 120 ? length : 120), e->msg);
        if (e->line > 0 && (unsigned)e->line > b->last_line)
            complain_at(b->complaints, b->last_line, b->last_column, "not YAML: %s", quoted);
        else
            complain_at(b->complaints, e->line > 0 ? (unsigned)e->line : 1,
                        e->column > 0 ? (unsigned)e->column : 1, "not YAML: %s", quoted);
        return SD_ECONF;
    }
    complain_at(b->complaints, 1, 1, "not YAML");
    return SD_ECONF;
}

static int build(struct builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
    struct fy_event *e;
    int error = SD_OK;

    while (error == SD_OK && (e = fy_parser_parse(parser)) != NULL) {
        error = take(b, e);
        fy_parser_event_free(parser, e);
    }
    if (error == SD_OK && fy_parser_get_stream_error(parser))
        error = tell_syntax(b, diag);
    return error;
}

static int parse_with(struct builder *b, const struct conf_text *text, struct fy_diag *diag)
{
    struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_JSON_NONE,
                                  .diag = diag};
    struct fy_parser *parser = fy_parser_create(&config);
    int error;

    if (!parser)
        return SD_EMEM;
    error = fy_parser_set_string(parser, text->bytes, text->length) == 0 ? SD_OK : SD_EMEM;
    if (error == SD_OK)
        error = build(b, parser, diag);
    fy_parser_destroy(parser);
    return error;
}

/* Length of the UTF-8 sequence at s (RFC 3629), 0 when it is none. */
static size_t sequence(const unsigned char *s, size_t left)
{
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    if (length == 0 || s[0] > 0xf4 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return length;
}

static bool is_control(unsigned char c)
{
    return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

/* The parser looks far ahead over opening brackets before it tells of the first; so many are
 * refused unseen, were they in a quoted text. */
static bool check_brackets(struct builder *b, char c)
{
    if (c == '[' || c == '{')
        b->brackets++;
    else if ((c == ']' || c == '}') && b->brackets)
        b->brackets--;
    return b->brackets <= TREE_BRACKETS;
}

static int check_bytes(const struct conf_text *text, struct builder *b)
{
    struct complaints *c = b->complaints;
    const unsigned char *s = (const unsigned char *)text->bytes;
    unsigned line = 1, column = 1;

    if (text->length > TREE_BYTES) {
        complain_at(c, 1, 1, "the file is too large: %zu octets, at most %u", text->length,
                    TREE_BYTES);
        return SD_ECONF;
    }
    for (size_t at = 0, length; at < text->length; at += length, column++) {
        length = sequence(s + at, text->length - at);
        if (length == 0)
            complain_at(c, line, column, "not UTF-8: octet 0x%02x", s[at]);
        else if (is_control(s[at]))
            complain_at(c, line, column, "a control character: octet 0x%02x", s[at]);
        else if (!check_brackets(b, (char)s[at]))
            complain_at(c, line, column, "nested too deeply: more than %u levels", TREE_DEPTH);
        if (c->errors)
            return SD_ECONF;
        b->last_line = line;
        b->last_column = column;
        if (s[at] == '\n') {
            line++;
            column = 0;
        }
    }
    return SD_OK;
}

int tree_parse(const struct conf_text *text, struct complaints *c, struct tree **out)
{
    struct fy_diag_cfg quiet = {.output_fn = discard, .level = FYET_ERROR, .module_mask = ~0u};
    struct builder b = {.tree = calloc(1, sizeof *b.tree), .complaints = c};
    struct fy_diag *diag;
    int error = b.tree ? check_bytes(text, &b) : SD_EMEM;

    if (error == SD_OK) {
        diag = fy_diag_create(&quiet);
        error = diag ? SD_OK : SD_EMEM;
        if (diag) {
            fy_diag_set_collect_errors(diag, true);
            error = parse_with(&b, text, diag);
            fy_diag_destroy(diag);
        }
    }
    if (error == SD_OK && !b.tree->root)
        b.tree->root = arena(b.tree, sizeof *b.tree->root);
    if (error == SD_OK && !b.tree->root)
        error = SD_EMEM;
    if (error != SD_OK) {
        tree_destroy(b.tree);
        return error;
    }
    *out = b.tree;
    return SD_OK;
}
