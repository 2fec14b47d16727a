#include "capture/shunt.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "capture/shunt_map.h"
#include "capture/shunt_program.h"
#include "capture/translate.h"

_Static_assert(sizeof(struct shunt_map_key) == sizeof(struct shunt_flow) &&
                   offsetof(struct shunt_map_key, high) == offsetof(struct shunt_flow, high) &&
                   offsetof(struct shunt_map_key, low_port) ==
                       offsetof(struct shunt_flow, low_port) &&
                   offsetof(struct shunt_map_key, vlan) == offsetof(struct shunt_flow, vlan) &&
                   offsetof(struct shunt_map_key, proto) == offsetof(struct shunt_flow, proto),
               "the kernel's key is the flow as it is");

struct shunt {
    int flows, total,
        classic; /* maps. Of `classic` somebody must hold one, or the kernel empties it
                  */
    int processors;
    struct shunt_map_total each[];
};

static int say_nothing(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level;
    (void)format;
    (void)arguments;
    return 0;
}

static int refuse(int number, const char *what, char error[CAPTURE_ERROR])
{
    int positive = number < 0 ? -number : number;

    snprintf(error, CAPTURE_ERROR, "%s: %s", what, strerror(positive));
    if (positive == ENOMEM)
        return SD_EMEM;
    return positive == EPERM || positive == EACCES ? SD_EPERM : SD_EUNSUP;
}

/* The classic filter behind ours. */
static int load_classic(const struct bpf_object *object, const struct sock_filter *classic,
                        size_t count, char error[CAPTURE_ERROR])
{
    int map = bpf_object__find_map_fd_by_name(object, "classic"), program, status;
    struct bpf_insn *insns;
    uint32_t zero = 0;
    size_t length;

    status = translate_classic(classic, count, &insns, &length);
    if (status != SD_OK) {
        snprintf(error, CAPTURE_ERROR, "the classic filter has no likeness in eBPF");
        return status;
    }
    program =
        bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "sealdns_classic", "", insns, length, NULL);
    free(insns);
    if (program < 0)
        return refuse(program, "the kernel does not take the classic filter as eBPF", error);
    status = bpf_map_update_elem(map, &zero, &program, BPF_ANY);
    close(program); /* the map holds it */
    return status == 0 ? SD_OK : refuse(status, "the map of programs", error);
}

static int load(struct bpf_object *object, size_t flows, char error[CAPTURE_ERROR])
{
    struct bpf_map *map = bpf_object__find_map_by_name(object, "flows");
    int status = bpf_map__set_max_entries(map, (uint32_t)(flows ? flows : SHUNT_FLOWS));

    if (status == 0)
        status = bpf_object__load(object);
    return status == 0 ? SD_OK : refuse(status, "the kernel does not take the eBPF filter", error);
}

static int attach(const struct bpf_object *object, int socket, char error[CAPTURE_ERROR])
{
    int program = bpf_program__fd(bpf_object__find_program_by_name(object, "sealdns_shunt"));

    if (setsockopt(socket, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof program) == 0)
        return SD_OK;
    return refuse(errno, "the socket does not take the eBPF filter", error);
}

/* Descriptors that outlive the object. */
static int keep(struct shunt *s, const struct bpf_object *object, char error[CAPTURE_ERROR])
{
    s->flows = dup(bpf_object__find_map_fd_by_name(object, "flows"));
    s->total = dup(bpf_object__find_map_fd_by_name(object, "total"));
    s->classic = dup(bpf_object__find_map_fd_by_name(object, "classic"));
    if (s->flows >= 0 && s->total >= 0 && s->classic >= 0)
        return SD_OK;
    return refuse(errno, "descriptors of the maps", error);
}

static struct shunt *make(void)
{
    int processors = libbpf_num_possible_cpus();
    struct shunt *s =
        processors > 0 ? malloc(sizeof *s + (size_t)processors * sizeof *s->each) : NULL;

    if (!s)
        return NULL;
    s->flows = s->total = s->classic = -1;
    s->processors = processors;
    return s;
}

int shunt_open(int socket, const struct sock_filter *classic, size_t count, size_t flows,
               struct shunt **out, char error[CAPTURE_ERROR])
{
    struct shunt *s = make();
    struct bpf_object *object;
    int status;

    if (!s)
        return refuse(ENOMEM, "eBPF", error);
    libbpf_set_print(say_nothing); /* what failed is told in one line */
    object = bpf_object__open_mem(shunt_program, shunt_program_size, NULL);
    status = object ? load(object, flows, error)
                    : refuse(errno, "libbpf does not read our eBPF filter", error);
    if (status == SD_OK)
        status = load_classic(object, classic, count, error);
    if (status == SD_OK)
        status = keep(s, object, error);
    if (status == SD_OK)
        status = attach(object, socket, error);
    bpf_object__close(object);
    if (status == SD_OK)
        *out = s;
    else
        shunt_close(s);
    return status;
}

void shunt_close(struct shunt *s)
{
    if (!s)
        return;
    if (s->flows >= 0)
        close(s->flows);
    if (s->total >= 0)
        close(s->total);
    if (s->classic >= 0)
        close(s->classic);
    free(s);
}

int shunt_put(struct shunt *s, const struct shunt_flow *flow)
{
    static const struct shunt_map_value none;

    if (bpf_map_update_elem(s->flows, flow, &none, BPF_ANY) == 0)
        return SD_OK;
    return errno == EPERM ? SD_EPERM : SD_ELIMIT;
}

static struct shunt_counts counts_of(const struct shunt_map_value *value)
{
    return (struct shunt_counts){.packets = value->packets,
                                 .bytes_low = value->bytes[0],
                                 .bytes_high = value->bytes[1],
                                 .last = (nsec_t)value->last};
}

int shunt_read(struct shunt *s, const struct shunt_flow *flow, struct shunt_counts *counts)
{
    struct shunt_map_value value;

    if (bpf_map_lookup_elem(s->flows, flow, &value) != 0)
        return SD_ENOENT;
    *counts = counts_of(&value);
    return SD_OK;
}

int shunt_take(struct shunt *s, const struct shunt_flow *flow, struct shunt_counts *counts)
{
    struct shunt_map_value value;

    if (bpf_map_lookup_and_delete_elem(s->flows, flow, &value) != 0)
        return SD_ENOENT;
    *counts = counts_of(&value);
    return SD_OK;
}

int shunt_try(struct shunt *s)
{
    static const struct shunt_flow nobody;
    struct shunt_counts counts;
    int status = shunt_put(s, &nobody);

    return status == SD_OK ? shunt_take(s, &nobody, &counts) : status;
}

int shunt_total(struct shunt *s, struct shunt_total *out)
{
    uint32_t zero = 0;

    *out = (struct shunt_total){0};
    if (bpf_map_lookup_elem(s->total, &zero, s->each) != 0)
        return SD_EIO;
    for (int i = 0; i < s->processors; i++) {
        out->packets += s->each[i].packets;
        out->bytes += s->each[i].bytes;
    }
    return SD_OK;
}
