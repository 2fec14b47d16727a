#include "capture/share.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Labels. NEXT: the step behind; END: behind the last one, where the filter proper begins. */
enum {
    NEXT,
    TAG,
    TAG_AGAIN,
    TYPE,
    PPP,
    IP,
    FOUR,
    ERROR4,
    QUOTED4,
    WHOLE4,
    PAIR4,
    SIX,
    ERROR6,
    QUOTED6,
    WHOLE6,
    PAIR6,
    MIX,
    OTHER,
    OURS,
    END,
    LABELS
};

enum { STEPS = 160 };

/* An instruction whose jumps are labels; of a load by X the offset is from the IP header unless the
 * step is of the link's own. */
struct step {
    uint8_t here; /* the label that stands here, NEXT: none */
    uint16_t code;
    uint32_t k;
    uint8_t yes, no;
};

struct draft {
    struct step step[STEPS];
    unsigned count, ip; /* the IP header's offset, of a frame without tags */
};

#define LOAD8   (BPF_LD | BPF_B | BPF_IND)
#define LOAD16  (BPF_LD | BPF_H | BPF_IND)
#define LOAD32  (BPF_LD | BPF_W | BPF_IND)
#define EQUAL   (BPF_JMP | BPF_JEQ | BPF_K)
#define ANY_BIT (BPF_JMP | BPF_JSET | BPF_K)
#define LEAST   (BPF_JMP | BPF_JGE | BPF_K)
#define JUMP    (BPF_JMP | BPF_JA)
#define ADD     (BPF_ALU | BPF_ADD | BPF_K)
#define TO_X    (BPF_MISC | BPF_TAX)
#define FROM_X  (BPF_MISC | BPF_TXA)
#define SET_X   (BPF_LDX | BPF_IMM)
#define XOR_X   (BPF_ALU | BPF_XOR | BPF_X)

static void add(struct draft *d, const struct step *steps, size_t count, unsigned base)
{
    for (size_t i = 0; i < count; i++) {
        struct step *s = d->step + d->count++;

        *s = steps[i];
        if ((s->code & (BPF_CLASS(0xff) | BPF_MODE(0xff))) == (BPF_LD | BPF_IND))
            s->k += base;
    }
}

#define ADD_STEPS(d, steps, base) add(d, steps, sizeof(steps) / sizeof *(steps), base)

/* To the IP header, with its offset from where it stands without tags in X: two tags besides one
 * that the kernel has taken out of the frame, and PPPoE (RFC 2516). */
static const struct step ethernet[] = {
    {NEXT, SET_X, 0, 0, 0},
    {NEXT, LOAD16, 12, 0, 0},
    {NEXT, EQUAL, 0x8100, TAG, NEXT},
    {NEXT, EQUAL, 0x88a8, TAG, NEXT},
    {NEXT, EQUAL, 0x9100, TAG, TYPE},
    {TAG, SET_X, 4, 0, 0},
    {NEXT, LOAD16, 12, 0, 0},
    {NEXT, EQUAL, 0x8100, TAG_AGAIN, NEXT},
    {NEXT, EQUAL, 0x88a8, TAG_AGAIN, TYPE},
    {TAG_AGAIN, SET_X, 8, 0, 0},
    {NEXT, LOAD16, 12, 0, 0},
    {TYPE, EQUAL, 0x0800, IP, NEXT},
    {NEXT, EQUAL, 0x86dd, IP, NEXT},
    {NEXT, EQUAL, 0x8864, PPP, OTHER},
    {PPP, FROM_X, 0, 0, 0},
    {NEXT, ADD, 8, 0, 0},
    {NEXT, TO_X, 0, 0, 0},
    {NEXT, LOAD16, 12, 0, 0},
    {NEXT, EQUAL, 0x0021, IP, NEXT},
    {NEXT, EQUAL, 0x0057, IP, OTHER},
};

/* libpcap's own header in front of links that it does not know: it makes this load the kernel's
 * word. */
