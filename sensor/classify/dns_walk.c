/* The bounded walk of a DNS message (RFC 1035 4.1): header, questions, and the length of every
 * record, nothing kept but what struct dns_message holds. See dns_judge.c for the referee. */
#include <libknot/descriptor.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"
#include "base/hash.h"
#include "classify/classify.h"
#include "classify/dns_rdata.h"
#include "model/service.h"

enum { HEADER = 12, LABEL_MAX = 63, POINTER = 0xc0, RECORD_HEAD = 10 };
enum { SECTION_ANSWER = 1, SECTION_AUTHORITY = 2, SECTION_ADDITIONAL = 3 };
enum { OPTION_PADDING = 12 };
#define EDNS_DO 0x8000u

struct record {
    uint16_t type, class, rdlength;
    uint16_t ttl_low; /* of an OPT: its flags */
    struct cursor rdata;
};

/* A name while it is read. */
struct name {
    struct cursor behind; /* its first pointer */
    size_t end;           /* no octet of it stands here or beyond */
    uint8_t *lower;
    unsigned octets;
    bool jumped, unsound;
};

static uint16_t two(const uint8_t *b)
{
    return (uint16_t)((unsigned)b[0] << 8 | b[1]);
}

/* Eight octets at once: bit 5 into every lane that holds A to Z; no lane carries into the next. */
static uint64_t lower_eight(uint64_t x)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t low = x & ~high;
    uint64_t from_a = low + (0x80 - 'A') * ones;
    uint64_t beyond_z = low + (0x7f - 'Z') * ones;

    return x | ((~x & high & (from_a ^ beyond_z)) >> 2);
}

typedef uint8_t sixteen __attribute__((vector_size(16)));

static sixteen lower_sixteen(sixteen x)
{
    return x | ((sixteen)(x - 'A' < 26) & 0x20);
}

/* Each of the two returns which bits it changed. */
static uint64_t lower_eight_at(uint8_t *to, const uint8_t *from)
{
    uint64_t eight, low;

    memcpy(&eight, from, sizeof(eight));
    low = lower_eight(eight);
    memcpy(to, &low, sizeof(low));
    return eight ^ low;
}

static sixteen lower_sixteen_at(uint8_t *to, const uint8_t *from)
{
    sixteen x, low;

    memcpy(&x, from, sizeof(x));
    low = lower_sixteen(x);
    memcpy(to, &low, sizeof(low));
    return x ^ low;
}

static bool lower_few(uint8_t *to, const uint8_t *from, size_t n)
{
    uint8_t changed = 0;

    for (size_t i = 0; i < n; i++) {
        to[i] = (uint8_t)(from[i] | (((unsigned)from[i] - 'A' < 26u) << 5));
        changed |= to[i] ^ from[i];
    }
    return changed != 0;
}

/* Length octets of labels are below 'A' and stay as they are. The last step may overlap what is
 * done. True: something was upper case. */
static bool copy_lower(uint8_t *to, const uint8_t *from, size_t n)
{
    sixteen changed;
    uint64_t half[2];

    if (n < 8)
        return lower_few(to, from, n);
    if (n < 16)
        return (lower_eight_at(to, from) | lower_eight_at(to + n - 8, from + n - 8)) != 0;
    changed = lower_sixteen_at(to + n - 16, from + n - 16);
    for (size_t i = 0; i + 16 < n; i += 16)
        changed |= lower_sixteen_at(to + i, from + i);
    memcpy(half, &changed, sizeof(half));
    return (half[0] | half[1]) != 0;
}

/* A name in one of its usual forms: labels, and at their end the root or a pointer to the
 * question's name. */
struct usual {
    size_t octets;  /* without compression; 0: it is of another form, or no good */
    size_t here;    /* ... as it stands here */
    unsigned steps; /* labels, the root and the pointer */
};

static struct usual usual_name(const struct dns_walk *w, const struct cursor *c)
{
    size_t at = 0;
    uint8_t n = 0;

