#include "engine/privacy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

struct privacy {
    const struct policy *policy;
    struct pseudonyms *names; /* NULL: no key */
    struct record copies[PRIVACY_PLACE_COUNT];
};

static bool wants_a_key(const struct policy *p)
{
    return p->privacy.clients == CLIENTS_PSEUDONYM ||
           (p->query_log.mode != QUERIES_OFF && p->query_log.clients == CLIENTS_PSEUDONYM);
}

static int take_key(struct privacy *v, nsec_t now, char *error)
{
    const struct policy_privacy *wish = &v->policy->privacy;
    int status = SD_OK;

    pseudonyms_close(v->names);
    v->names = NULL;
    if (wants_a_key(v->policy))
        status = pseudonyms_open(wish->key, wish->rotate, now, &v->names, error);
    return status == SD_OK || status == SD_EMEM ? status : SD_ECONF;
}

int privacy_open(const struct policy *policy, nsec_t now, struct privacy **out, char *error)
{
    struct privacy *v = calloc(1, sizeof *v);
    int status;

    if (!v)
        return SD_EMEM;
    v->policy = policy;
    status = take_key(v, now, error);
    if (status == SD_OK)
        *out = v;
    else
        privacy_close(v);
    return status;
}

void privacy_close(struct privacy *v)
{
    if (!v)
        return;
    pseudonyms_close(v->names);
    free(v);
}

void privacy_use_policy(struct privacy *v, const struct policy *policy, nsec_t now)
{
    char error[PSEUDONYM_ERROR] = "no memory";

    v->policy = policy;
    if (take_key(v, now, error) != SD_OK)
        log_error("%s: no client is named in what is written", error);
}

void privacy_turn(struct privacy *v, nsec_t now)
{
    if (v->names && pseudonyms_turn(v->names, now) != SD_OK)
        log_error("%s cannot be written: the key of pseudonyms stays", v->policy->privacy.key);
}

/* A client, or another machine of ours that is neither the gateway nor a resolver of the policy. */
struct hidden {
    const struct policy *policy;
    const struct addr *client, *server;
};

static bool hides(const void *context, const struct addr *a)
{
    const struct hidden *h = context;

    if (addr_equal(a, h->client))
        return true;
    return policy_is_inside(h->policy, a) && !addr_equal(a, h->server) &&
           !policy_is_gateway(h->policy, a) && policy_resolver_at(h->policy, a, NULL) < 0;
}

static struct addr named(const struct privacy *v, const struct addr *a)
{
    return v->names ? pseudonym_of(v->names, a) : (struct addr){.w = {0, 0}};
}

/* What does not fit is left out whole, and said so. */
static void hide_in_evidence(const struct privacy *v, const struct finding *real,
                             struct evidence *to)
{
    const struct hidden of = {v->policy, &real->client, &real->server};
    char text[EVIDENCE_SIZE];

    if (v->names && pseudonym_text(v->names, real->evidence.text,
                                   (struct pseudonym_choice){hides, &of}, text, sizeof text)) {
        to->used = (uint16_t)strlen(text);
        memcpy(to->text, text, to->used + 1u);
        return;
    }
    evidence_clear(to);
    to->truncated = true;
}

/* Of the sensor itself there is nothing to hide, and who changed a policy has to be told. */
static const struct record *hide_event(const struct privacy *v, const struct record *r,
                                       struct record *copy)
{
    const struct finding *real = &r->event.finding;
    struct finding *f = &copy->event.finding;

    if (addr_is_zero(&real->client) &&
        (real->kind == KIND_SENSOR || real->kind == KIND_ENFORCEMENT))
        return r;
    memcpy(copy, r, record_size(r));
    memset(&copy->client, 0, sizeof copy->client);
    f->client = named(v, &real->client);
    f->station = f->flow_id = 0;
    hide_in_evidence(v, real, &f->evidence);
    return copy;
}

/* What was learned of a client would be nobody's under a name that changes. */
static bool is_about_a_client(const struct privacy *v, const struct memory *m)
{
    const struct addr nobody = {.w = {0, 0}};
    const struct hidden of = {v->policy, &nobody, &nobody};
    char text[8 * MEMORY_KEY];

    return !v->names ||
           !pseudonym_text(v->names, m->key, (struct pseudonym_choice){hides, &of}, text,
                           sizeof text) ||
           strcmp(text, m->key) != 0;
}

static const struct record *hide(const struct privacy *v, const struct record *r,
                                 struct record *copy)
{
    switch (r->kind) {
    case RECORD_EVENT:
        return hide_event(v, r, copy);
    case RECORD_CONVERSATION:
        *copy = *r;
        copy->conversation.key.client = named(v, &r->conversation.key.client);
        return copy;
    case RECORD_MEMORY:
        return is_about_a_client(v, &r->memory) ? NULL : r;
    case RECORD_QUERY:
        memcpy(copy, r, record_size(r));
        copy->query.client = named(v, &r->query.client);
        copy->query.flow_id = 0;
        return copy;
    default:
        return r;
    }
}

const struct record *privacy_record(struct privacy *v, const struct record *r,
                                    enum privacy_place place)
{
    const struct policy *p = v->policy;
    bool pseudonym = p->privacy.clients == CLIENTS_PSEUDONYM && p->privacy.in & 1u << place;

    if (r->kind == RECORD_QUERY && p->query_log.clients == CLIENTS_NETWORK)
        return r; /* it names nobody */
    if (r->kind == RECORD_QUERY)
        pseudonym |= p->query_log.clients == CLIENTS_PSEUDONYM;
    return pseudonym ? hide(v, r, &v->copies[place]) : r;
}

const struct pseudonyms *privacy_names(const struct privacy *v)
{
    return v->names;
}

const char *privacy_text(const struct privacy *v, const struct addr *a, char text[ADDR_TEXT])
{
    struct addr made;

    text[0] = '\0';
    if (!v->names)
        return text;
    made = pseudonym_of(v->names, a);
    return addr_text(&made, text);
}
