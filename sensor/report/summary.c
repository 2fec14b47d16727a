/* One page in plain words, ahead of all. */
#include "base/error.h"
#include "report/build.h"

static void say_sealed(struct build *b, json_t *s)
{
    double share = build_measured(b, "sealed_share"),
           before = build_measured(b, "sealed_share_before");

    if (build_measured(b, "queries") <= 0) {
        section_say(s, "No DNS was seen in this period.");
        return;
    }
    section_say(
        s,
        "Of every hundred DNS questions, %.0f left the network sealed, so that nobody on the "
        "way could read or change them.",
        100 * share);
    if (build_measured(b, "queries_before") > 0)
        section_say(s, "In the period before it was %.0f of a hundred.", 100 * before);
}

static void say_broken(struct build *b, json_t *s)
{
    double clear = build_measured(b, "clear_unapproved_queries");
    double others = build_measured(b, "unapproved_queries") - clear;

    if (clear > 0)
        section_say(s, "%.0f questions went in clear text although the policy does not allow it.",
                    clear);
    if (others > 0)
        section_say(s, "%.0f went sealed, but to resolvers that the enterprise did not approve.",
                    others);
    if (clear <= 0 && others <= 0 && build_measured(b, "queries") > 0)
        section_say(s, "No question went anywhere but where the policy wants it.");
    if (build_measured(b, "downgrades") > 0)
        section_say(
            s,
            "%.0f times a machine wanted encrypted DNS, was kept from it or failed, and asked "
            "in clear text instead; %.0f of these are grave.",
            build_measured(b, "downgrades"), build_measured(b, "downgrades_grave"));
}

static void say_done(struct build *b, json_t *s)
{
    enum mode mode = b->ask->policy->mode;

    if (build_is_of_fleet(b))
        section_say(s,
                    "%.0f of %.0f gateways enforce their policy: what it forbids was cut %.0f "
                    "times.",
                    build_measured(b, "sensors_enforcing"), build_measured(b, "sensors"),
                    build_measured(b, "blocked"));
    else if (mode == MODE_ENFORCE)
        section_say(s, "The gateway enforces the policy: what it forbids was cut %.0f times.",
                    build_measured(b, "blocked"));
    else
        section_say(s, "The gateway does not enforce the policy: it %s.",
                    mode == MODE_SHADOW ? "counts what it would cut" : "only watches");
    if (!build_is_of_fleet(b))
        section_say(s, "%.0f exceptions are in force, each with an owner and an end.",
                    build_measured(b, "exceptions_active"));
    if (build_measured(b, "alerts_open") > 0)
        section_say(s, "%.0f of %.0f alerts are open.", build_measured(b, "alerts_open"),
                    build_measured(b, "alerts"));
}

static void say_believed(struct build *b, json_t *s)
{
    double share = build_measured(b, "coverage_share");
    double lost = build_measured(b, "frames_lost") + build_measured(b, "records_lost");
    const char *many = build_is_of_fleet(b) ? "s" : "";

    if (share < 0.99 || lost > 0)
        section_warn(s,
                     "Read this with care: the sensor%s ran for %.1f %% of the period and lost "
                     "%.0f frames and records.",
                     many, 100 * share, lost);
    else
        section_say(
            s,
            "The figures can be relied on: the sensor%s ran for %.1f %% of the period and lost "
            "nothing that is known of.",
            many, 100 * share);
}

int build_summary(struct build *b)
{
    json_t *s = build_section(b, "summary", "Summary");
    size_t last = json_array_size(b->sections) - 1;

    say_believed(b, s);
    say_sealed(b, s);
    say_broken(b, s);
    say_done(b, s);
    json_incref(s);
    json_array_remove(b->sections, last);
    return json_array_insert_new(b->sections, 0, s) == 0 ? SD_OK : SD_EMEM;
}