static const struct step cooked[] = {
    {NEXT, SET_X, 0, 0, 0},
    {NEXT, BPF_LD | BPF_H | BPF_ABS, 14, 0, 0},
    {NEXT, EQUAL, 0x0800, IP, NEXT},
    {NEXT, EQUAL, 0x86dd, IP, OTHER},
};

static const struct step bare[] = {{NEXT, SET_X, 0, 0, 0}};

/* Which errors of ICMP (RFC 792) quote a packet; X is saved in the first word, and moved. */
static const struct step version4[] = {
    {IP, LOAD8, 0, 0, 0},
    {NEXT, BPF_ALU | BPF_RSH | BPF_K, 4, 0, 0},
    {NEXT, EQUAL, 4, FOUR, NEXT},
    {NEXT, EQUAL, 6, SIX, OTHER},
    {FOUR, LOAD16, 6, 0, 0},
    {NEXT, ANY_BIT, 0x3fff, PAIR4, NEXT},
    {NEXT, LOAD8, 9, 0, 0},
    {NEXT, EQUAL, 1, NEXT, PAIR4},
    {NEXT, BPF_STX, 0, 0, 0},
    {NEXT, LOAD8, 0, 0, 0},
    {NEXT, BPF_ALU | BPF_AND | BPF_K, 15, 0, 0},
    {NEXT, BPF_ALU | BPF_LSH | BPF_K, 2, 0, 0},
    {NEXT, BPF_ALU | BPF_ADD | BPF_X, 0, 0, 0},
    {NEXT, TO_X, 0, 0, 0},
    {NEXT, LOAD8, 0, 0, 0},
    {NEXT, EQUAL, 3, ERROR4, NEXT},
    {NEXT, EQUAL, 11, ERROR4, NEXT},
    {NEXT, EQUAL, 12, ERROR4, WHOLE4},
};

static const struct step pair4[] = {
    {PAIR4, LOAD32, 12, 0, 0},          {NEXT, BPF_ST, 1, 0, 0}, {NEXT, LOAD32, 16, 0, 0},
    {NEXT, BPF_LDX | BPF_MEM, 1, 0, 0}, {NEXT, XOR_X, 0, 0, 0},  {NEXT, JUMP, 0, MIX, 0},
};

/* RFC 4443: errors are types 1 to 4. */
static const struct step version6[] = {
    {SIX, BPF_STX, 0, 0, 0}, {NEXT, LOAD8, 6, 0, 0},        {NEXT, EQUAL, 58, NEXT, PAIR6},
    {NEXT, LOAD8, 40, 0, 0}, {NEXT, LEAST, 5, PAIR6, NEXT}, {NEXT, EQUAL, 0, PAIR6, ERROR6},
};

static const struct step pair6[] = {
    {PAIR6, BPF_STX, 0, 0, 0},
    {NEXT, LOAD32, 8, 0, 0},
    {NEXT, BPF_ST, 1, 0, 0},
};

/* The labels of one family. */
struct quote {
    uint8_t error, quoted, whole, pair;
    uint32_t skip, header; /* octets before the quoted header, and of it */
};

