/* A key of the configuration: an option, and how a value that is more than one word is read. */
#ifndef SEALDNS_CONF_KEY_H
#define SEALDNS_CONF_KEY_H

#include "base/option.h"

struct node;
struct reader;

struct key {
    struct option option;
    /* OPTION_PART reads its value itself. */
    void (*read)(struct reader *r, const struct node *value, void *object);
    /* A list: the field is a pointer to elements of this size, and their count is a size_t there.
     */
    size_t element, count_offset;
};

#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
/* One line of a table; what follows goes into struct option. */
#define KEY(word_, kind_, ...)                                                                     \
    {                                                                                              \
        .option = {.name = word_, .kind = kind_, __VA_ARGS__ }                                     \
    }
#define PART(word_, read_, ...)                                                                    \
    {                                                                                              \
        .option = {.name = word_, .kind = OPTION_PART, __VA_ARGS__}, .read = read_                 \
    }
#define LIST(word_, kind_, type, member, counter, ...)                                             \
    {                                                                                              \
        .option = {.name = word_,                                                                  \
                   .kind = kind_,                                                                  \
                   .offset = offsetof(type, member),                                               \
                   .size = sizeof *((type *)0)->member,                                            \
                   __VA_ARGS__},                                                                   \
        .element = sizeof *((type *)0)->member, .count_offset = offsetof(type, counter)            \
    }
#define KEYS_END                                                                                   \
    {                                                                                              \
        .option = {.name = NULL }                                                                  \
    }

#endif
