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

static void lower_at(uint8_t *to, const uint8_t *from)
{
    uint64_t eight;

    memcpy(&eight, from, sizeof(eight));
    eight = lower_eight(eight);
    memcpy(to, &eight, sizeof(eight));
}

/* Length octets of labels are below 'A' and stay as they are. */
static void copy_lower(uint8_t *to, const uint8_t *from, size_t n)
{
    if (n < 8) {
        for (size_t i = 0; i < n; i++)
            to[i] = (uint8_t)(from[i] | (((unsigned)from[i] - 'A' < 26u) << 5));
        return;
    }
    for (size_t i = 0; i + 8 < n; i += 8)
        lower_at(to + i, from + i);
    lower_at(to + n - 8, from + n - 8); /* may overlap what is done */
}

/* Octets of a name that stands here whole, without a pointer; 0: it does not, or is no good. */
static size_t plain_name(const uint8_t *at, size_t left, unsigned *labels)
{
    struct cursor c = cursor_over(at, left);
    size_t octets = 0;

    for (*labels = 1; octets < DNS_NAME_WIRE; ++*labels) {
        uint8_t n = cursor_u8(&c);

        octets += n + 1u;
        if (n > LABEL_MAX || !cursor_skip(&c, n))
            return 0;
        if (n == 0)
            return octets;
    }
    return 0;
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
    unsigned labels;
    size_t octets = plain_name(c->at, c->left, &labels);

    if (octets == 0)
        return walk_labels(w, c, lower);
    const uint8_t *name = cursor_take(c, octets); /* read once where it stands: no steps to count */

    if (lower)
        copy_lower(lower, name, octets);
    return (int)octets;
}

/* A name that is nothing but a pointer to a whole one: what most records begin with. */
static bool walk_pointer(struct dns_walk *w)
{
    const uint8_t *b = w->at.at;
    unsigned labels;

    if (w->at.left < 2 || b[0] < POINTER)
        return false;
    size_t target = (size_t)(b[0] & 0x3f) << 8 | b[1];

    if (target == HEADER && w->qname_plain)
        return cursor_skip(&w->at, 2);
    if (target >= (size_t)(b - w->bytes) ||
        plain_name(w->bytes + target, w->length - target, &labels) == 0 || labels + 1 > w->budget)
        return false;
    w->budget -= labels + 1;
    return cursor_skip(&w->at, 2);
}

/* Some resolvers write letters at random in upper case and want them back (draft-vixie-dnsext-
 * dns0x20). Most names have none. */
static uint32_t letters_of(const uint8_t *name, const uint8_t *lower, size_t octets)
{
    uint64_t digest = 0;

    if (memcmp(name, lower, octets) == 0)
        return 0;
    for (size_t i = 0; i < octets; i++)
        digest = (digest << 1 | digest >> 63) ^ (name[i] ^ lower[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(digest >> 32) | 1;
}

static int walk_question(struct dns_walk *w, struct dns_message *out, bool first)
{
    const uint8_t *name = w->at.at;
    int octets = dns_walk_name(w, &w->at, first ? out->qname : NULL);

    if (octets < 0)
        return octets;
    const uint8_t *behind = cursor_take(&w->at, 4);

    if (first) {
        out->qname_length = (uint8_t)octets;
        w->qname_plain = behind && !w->unsound && behind - w->bytes == HEADER + octets;
        if (w->qname_plain)
            out->letters = letters_of(name, out->qname, (size_t)octets);
    }
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
    if (walk_pointer(w))
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

static void keep_address(const struct record *r, struct dns_message *out)
{
    if (r->class != KNOT_CLASS_IN || out->address_count == DNS_ADDRESSES)
        return;
    if (r->type == DNS_TYPE_A && r->rdlength == 4)
        out->address[out->address_count++] = addr_v4(r->rdata.at);
    else if (r->type == DNS_TYPE_AAAA && r->rdlength == 16)
        out->address[out->address_count++] = addr_v6(r->rdata.at);
}

/* Where a resolver is designated (RFC 9461): the one question whose answer is read so far. */
static void keep_service(const struct record *r, struct dns_message *out)
{
    struct cursor c = r->rdata, name;
    struct svcb service = {.transports = 0};
    unsigned labels;

    cursor_skip(&c, 2); /* SvcPriority */
    size_t octets = plain_name(c.at, c.left, &labels);

    if (!cursor_ok(&c) || octets == 0)
        return;
    name = cursor_sub(&c, octets);
    if (svcb_params(&c, &service) == SD_OK)
        service_put(out, name, &service);
}

/* A sum, so that the order of the records does not matter: servers rotate them. */
static void keep_answer(struct dns_walk *w, const struct record *r, struct dns_message *out)
{
    keep_address(r, out);
    w->alias |= r->type == DNS_TYPE_CNAME || r->type == DNS_TYPE_DNAME;
    if (r->type == DNS_TYPE_SVCB && out->qtype == DNS_TYPE_SVCB)
        keep_service(r, out);
    out->soa_count += r->type == DNS_TYPE_SOA && out->soa_count < UINT8_MAX;
    out->digest += (uint32_t)hash_bytes(r->rdata.at, r->rdata.left, r->type);
}

/* Whether the question's name lies at or below this one (RFC 2181 5.4.1: what is out of the zone
 * that was asked about is not to be believed). The usual owner is a pointer into the question. */
static bool holds_question(struct dns_walk *w, struct cursor owner, const struct dns_message *m)
{
    uint8_t name[DNS_NAME_WIRE];
    const uint8_t *b = owner.at;
    unsigned at = 0;
    int octets;

    if (owner.left >= 2 && b[0] >= POINTER && w->qname_plain) {
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
        keep_answer(w, &r, out);
    else if (section == SECTION_AUTHORITY && r.type == DNS_TYPE_NS && !w->alias &&
             out->has_question)
        out->foreign |= !holds_question(w, owner, out);
    error = dns_walk_rdata(w, r.type, r.class, &r.rdata);
    if (!error && r.type == DNS_TYPE_OPT && section == SECTION_ADDITIONAL)
        error = walk_edns(&r, out);
    return error;
}

/* What a caller may read even when the rest does not parse. */
static int walk_header(struct dns_walk *w, struct dns_message *out)
{
    static const uint8_t none[HEADER];

    out->edns = out->dnssec_ok = out->padded = out->has_question = false;
    out->qtype = out->qclass = out->udp_size = 0;
    out->address_count = out->qname_length = out->soa_count = out->services = 0;
    out->services_cut = false;
    out->digest = out->letters = 0;
    out->foreign = false;
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
        for (unsigned i = 0; !error && i < out->counts[section]; i++)
            error = walk_record(&w, out, section);
    out->unsound = w.unsound;
    return error;
}
