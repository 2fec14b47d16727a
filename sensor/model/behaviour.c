#include "model/behaviour.h"

#include <string.h>

#define X(name, word) word,
static const char *const words[] = {FEATURES(X)};
#undef X

const char *feature_name(unsigned feature)
{
    return feature < FEATURE_COUNT ? words[feature] : "?";
}

int feature_of(const char *word)
{
    for (int i = 0; i < FEATURE_COUNT; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return -1;
}

/* The child's depth, or what is wrong with it. */
static const char *attach(const struct decision_tree *t, size_t parent, uint8_t child,
                          uint8_t *depth)
{
    if (child <= parent || child >= t->count)
        return "its children stand behind it";
    if (depth[child])
        return "it shares a child with another node";
    depth[child] = (uint8_t)(depth[parent] + 1);
    return depth[child] > DECISION_DEPTH + 1 ? "its children lie too deep: at most 6 questions"
                                             : NULL;
}

static const char *node_fault(const struct decision_tree *t, size_t i, uint8_t *depth)
{
    const struct decision_node *n = t->node + i;
    const char *fault;

    if (depth[i] == 0)
        return "no node leads to it";
    if (n->feature > FEATURE_COUNT || n->confidence > 100)
        return "no such feature or confidence";
    if (n->feature == FEATURE_COUNT)
        return NULL;
    fault = attach(t, i, n->then, depth);
    return fault ? fault : attach(t, i, n->other, depth);
}

const char *decision_fault(const struct decision_tree *t, size_t *at)
{
    uint8_t depth[DECISION_NODES] = {1}; /* 0: not reached yet */

    *at = 0;
    if (t->count > DECISION_NODES)
        return "too many nodes: at most 127";
    for (size_t i = 0; i < t->count; i++) {
        const char *fault = node_fault(t, i, depth);

        *at = i;
        if (fault)
            return fault;
    }
    return NULL;
}

uint8_t decision_judge(const struct decision_tree *t, const struct behaviour *b, unsigned *leaf)
{
    unsigned at = 0;

    while (at < t->count && t->node[at].feature < FEATURE_COUNT) {
        const struct decision_node *n = t->node + at;

        at = b->feature[n->feature] <= n->most ? n->then : n->other;
    }
    if (leaf)
        *leaf = at;
    return at < t->count ? t->node[at].confidence : 0;
}