    for (unsigned steps = 1; at < DNS_NAME_WIRE; steps++, at += n + 1u) {
        n = cursor_peek(c, at);
        if (n == 0)
            return (struct usual){at + 1, at + 1, steps};
        if (n <= LABEL_MAX)
            continue;
        if (n != POINTER || cursor_peek(c, at + 1) != HEADER || at + w->qname > DNS_NAME_WIRE ||
            !w->qname || c->at + at <= w->bytes + HEADER)
            break;
        return (struct usual){at + w->qname, at + 2, steps};
    }
    return (struct usual){0};
}

/* Reads the second octet of a pointer whose first is behind `at`, and goes where it leads. 1:
 * there; 0: it does not lead backwards (or the name is too long already), the name ends here. */
static int name_jump(struct dns_walk *w, struct name *name, struct cursor *at, uint8_t high)
{
    size_t here = (size_t)(at->at - w->bytes) - 1;
    size_t target = (size_t)(high & 0x3f) << 8 | cursor_u8(at);

    if (!cursor_ok(at))
        return SD_ETRUNC;
    if (target >= w->length)
        return SD_EMALF;
    if (!name->jumped)
        name->behind = *at;
    name->jumped = true;
    if (target >= here)
        name->unsound = true;
    else
        *at = cursor_over(w->bytes + target, name->end - target);
    return !name->unsound;
}

/* Keeps a label, or no more than knows of it when the name would pass 255 octets. */
static void name_keep(struct name *name, const uint8_t *label, uint8_t n)
{
    name->unsound |= name->octets + n + 1u > DNS_NAME_WIRE - (n != 0);
    if (name->unsound)
        return;
    if (name->lower) {
        name->lower[name->octets] = n;
        copy_lower(name->lower + name->octets + 1, label, n);
    }
    name->octets += n + 1u;
}

/* 1: the name goes on; 0: it ends here. */
static int name_step(struct dns_walk *w, struct name *name, struct cursor *at)
{
    uint8_t n = cursor_u8(at);

    if (!cursor_ok(at))
        return SD_ETRUNC;
    if (w->budget == 0)
        return SD_ELIMIT;
    w->budget--;
    if (n >= POINTER)
        return name_jump(w, name, at, n);
    if (n > LABEL_MAX)
        return SD_EMALF;
    const uint8_t *label = cursor_take(at, n);

    if (!label)
        return SD_ETRUNC;
    name_keep(name, label, n);
    return n != 0 && !(name->unsound && name->jumped);
}

/* Any name, label by label. */
static int walk_labels(struct dns_walk *w, struct cursor *c, uint8_t *lower)
{
    struct cursor at = *c;
    struct name name = {.lower = lower, .end = (size_t)(at.at - w->bytes) + at.left};
    int more;

    do
        more = name_step(w, &name, &at);
    while (more > 0);
    if (more < 0)
        return more;
    *c = name.jumped ? name.behind : at;
    if (name.unsound) {
        w->unsound = true;
        if (lower)
            lower[name.octets] = 0;
        name.octets++;
    }
    return (int)name.octets;
}

int dns_walk_name(struct dns_walk *w, struct cursor *c, uint8_t *lower)
{
    struct usual name = usual_name(w, c);

    if (name.octets == 0 || lower)
        return walk_labels(w, c, lower);
    cursor_skip(c, name.here); /* read once where it stands: no steps to count */
    return (int)name.octets;
}

/* A name that is nothing but a pointer to one in a usual form: what most records begin with. */
static bool walk_pointer(struct dns_walk *w)
{
    uint8_t high = cursor_peek(&w->at, 0);

    if (high < POINTER || w->at.left < 2)
        return false;
    size_t target = (size_t)(high & 0x3f) << 8 | cursor_peek(&w->at, 1);

    if (target == HEADER && w->qname)
        return cursor_skip(&w->at, 2);
    if (target >= (size_t)(w->at.at - w->bytes))
        return false;
    struct cursor there = cursor_over(w->bytes + target, w->length - target);
    struct usual name = usual_name(w, &there);

    if (name.octets == 0 || name.steps + 1 > w->budget)
        return false;
    w->budget -= name.steps + 1;
    return cursor_skip(&w->at, 2);
}

