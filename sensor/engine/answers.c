/* The commands of the control socket: one function each, and its row in the table below. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/blocks.h"
#include "engine/erase.h"
#include "engine/feeds.h"
#include "engine/gateway.h"
#include "engine/guard.h"
#include "engine/recorder.h"

#define MONITOR_MS 10000 /* a large ruleset takes a second or two */

/* A request, and whose it is. */
struct asked {
    const json_t *request;
    const struct control_peer *peer;
};

static json_t *refuse(const char *why)
{
    return json_pack("{s:b,s:s}", "ok", 0, "error", why);
}

/* Asks the monitor and waits; what it tells us meanwhile is heard as always. *descriptor: -1, or
 * one that came with the answer. */
static int ask_monitor(struct recorder *r, const struct message *request, struct message *reply,
                       int *descriptor)
{
    nsec_t until = clock_now() + MONITOR_MS * NSEC_MS;
    int status;

    *descriptor = -1;

    if (channel_send(&r->wiring->recorder, request, -1) != SD_OK)
        return SD_EIO;
    while (!r->leaving && clock_now() < until) {
        status = channel_receive(&r->wiring->recorder, reply, descriptor, 1000);
        if (status == SD_EAGAIN)
            continue;
        if (status != SD_OK)
            return status;
        if (reply->type == REPLY)
            return SD_OK;
        recorder_message(r, reply, *descriptor);
        *descriptor = -1;
    }
    return SD_EAGAIN;
}

static json_t *pass_on(struct recorder *r, const struct message *request)
{
    struct message reply;
    int descriptor, status = ask_monitor(r, request, &reply, &descriptor);

    if (status != SD_OK)
        return refuse("the monitor did not answer");
    if (reply.status != SD_OK)
        return refuse(reply.text[0] ? reply.text : sd_strerror(reply.status));
    return json_pack("{s:b,s:s}", "ok", 1, "message", reply.text);
}

/* With whose wish it is: the monitor writes that down. */
static json_t *change(struct recorder *r, const struct asked *a, enum message_type type,
                      uint32_t seconds)
{
    struct message m = {.type = type};

    m.change = (struct change_request){.who = {a->peer->uid, a->peer->pid},
                                       .seconds = seconds,
                                       .force = json_is_true(json_object_get(a->request, "force"))};
    return pass_on(r, &m);
}

static json_t *reload(struct recorder *r, const struct asked *a)
{
    return change(r, a, REQUEST_RELOAD, 0);
}

static json_t *rules_apply(struct recorder *r, const struct asked *a)
{
    return change(r, a, REQUEST_RULES_APPLY, 0);
}

static json_t *rules_remove(struct recorder *r, const struct asked *a)
{
    return change(r, a, REQUEST_RULES_REMOVE, 0);
}

static json_t *rules_try(struct recorder *r, const struct asked *a)
{
    json_int_t seconds = json_integer_value(json_object_get(a->request, "seconds"));

    if (seconds < GUARD_SHORTEST || seconds > GUARD_LONGEST)
        return refuse("seconds is a number from 1 to 86400");
    return change(r, a, REQUEST_RULES_TRY, (uint32_t)seconds);
}

static json_t *counters(const struct stats *s)
{
    json_t *all = json_object();

    for (size_t i = 0; i < STATS_COUNT; i++) {
        uint64_t value;

        memcpy(&value, (const char *)s + stats_words[i].offset, sizeof value);
        json_object_set_new(all, stats_words[i].name, json_integer((json_int_t)value));
    }
    return all;
}

static json_t *shunt(const struct wiring *w, size_t first)
{
    const char *why = capture_live_unshunted(w->captures[first]);
    struct stats s = {0};
    uint64_t all;
    bool active;

    for (size_t i = first; i < first + w->threads; i++)
        stats_add(&s, &w->board->front[i]);
    all = s.packets + s.shunted_packets;
    active = !*why && !s.shunt_fallbacks;
    return json_pack("{s:b,s:s,s:I,s:I,s:I,s:f}", "active", active, "why",
                     active || *why ? why : "the map is the privileged's alone here", "flows",
                     (json_int_t)s.shunted, "packets", (json_int_t)s.shunted_packets, "bytes",
                     (json_int_t)s.shunted_bytes, "share_seen",
                     all ? (double)s.packets / (double)all : 1.0);
}

