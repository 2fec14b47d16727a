/* YAML as a plain tree in which every node knows its place. The only file that knows libfyaml. What
 * a configuration does not need is refused: anchors, aliases, tags, a second document, keys that
 * are no word; and what a stranger's file could blow up: depth, number and length of values. */
#ifndef SEALDNS_CONF_TREE_H
#define SEALDNS_CONF_TREE_H

#include "conf/complaint.h"

#define TREE_BYTES (16u << 20)
#define TREE_NODES 300000u
#define TREE_DEPTH 12u

enum node_kind { NODE_NOTHING, NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    unsigned line, column;  /* from 1 */
    const char *text;       /* NODE_TEXT: UTF-8, no NUL inside */
    const struct node *key; /* of a member of a map */
    struct node *first, *next;
};

struct tree;

/* SD_ECONF: it was complained about. SD_EMEM. The root of an empty text is NODE_NOTHING. */
int tree_parse(const struct conf_text *text, struct complaints *c, struct tree **out);
const struct node *tree_root(const struct tree *t);
void tree_destroy(struct tree *t);
const struct node *tree_member(const struct node *map, const char *key);

#endif
