#include <stdio.h>
#include <string.h>

#include "detect/blocked.h"

#define RULE "encrypted-dns-blocked"
enum { SAMPLE = 8 };

struct tallies {
    uint32_t causes[CAUSE_COUNT], origins[ORIGIN_COUNT], clients;
};

static struct tallies tallies_of(const struct group *g)
{
    struct tallies t = {0};
    const struct pair *p;

    TAILQ_FOREACH(p, &g->failing, link)
    {
        t.clients++;
        t.causes[p->cause]++;
        t.origins[p->origin]++;
    }
    return t;
}

static bool probe_counts(const struct blocked *b, const struct group *g, nsec_t now)
{
    return g->probed && g->probed >= g->incident.began - b->probe_age &&
           now - g->probed <= b->probe_age;
}

/* Most of the clients decide. Somebody's packets are interference or the server's own word; silence
 * is an outage, unless the sensor itself is answered meanwhile: then somebody swallows it. */
static enum reading read_tallies(const struct blocked *b, const struct group *g,
                                 const struct tallies *t, nsec_t now)
{
    uint32_t silent = t->causes[CAUSE_TIMEOUT] + t->causes[CAUSE_NO_ANSWER];

    if (t->causes[CAUSE_OWN_RULE] * 2 > t->clients)
        return READING_OWN_RULE;
    if (t->origins[ORIGIN_PATH] * 2 >= t->clients)
        return READING_INTERFERENCE;
    if (t->origins[ORIGIN_SERVER] * 2 > t->clients)
        return READING_SERVER;
    if (silent * 2 > t->clients)
        return probe_counts(b, g, now) && g->probe_works ? READING_INTERFERENCE : READING_OUTAGE;
    return READING_UNCLEAR;
}

enum reading blocked_reading(const struct blocked *b, const struct group *g, nsec_t now)
{
    struct tallies t = tallies_of(g);

    return read_tallies(b, g, &t, now);
}

static const char *word_of(enum reading r)
{
    static const char *const words[] = {"unclear", "interference", "server", "outage", "own-rule"};

    return words[r];
}

/* Packets that prove their sender say more than silence; a probe says what silence means. */
static uint8_t confidence_of(enum reading r, bool probe)
{
    if (r == READING_UNCLEAR)
        return 50;
    if (r == READING_OUTAGE)
        return probe ? 90 : 60;
    return 90;
}

static void write_numbers(struct evidence *e, const char *key, const uint32_t *numbers,
                          const char *(*name)(unsigned), unsigned count)
{
    char text[160] = "";
    size_t used = 0;

    for (unsigned i = 0; i < count && used < sizeof text; i++)
        if (numbers[i])
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %u", used ? ", " : "",
                                     name(i), numbers[i]);
    evidence_string(e, key, text);
}

static void write_clients(struct evidence *e, const struct group *g)
{
    char text[SAMPLE * (ADDR_TEXT + 1)] = "", one[ADDR_TEXT];
    const struct pair *p;
    size_t used = 0;
    int count = 0;

    TAILQ_FOREACH(p, &g->failing, link)
    {
        if (count++ == SAMPLE)
            break;
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? " " : "",
                                 addr_text(&p->key.client, one));
    }
    evidence_string(e, "clients", text);
}

static void write_probe(struct evidence *e, const struct group *g)
{
    char words[128];

    evidence_string(e, "probe",
                    g->probe_works ? "works"
                                   : probe_fault_words(g->probe_faults, words, sizeof words));
}

static void write_evidence(const struct blocked *b, const struct group *g, nsec_t now, bool ended,
                           struct evidence *e)
{
    struct tallies t = tallies_of(g);
    uint32_t active = blocked_active(g, now);
    char text[TIME_TEXT];

    evidence_string(e, "reads_as", word_of(read_tallies(b, g, &t, now)));
    evidence_integer(e, "clients_failing", t.clients);
    evidence_integer(e, "clients_failing_at_most", g->incident.most);
    evidence_integer(e, "clients_active", active);
    write_numbers(e, "causes", t.causes, cause_name, CAUSE_COUNT);
    write_numbers(e, "origins", t.origins, origin_name, ORIGIN_COUNT);
    evidence_string(e, "worked_until", time_text(g->last_ok, text));
    evidence_boolean(e, "other_resolvers_work", b->last_ok > g->incident.began);
    if (probe_counts(b, g, now))
        write_probe(e, g);
    /* Each of them has a downgrade event of its own, if it fell back. */
    evidence_integer(e, "clients_in_clear_text", g->incident.in_clear);
    write_clients(e, g);
    evidence_integer(e, "clients_recovered", g->incident.recovered);
    evidence_boolean(e, "ended", ended);
}

void blocked_tell(struct blocked *b, struct group *g, nsec_t now, bool ended)
{
    enum reading reading = blocked_reading(b, g, now);
    struct finding f;

    draft(&f, b->policy, RULE, KIND_ENCRYPTED_DNS_BLOCKED, &g->seen, SEVERITY_MEDIUM);
    memset(&f.client, 0, sizeof f.client);
    f.client_port = 0;
    f.flow_id = 0;
    f.key = g->key;
    /* An incident that ends keeps the weight it had. */
    f.severity = ended ? g->incident.severity : b->severity[reading];
    f.confidence = confidence_of(reading, probe_counts(b, g, now));
    f.first = g->incident.began;
    f.time = now;
    f.count = g->failing_count > g->incident.told ? g->failing_count - g->incident.told : 1;
    write_evidence(b, g, now, ended, &f.evidence);
    g->incident.severity = f.severity;
    g->incident.told = g->failing_count;
    g->incident.in_clear_told = g->incident.in_clear;
    b->sink.put(b->sink.context, &f);
}