/* X goes on to the header that an error quotes, if there is a whole one. */
static void add_quote(struct draft *d, const struct quote *q)
{
    const struct step steps[] = {
        {q->error, FROM_X, 0, 0, 0},
        {NEXT, ADD, q->skip, 0, 0},
        {NEXT, BPF_ST, 2, 0, 0},
        {NEXT, ADD, d->ip + q->header, 0, 0},
        {NEXT, TO_X, 0, 0, 0},
        {NEXT, BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
        {NEXT, BPF_JMP | BPF_JGE | BPF_X, 0, q->quoted, q->whole},
        {q->quoted, BPF_LDX | BPF_MEM, 2, 0, 0},
        {NEXT, JUMP, 0, q->pair, 0},
        {q->whole, BPF_LDX | BPF_MEM, 0, 0, 0},
    };

    ADD_STEPS(d, steps, d->ip);
}

/* All octets of both addresses, one 32 bits after the other. */
static void add_pair6(struct draft *d)
{
    for (uint32_t offset = 12; offset < 40; offset += 4) {
        const struct step one[] = {
            {NEXT, BPF_LDX | BPF_MEM, 0, 0, 0},
            {NEXT, LOAD32, offset, 0, 0},
            {NEXT, BPF_LDX | BPF_MEM, 1, 0, 0},
            {NEXT, XOR_X, 0, 0, 0},
            {NEXT, BPF_ST, 1, 0, 0},
        };

        ADD_STEPS(d, one, d->ip);
    }
}

static void add_choice(struct draft *d, const struct capture_share *share)
{
    const struct step steps[] = {
        {MIX, TO_X, 0, 0, 0},
        {NEXT, BPF_ALU | BPF_RSH | BPF_K, 16, 0, 0},
        {NEXT, XOR_X, 0, 0, 0},
        {NEXT, BPF_ALU | BPF_MUL | BPF_K, 0x9e3779b1, 0, 0}, /* 2^32 by the golden ratio */
        {NEXT, BPF_ALU | BPF_RSH | BPF_K, 16, 0, 0},
        {NEXT, BPF_ALU | BPF_MOD | BPF_K, share->of, 0, 0},
        {NEXT, JUMP, 0, OURS, 0},
        {OTHER, BPF_LD | BPF_IMM, 0, 0, 0},
        {OURS, EQUAL, share->number, END, NEXT},
        {NEXT, BPF_RET | BPF_K, 0, 0, 0},
    };

    ADD_STEPS(d, steps, d->ip);
}

static void add_link(struct draft *d, int linktype)
{
    static const struct step none[] = {{NEXT, JUMP, 0, OTHER, 0}};

    if (linktype == DLT_EN10MB) {
        d->ip = 14;
        ADD_STEPS(d, ethernet, 0);
    } else if (linktype == DLT_LINUX_SLL) {
        d->ip = 16;
        ADD_STEPS(d, cooked, 0);
    } else if (linktype == DLT_RAW) {
        ADD_STEPS(d, bare, 0);
    } else {
        ADD_STEPS(d, none, 0);
    }
}

static unsigned to(const unsigned *place, unsigned from, uint8_t label)
{
    return label == NEXT ? 0 : place[label] - from - 1;
}

static void assemble(const struct draft *d, struct bpf_insn *out)
{
    unsigned place[LABELS] = {[END] = d->count};

    for (unsigned i = 0; i < d->count; i++)
        if (d->step[i].here != NEXT)
            place[d->step[i].here] = i;
    for (unsigned i = 0; i < d->count; i++) {
        const struct step *s = d->step + i;

        out[i] = (struct bpf_insn){.code = s->code, .k = s->k};
        if (s->code == JUMP) {
            out[i].k = to(place, i, s->yes);
        } else if (BPF_CLASS(s->code) == BPF_JMP) {
            out[i].jt = (u_char)to(place, i, s->yes);
            out[i].jf = (u_char)to(place, i, s->no);
        }
    }
}

int share_build(int linktype, const struct capture_share *share, struct bpf_program *out)
{
    struct draft d = {.count = 0};

    add_link(&d, linktype);
    ADD_STEPS(&d, version4, d.ip);
    add_quote(&d, &(struct quote){ERROR4, QUOTED4, WHOLE4, PAIR4, 8, 20});
    ADD_STEPS(&d, pair4, d.ip);
    ADD_STEPS(&d, version6, d.ip);
    add_quote(&d, &(struct quote){ERROR6, QUOTED6, WHOLE6, PAIR6, 48, 40});
    ADD_STEPS(&d, pair6, d.ip);
    add_pair6(&d);
    add_choice(&d, share);
    out->bf_len = d.count;
    out->bf_insns = calloc(d.count, sizeof *out->bf_insns);
    if (!out->bf_insns)
        return SD_EMEM;
    assemble(&d, out->bf_insns);
    return SD_OK;
}
