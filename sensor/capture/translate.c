#include "capture/translate.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

/* A is R0, which loads from the packet use; the frame is R6, as they expect it. They spoil R1 to
 * R5.
 */
enum { A = BPF_REG_0, FRAME = BPF_REG_6, X = BPF_REG_7, SAVED = BPF_REG_8, STACK = BPF_REG_10 };
enum { PROLOGUE = 3, LONGEST = 6 /* instructions that one becomes */ };

/* What one instruction becomes. Jumps go to classic instructions first, at last to their places. */
struct piece {
    struct bpf_insn insn[LONGEST];
    size_t target[LONGEST]; /* of a jump, by classic number; else 0 */
    size_t count;
};

static void put(struct piece *p, struct bpf_insn insn)
{
    p->insn[p->count++] = insn;
}

static struct bpf_insn make(unsigned code, unsigned dst, unsigned src, int offset, uint32_t k)
{
    return (struct bpf_insn){.code = (uint8_t)code,
                             .dst_reg = dst & 15,
                             .src_reg = src & 15,
                             .off = (int16_t)offset,
                             .imm = (int32_t)k};
}

static struct bpf_insn move(unsigned dst, unsigned src)
{
    return make(BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static struct bpf_insn constant(unsigned dst, uint32_t k)
{
    return make(BPF_ALU | BPF_MOV | BPF_K, dst, 0, 0, k);
}

static struct bpf_insn field(unsigned dst, size_t offset)
{
    return make(BPF_LDX | BPF_MEM | BPF_W, dst, FRAME, (int)offset, 0);
}

static int slot(uint32_t k)
{
    return -4 * ((int)k + 1);
}

/* What the kernel knows of the frame beside its bytes. */
static int ancillary(struct piece *p, uint32_t k)
{
    switch (k - (uint32_t)SKF_AD_OFF) {
    case SKF_AD_VLAN_TAG:
        put(p, field(A, offsetof(struct __sk_buff, vlan_tci)));
        return SD_OK;
    case SKF_AD_VLAN_TAG_PRESENT:
        put(p, field(A, offsetof(struct __sk_buff, vlan_present)));
        return SD_OK;
    case SKF_AD_PKTTYPE:
        put(p, field(A, offsetof(struct __sk_buff, pkt_type)));
        return SD_OK;
    case SKF_AD_PROTOCOL:
        put(p, field(A, offsetof(struct __sk_buff, protocol)));
        put(p, make(BPF_ALU | BPF_END | BPF_TO_BE, A, 0, 0, 16));
        return SD_OK;
    default:
        return SD_EUNSUP;
    }
}

static int load(struct piece *p, const struct sock_filter *i)
{
    switch (BPF_MODE(i->code)) {
    case BPF_ABS:
        if (i->k >= (uint32_t)SKF_AD_OFF)
            return ancillary(p, i->k);
        put(p, make(i->code, 0, 0, 0, i->k));
        return SD_OK;
    case BPF_IND:
        put(p, make(i->code, 0, X, 0, i->k));
        return SD_OK;
    case BPF_IMM:
        put(p, constant(A, i->k));
        return SD_OK;
    case BPF_LEN:
        put(p, field(A, offsetof(struct __sk_buff, len)));
        return SD_OK;
    case BPF_MEM:
        put(p, make(BPF_LDX | BPF_MEM | BPF_W, A, STACK, slot(i->k), 0));
        return SD_OK;
    default:
        return SD_EUNSUP;
    }
}

static int load_x(struct piece *p, const struct sock_filter *i)
{
    switch (BPF_MODE(i->code)) {
    case BPF_IMM:
        put(p, constant(X, i->k));
        return SD_OK;
    case BPF_LEN:
        put(p, field(X, offsetof(struct __sk_buff, len)));
        return SD_OK;
    case BPF_MEM:
        put(p, make(BPF_LDX | BPF_MEM | BPF_W, X, STACK, slot(i->k), 0));
        return SD_OK;
    case BPF_MSH: /* the length of an IPv4 header */
        put(p, move(SAVED, A));
        put(p, make(BPF_LD | BPF_ABS | BPF_B, 0, 0, 0, i->k));
        put(p, make(BPF_ALU | BPF_AND | BPF_K, A, 0, 0, 15));
        put(p, make(BPF_ALU | BPF_LSH | BPF_K, A, 0, 0, 2));
        put(p, move(X, A));
        put(p, move(A, SAVED));
        return SD_OK;
    default:
        return SD_EUNSUP;
    }
}

static int calculate(struct piece *p, const struct sock_filter *i)
{
    bool divides = BPF_OP(i->code) == BPF_DIV || BPF_OP(i->code) == BPF_MOD;

    if (divides && (BPF_SRC(i->code) == BPF_X || i->k == 0))
        return SD_EUNSUP; /* a zero there ends a classic program */
    put(p, make(i->code, A, BPF_SRC(i->code) == BPF_X ? X : 0, 0,
                BPF_SRC(i->code) == BPF_X ? 0 : i->k));
    return SD_OK;
}

/* eBPF goes on where a condition is not met; a classic jump has two places to go. */
static int jump(struct piece *p, const struct sock_filter *i, size_t at)
{
    bool by_x = BPF_SRC(i->code) == BPF_X;

    if (BPF_OP(i->code) == BPF_JA) {
        p->target[p->count] = at + 1 + i->k;
        put(p, make(BPF_JMP | BPF_JA, 0, 0, 0, 0));
        return SD_OK;
    }
    p->target[p->count] = at + 1 + i->jt;
    put(p,
        make(BPF_JMP32 | BPF_OP(i->code) | BPF_SRC(i->code), A, by_x ? X : 0, 0, by_x ? 0 : i->k));
    if (i->jf) {
        p->target[p->count] = at + 1 + i->jf;
        put(p, make(BPF_JMP | BPF_JA, 0, 0, 0, 0));
    }
    return SD_OK;
}

static int translate_one(struct piece *p, const struct sock_filter *i, size_t at)
{
    switch (BPF_CLASS(i->code)) {
    case BPF_LD:
        return load(p, i);
    case BPF_LDX:
        return load_x(p, i);
    case BPF_ST:
    case BPF_STX:
        put(p, make(BPF_STX | BPF_MEM | BPF_W, STACK, BPF_CLASS(i->code) == BPF_ST ? A : X,
                    slot(i->k), 0));
        return SD_OK;
    case BPF_ALU:
        return calculate(p, i);
    case BPF_JMP:
        return jump(p, i, at);
    case BPF_RET:
        if (BPF_RVAL(i->code) != BPF_A)
            put(p, constant(A, i->k));
        put(p, make(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
        return SD_OK;
    default: /* BPF_MISC */
        put(p, BPF_MISCOP(i->code) == BPF_TAX ? move(X, A) : move(A, X));
        return SD_OK;
    }
}

/* place[n]: where the classic instruction n begins. Pieces are made twice, as a jump's length is
 * known only once all that it jumps over is. */
static int place_all(const struct sock_filter *classic, size_t count, size_t *place)
{
    size_t at = PROLOGUE;

    for (size_t i = 0; i < count; i++) {
        struct piece p = {0};
        int status = translate_one(&p, &classic[i], i);

        if (status != SD_OK)
            return status;
        place[i] = at;
        at += p.count;
    }
    place[count] = at;
    return SD_OK;
}

static int write_piece(struct piece *p, const size_t *place, size_t count, struct bpf_insn *out,
                       size_t at)
{
    for (size_t n = 0; n < p->count; n++) {
        if (p->target[n]) {
            size_t distance = p->target[n] < count ? place[p->target[n]] - (at + n) - 1 : SIZE_MAX;

            if (distance > INT16_MAX)
                return SD_EUNSUP;
            p->insn[n].off = (int16_t)distance;
        }
        out[at + n] = p->insn[n];
    }
    return SD_OK;
}

static int write_all(const struct sock_filter *classic, size_t count, const size_t *place,
                     struct bpf_insn *out)
{
    int status = SD_OK;

    out[0] = make(BPF_ALU64 | BPF_MOV | BPF_X, FRAME, BPF_REG_1, 0, 0);
    out[1] = constant(A, 0);
    out[2] = constant(X, 0);
    for (size_t i = 0; i < count && status == SD_OK; i++) {
        struct piece p = {0};

        translate_one(&p, &classic[i], i);
        status = write_piece(&p, place, count, out, place[i]);
    }
    return status;
}

int translate_classic(const struct sock_filter *classic, size_t count, struct bpf_insn **out,
                      size_t *out_count)
{
    size_t *place = calloc(count + 1, sizeof *place);
    struct bpf_insn *program = NULL;
    int status = place ? place_all(classic, count, place) : SD_EMEM;

    if (status == SD_OK) {
        program = calloc(place[count], sizeof *program);
        status = program ? write_all(classic, count, place, program) : SD_EMEM;
    }
    if (status == SD_OK) {
        *out = program;
        *out_count = place[count];
    } else {
        free(program);
    }
    free(place);
    return status;
}