/* Some resolvers write letters at random in upper case and want them back (draft-vixie-dnsext-
 * dns0x20). Most names have none. */
static uint32_t letters_of(const uint8_t *name, const uint8_t *lower, size_t octets)
{
    uint64_t digest = 0;

    for (size_t i = 0; i < octets; i++)
        digest = (digest << 1 | digest >> 63) ^ (name[i] ^ lower[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(digest >> 32) | 1;
}

/* The name of the first question, which is kept. */
static int question_name(struct dns_walk *w, struct dns_message *out)
{
    size_t octets = usual_name(w, &w->at).octets;

    if (octets == 0)
        return walk_labels(w, &w->at, out->qname);
    const uint8_t *name = cursor_take(&w->at, octets);

    w->qname = (unsigned)octets;
    if (copy_lower(out->qname, name, octets))
        out->letters = letters_of(name, out->qname, octets);
    return (int)octets;
}

static int walk_question(struct dns_walk *w, struct dns_message *out, bool first)
{
    int octets = first ? question_name(w, out) : dns_walk_name(w, &w->at, NULL);

    if (octets < 0)
        return octets;
    const uint8_t *behind = cursor_take(&w->at, 4);

    if (first)
        out->qname_length = (uint8_t)octets;
    if (!behind)
        return SD_ETRUNC;
    if (first) {
        out->qtype = two(behind);
        out->qclass = two(behind + 2);
        out->has_question = true;
    }
    return 0;
}

static int walk_owner(struct dns_walk *w)
{
    if (cursor_peek(&w->at, 0) == 0 ? cursor_skip(&w->at, 1) : walk_pointer(w))
        return 0;
    int octets = dns_walk_name(w, &w->at, NULL);

    return octets < 0 ? octets : 0;
}

static int walk_edns(struct record *r, struct dns_message *out)
{
    out->edns = true;
    out->udp_size = r->class;
    out->dnssec_ok = (r->ttl_low & EDNS_DO) != 0;
    while (r->rdata.left > 0) {
        uint16_t code = cursor_u16(&r->rdata);
        uint16_t length = cursor_u16(&r->rdata);

        if (!cursor_skip(&r->rdata, length))
            return SD_EMALF;
        out->padded |= code == OPTION_PADDING;
    }
    return 0;
}

/* Where a resolver is designated (RFC 9461): the one question whose answer is read so far. */
static void keep_service(const struct dns_walk *w, const struct record *r, struct dns_message *out)
{
    struct cursor c = r->rdata, name;
    struct svcb service = {.transports = 0};

    cursor_skip(&c, 2); /* SvcPriority */
    struct usual target = usual_name(w, &c);

    if (!cursor_ok(&c) || target.octets == 0 || target.octets != target.here)
        return;
    name = cursor_sub(&c, target.octets);
    if (svcb_params(&c, &service) == SD_OK)
        service_put(out, name, &service);
}

static void keep_address(const struct record *r, struct dns_message *out, struct addr address)
{
    if (r->class == KNOT_CLASS_IN && out->address_count < DNS_ADDRESSES)
        out->address[out->address_count++] = address;
}

/* Of a record's data, and what else is kept of it. A sum of these does not depend on the order of
 * the records: servers rotate them. */
static uint32_t keep_answer(struct dns_walk *w, const struct record *r, struct dns_message *out)
{
    const uint8_t *b = r->rdata.at;

    if (r->type == DNS_TYPE_A && r->rdlength == 4) {
        keep_address(r, out, addr_v4(b));
        return (uint32_t)hash_mix((uint64_t)two(b) << 16 | two(b + 2), r->type);
    }
    if (r->type == DNS_TYPE_AAAA && r->rdlength == 16)
        keep_address(r, out, addr_v6(b));
    w->alias |= r->type == DNS_TYPE_CNAME || r->type == DNS_TYPE_DNAME;
    if (r->type == DNS_TYPE_SVCB && out->qtype == DNS_TYPE_SVCB)
        keep_service(w, r, out);
    out->soa_count += r->type == DNS_TYPE_SOA && out->soa_count < UINT8_MAX;
    return (uint32_t)hash_bytes(b, r->rdata.left, r->type);
}

/* Whether the question's name lies at or below this one (RFC 2181 5.4.1: what is out of the zone
 * that was asked about is not to be believed). The usual owner is a pointer into the question. */
static bool holds_question(struct dns_walk *w, struct cursor owner, const struct dns_message *m)
{
    uint8_t name[DNS_NAME_WIRE];
    const uint8_t *b = owner.at;
    unsigned at = 0;
    int octets;

    if (owner.left >= 2 && b[0] >= POINTER && w->qname) {
        size_t target = (size_t)(b[0] & 0x3f) << 8 | b[1];

        if (target >= HEADER && target < (size_t)HEADER + m->qname_length)
            return true;
    }
    octets = dns_walk_name(w, &owner, name);
    if (octets <= 0 || w->unsound)
        return true; /* judged otherwise */
    while (m->qname_length > at + (unsigned)octets)
        at += m->qname[at] + 1u;
    return m->qname_length == at + (unsigned)octets &&
           memcmp(m->qname + at, name, (size_t)octets) == 0;
}

/* The data of most records is of one length. An OPT's has its own reader. */
static bool fits(const struct record *r)
{
    switch (r->type) {
    case DNS_TYPE_A:
        return r->rdlength == 4;
    case DNS_TYPE_AAAA:
        return r->rdlength == 16;
    case DNS_TYPE_OPT:
        return r->rdlength > 0 || r->class != KNOT_CLASS_IN;
    default:
        return false;
    }
}

static int walk_record(struct dns_walk *w, struct dns_message *out, unsigned section)
{
    struct record r;
    struct cursor owner = w->at;
    int error = walk_owner(w);

    if (error)
        return error;
    const uint8_t *head = cursor_take(&w->at, RECORD_HEAD);

    if (!head)
        return SD_ETRUNC;
    r.type = two(head);
    r.class = two(head + 2);
    r.ttl_low = two(head + 6);
    r.rdlength = two(head + 8);
    r.rdata = cursor_sub(&w->at, r.rdlength);
    if (!cursor_ok(&w->at))
        return SD_ETRUNC;
    if (section == SECTION_ANSWER)
        out->digest += keep_answer(w, &r, out);
    else if (section == SECTION_AUTHORITY && r.type == DNS_TYPE_NS && !w->alias &&
             out->has_question)
        out->foreign |= !holds_question(w, owner, out);
    if (!fits(&r))
        error = dns_walk_rdata(w, r.type, r.class, &r.rdata);
    if (!error && r.type == DNS_TYPE_OPT && section == SECTION_ADDITIONAL)
        error = walk_edns(&r, out);
    return error;
}

/* What a caller may read even when the rest does not parse. */
static int walk_header(struct dns_walk *w, struct dns_message *out)
{
    static const uint8_t none[HEADER];

    memset(out, 0, offsetof(struct dns_message, address));
    out->length = (uint16_t)w->at.left;
    const uint8_t *head = cursor_take(&w->at, HEADER);

    if (!head)
        head = none;
    out->id = two(head);
    out->flags = two(head + 2);
    for (unsigned i = 0; i < 4; i++)
        out->counts[i] = two(head + 4 + 2 * i);
    out->rcode = out->flags & 15;
    return head == none ? SD_ETRUNC : 0;
}

int dns_walk(const uint8_t *bytes, size_t length, struct dns_message *out)
{
    if (length > UINT16_MAX)
        return SD_EMALF;
    struct dns_walk w = {
        .bytes = bytes,
        .length = length,
        .at = cursor_over(bytes, length),
        .budget = (unsigned)(DNS_STEPS_PER_OCTET * length + DNS_STEPS_LEAST),
    };
    int error = walk_header(&w, out);

    for (unsigned i = 0; !error && i < out->counts[0]; i++)
        error = walk_question(&w, out, i == 0);
    for (unsigned section = 1; section < 4; section++)
        for (unsigned left = out->counts[section]; left && !error; left--)
            error = walk_record(&w, out, section);
    out->unsound = w.unsound;
    return error;
}
