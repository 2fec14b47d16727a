#include "engine/blocks.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "enforce/enforce.h"

enum { MOST = 4096 };

struct list {
    struct rule_counter *items;
    size_t count;
};

static void take(void *context, const struct rule_counter *c)
{
    struct list *l = context;

    if ((c->acts || c->counts) && c->packets && l->count < MOST)
        l->items[l->count++] = *c;
}

static int write_all(const struct list *l)
{
    int fd = memfd_create("blocks", MFD_CLOEXEC);
    size_t size = l->count * sizeof *l->items;

    if (fd < 0 || (write(fd, l->items, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0))
        return fd;
    close(fd);
    return -1;
}

int blocks_pack(void)
{
    struct list l = {.items = calloc(MOST, sizeof *l.items)};
    char error[ENFORCE_ERROR];
    int fd = -1;

    if (l.items && ruleset_counters(take, &l, error) == SD_OK && l.count)
        fd = write_all(&l);
    free(l.items);
    return fd;
}

json_t *blocks_unpack(int descriptor)
{
    json_t *list = json_array();
    struct rule_counter c;

    while (descriptor >= 0 && read(descriptor, &c, sizeof c) == (ssize_t)sizeof c) {
        json_t *o = json_pack("{s:s,s:b,s:I,s:I}", "rule", c.id, "acts", c.acts, "packets",
                              (json_int_t)c.packets, "bytes", (json_int_t)c.bytes);

        if (c.logs)
            json_object_set_new(o, "logged", json_integer((json_int_t)c.logged));
        json_array_append_new(list, o);
    }
    if (descriptor >= 0)
        close(descriptor);
    return list;
}