/* An interface may have several capture threads: what they read is one. */
static json_t *interface(const struct wiring *w, size_t number)
{
    const struct board *b = w->board;
    json_int_t packets = 0, drops = 0, lost = 0, shedding = 0;
    bool up = true;

    for (size_t i = number * w->threads; i < (number + 1) * w->threads; i++) {
        packets += (json_int_t)b->front[i].packets;
        drops += (json_int_t)b->captured[i].kernel_drops;
        lost += (json_int_t)ring_dropped(w->observations[i]);
        up &= b->up[i] != 0;
        shedding = (json_int_t)b->shedding[i] > shedding ? (json_int_t)b->shedding[i] : shedding;
    }
    return json_pack("{s:s,s:b,s:I,s:I,s:I,s:I,s:I,s:o}", "name", w->interfaces[number], "up", up,
                     "packets", packets, "kernel_drops", drops, "observations_dropped", lost,
                     "threads", (json_int_t)w->threads, "shedding", shedding, "shunt",
                     shunt(w, number * w->threads));
}

static json_t *interfaces(const struct wiring *w)
{
    json_t *list = json_array();

    for (size_t i = 0; i < w->interface_count; i++)
        json_array_append_new(list, interface(w, i));
    return list;
}

static void put_time(json_t *to, const char *key, nsec_t t)
{
    char text[TIME_TEXT];

    json_object_set_new(to, key, t ? json_string(time_text(t, text)) : json_null());
}

static void put_digest(json_t *to, const char *key, uint64_t digest)
{
    char text[17];

    snprintf(text, sizeof text, "%016" PRIx64, digest);
    json_object_set_new(to, key, digest ? json_string(text) : json_null());
}

static json_t *held_zones(const struct policy *p)
{
    json_t *list = json_array();

    for (size_t z = 0; z < p->zone_count; z++)
        if (p->zones[z].held)
            json_array_append_new(list, json_string(p->zones[z].id));
    return list;
}

/* Zones that are enforced for some of their clients first. */
static json_t *rollouts(const struct policy *p)
{
    json_t *list = json_array();

    for (size_t z = 0; z < p->zone_count; z++) {
        const struct policy_rollout *o = &p->zones[z].rollout;

        if (o->given)
            json_array_append_new(list,
                                  json_pack("{s:s,s:i,s:i}", "zone", p->zones[z].id, "percent",
                                            (int)o->percent, "clients", (int)o->client_count));
    }
    return list;
}

/* Desired beside installed. */
static json_t *rules(const struct recorder *r)
{
    const struct rules_status *s = &r->rules;
    const struct stats *counted = &r->wiring->board->monitor;
    json_t *o = json_pack("{s:b,s:b,s:b,s:i,s:i,s:i,s:i}", "installed", s->installed, "desired",
                          s->mode != MODE_MONITOR && !s->opened, "drifted", s->drifted, "rules",
                          (int)s->rules, "elements", (int)s->elements, "rules_wanted",
                          (int)s->wanted_rules, "elements_wanted", (int)s->wanted_elements);

    put_digest(o, "digest", s->digest);
    put_digest(o, "digest_wanted", s->wanted_digest);
    put_time(o, "since", s->since);
    json_object_set_new(o, "drifts", json_integer((json_int_t)counted->rules_drifted));
    json_object_set_new(o, "drifts_healed", json_integer((json_int_t)counted->rules_healed));
    put_time(o, "healed_last", s->healed);
    json_object_set_new(o, "opened", json_boolean(s->opened));
    json_object_set_new(o, "fought_over", json_boolean(s->fought));
    json_object_set_new(o, "differs", json_string(r->rules_differ));
    json_object_set_new(o, "refused", json_boolean(r->policy->refused));
    json_object_set_new(o, "zones_held", held_zones(r->policy));
    json_object_set_new(o, "set_only", json_boolean(r->policy->set_only));
    json_object_set_new(o, "rollouts", rollouts(r->policy));
    json_object_set_new(o, "pairs", json_integer(s->pairs));
    if (s->trial_ms)
        json_object_set_new(o, "rolled_back_in", json_integer((s->trial_ms + 999) / 1000));
    return o;
}

static json_t *log_of(const struct recorder *r)
{
    return json_pack("{s:i,s:b}", "group", (int)r->policy->log_group, "read",
                     r->policy->log_group && r->wiring->board->cut_group == r->policy->log_group);
}

static json_t *peer(const struct peering *p)
{
    json_t *o = json_pack("{s:I,s:I}", "refused", (json_int_t)peering_refused(p), "unsent",
                          (json_int_t)peering_unsent(p));

    put_time(o, "heard", peering_heard(p));
    return o;
}

/* Events that began, by kind and severity, those of which there are any. */
static json_t *begun(const struct recorder *r)
{
    json_t *kinds = json_object();

    for (unsigned kind = 0; kind < KIND_COUNT; kind++) {
        json_t *severities = json_object();

        for (unsigned s = 0; s < SEVERITY_COUNT; s++)
            if (r->begun[kind][s])
                json_object_set_new(severities, severity_name(s),
                                    json_integer((json_int_t)r->begun[kind][s]));
        if (json_object_size(severities))
            json_object_set(kinds, kind_name(kind), severities);
        json_decref(severities);
    }
    return kinds;
}

