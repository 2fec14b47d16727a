#include "web/condition.h"

#include <string.h>

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static const char *word(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static bool is(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

static json_t *loss_of(const json_t *status)
{
    const json_t *c = json_object_get(status, "counters"),
                 *store = json_object_get(status, "store");
    long long frames = number(c, "kernel_drops"), seen = number(c, "observations_dropped");
    long long told = number(c, "records_dropped") + number(store, "failed");

    if (!frames && !seen && !told)
        return json_null();
    return json_sprintf("Lost since %s: %lld frames in the kernel, %lld observations, %lld rows of "
                        "the store.",
                        word(status, "started"), frames, seen, told);
}

static json_t *blind_of(const json_t *status)
{
    const json_t *one, *list = json_object_get(status, "interfaces");
    const json_t *counters = json_object_get(status, "counters");
    json_t *blind = json_array();
    long long outer = number(counters, "hellos_outer");
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (!is(one, "up"))
            json_array_append_new(
                blind,
                json_sprintf("Interface %s is gone: nothing of it is seen.", word(one, "name")));
        else if (number(one, "shedding"))
            json_array_append_new(
                blind, json_sprintf("%s brings more than can be read: payload on port 443 is left "
                                    "out.",
                                    word(one, "name")));
    }
    if (json_array_size(list) == 0)
        json_array_append_new(blind, json_string("No interface is watched."));
    if (outer)
        json_array_append_new(blind, json_sprintf("%lld connections hid the name they asked for "
                                                  "(ECH).",
                                                  outer));
    return blind;
}

static json_t *drift_of(const json_t *rules)
{
    if (is(rules, "drifted"))
        return json_sprintf("The kernel's rules are not as the policy says: %s.",
                            word(rules, "differs"));
    if (is(rules, "desired") && !is(rules, "installed"))
        return json_string("The policy wants rules, and none are in the kernel.");
    if (is(rules, "fought_over"))
        return json_string("Another program changes our rules again and again.");
    return json_null();
}

static json_t *state_of(const json_t *status)
{
    const json_t *rules = json_object_get(status, "rules");

    return json_sprintf("Mode %s, up since %s; %lld packets, %lld flows, %lld of %lld rules in the "
                        "kernel.",
                        word(status, "mode"), word(status, "started"),
                        number(json_object_get(status, "counters"), "packets"),
                        number(json_object_get(status, "counters"), "flows"),
                        number(rules, "rules"), number(rules, "rules_wanted"));
}

/* A name that is hidden is no fault of the sensor's. */
static bool is_well(const json_t *status, const json_t *loss, const json_t *drift)
{
    const json_t *one, *list = json_object_get(status, "interfaces");
    size_t i;

    json_array_foreach(list, i, one) if (!is(one, "up") || number(one, "shedding")) return false;
    return json_array_size(list) > 0 && json_is_null(loss) && json_is_null(drift);
}

json_t *condition_of(const struct web_request *q)
{
    json_t *status = q->source->status(q->source->context), *loss, *drift, *out;

    if (!status)
        return json_pack("{s:b,s:s,s:n,s:n,s:[]}", "ok", 0, "state", "The sensor is starting.",
                         "loss", "drift", "blind");
    loss = loss_of(status);
    drift = drift_of(json_object_get(status, "rules"));
    out = json_pack("{s:b,s:o,s:o,s:o,s:o}", "ok", is_well(status, loss, drift), "state",
                    state_of(status), "loss", loss, "drift", drift, "blind", blind_of(status));
    json_decref(status);
    return out;
}