json_t *recorder_status(struct recorder *r)
{
    const struct board *b = r->wiring->board;
    struct stats sum = b->back;
    char text[TIME_TEXT];
    json_t *all;

    stats_add(&sum, &b->monitor);
    for (size_t i = 0; i < r->wiring->lane_count; i++)
        stats_add(&sum, &b->front[i]);
    sum.records_dropped = ring_dropped(r->wiring->records);
    all = json_pack("{s:b,s:s,s:i,s:s,s:s,s:I,s:s,s:s,s:o,s:o,s:{s:s,s:I,s:I,s:I},s:{s:I,s:I},s:o}",
                    "ok", 1, "name", r->policy->name, "pid", (int)getppid(), "mode",
                    mode_name(r->policy->mode), "started", time_text(b->started, text), "uptime",
                    (json_int_t)((clock_now() - b->started) / NSEC_S), "policy", r->policy->digest,
                    "policy_file", policy_files_path(r->wiring->files), "interfaces",
                    interfaces(r->wiring), "rules", rules(r), "store", "path",
                    r->policy->store_path, "rows", (json_int_t)b->store_rows, "expired",
                    (json_int_t)store_expired(r->store), "failed", (json_int_t)b->store_failed,
                    "outputs", "lines", (json_int_t)b->outputs_written, "lost",
                    (json_int_t)b->outputs_lost, "counters", counters(&sum));
    json_object_set_new(all, "profile", json_string(footprint_name(r->wiring->profile)));
    json_object_set_new(all, "max_flows", json_integer((json_int_t)r->wiring->bounds.flows));
    json_object_set_new(all, "feeds", feeds_status(r->feeds));
    json_object_set_new(all, "events", begun(r));
    json_object_set_new(json_object_get(all, "store"), "chain",
                        witness_status(&r->witness, r->store));
    shares_status(&r->shares, &b->latencies, all);
    if (r->peering)
        json_object_set_new(all, "peer", peer(r->peering));
    if (r->policy->evidence.path[0])
        json_object_set_new(all, "evidence",
                            json_pack("{s:s,s:I,s:I,s:I}", "path", r->policy->evidence.path,
                                      "files", (json_int_t)b->clips_written, "failed",
                                      (json_int_t)b->clips_failed, "refused",
                                      (json_int_t)b->clips_refused));
    return all;
}

static json_t *status(struct recorder *r, const struct asked *a)
{
    struct message reply;
    json_t *all, *about;
    int blocks;

    (void)a;
    if (ask_monitor(r, &(struct message){.type = REQUEST_RULES_STATUS}, &reply, &blocks) == SD_OK) {
        r->rules = reply.rules;
        text_copy(r->rules_differ, sizeof r->rules_differ, reply.text);
    }
    all = recorder_status(r);
    about = json_object_get(all, "rules");
    json_object_set_new(about, "log", log_of(r));
    json_object_set_new(about, "blocks", blocks_unpack(blocks));
    return all;
}

/* The event of it says who asked, and names the client by its pseudonym or not at all. */
static json_t *forget(struct recorder *r, const struct asked *a)
{
    const char *address = json_string_value(json_object_get(a->request, "address"));
    struct erasure e = {.store = r->store,
                        .policy = r->policy,
                        .names = privacy_names(r->privacy),
                        .dry_run = json_is_true(json_object_get(a->request, "dry_run"))};
    struct message told = {.type = REQUEST_FORGOT};
    struct addr client;
    json_t *reply;

    if (!address || addr_parse(address, &client) != SD_OK)
        return refuse("address is an IPv4 or IPv6 address");
    reply = erase_client(&e, &client);
    if (e.dry_run || !json_is_true(json_object_get(reply, "ok")))
        return reply;
    told.change.who = (struct asker){a->peer->uid, a->peer->pid};
    privacy_text(r->privacy, &client, told.text);
    if (channel_send(&r->wiring->recorder, &told, -1) != SD_OK)
        log_warning("that a client was forgotten could not be passed on");
    return reply;
}

static const struct {
    const char *command;
    json_t *(*answer)(struct recorder *r, const struct asked *a);
    bool changes; /* for root and the sensor's own user only */
} commands[] = {
    {"status", status, false},
    {"reload", reload, true},
    {"rules-apply", rules_apply, true},
    {"rules-try", rules_try, true},
    {"rules-remove", rules_remove, true},
    {"forget", forget, true},
};

json_t *recorder_answer(void *context, const char *command, const json_t *request,
                        const struct control_peer *peer)
{
    const struct asked a = {request, peer};

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].command, command) != 0)
            continue;
        if (commands[i].changes && !peer->trusted)
            return refuse("only root and the sensor's own user may do that");
        return commands[i].answer(context, &a);
    }
    return refuse("commands are status, reload, rules-apply, rules-try, "
                  "rules-remove, forget");
}
