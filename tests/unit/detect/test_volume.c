#include "scene.h"

#include "model/memory.h"

extern const struct detector detector_volume;

#define C        "10.30.1.1"
#define OTHER    "10.30.1.9"
#define STEP     (300 * S)
#define DAY      (86400 * S)
#define MEMORIES 4096
#define PLACES   64

static struct scene s;
static struct memory *kept;
static size_t kept_count;
static uint32_t places[PLACES]; /* by tenure */

static int open_scene(void **state)
{
    (void)state;
    scene_open(&s, &detector_volume);
    kept = calloc(MEMORIES, sizeof *kept);
    kept_count = 0;
    return kept ? 0 : -1;
}

static int close_scene(void **state)
{
    (void)state;
    scene_close(&s);
    free(kept);
    return 0;
}

/* As account/ gives them, in order: the detector goes through all up to the last one. */
static void note(struct observation *o)
{
    uint32_t place = 0;

    scene_note(s.policy, o);
    while (places[place] && places[place] != o->note.tenure)
        place++;
    assert_true(place < PLACES - 1);
    places[place] = o->note.tenure;
    o->note.who = place;
}

/* n clear-text queries within the step that begins at t. */
static void ask_of(nsec_t t, const char *client, const char *server, unsigned n)
{
    struct observation o = scene_query(t, client, server, "www.example.org");

    note(&o);
    for (unsigned i = 0; i < n; i++) {
        o.time = t + (nsec_t)i * (STEP / (n + 1));
        s.detector->observe(s.state, &o);
    }
}

static void ask(nsec_t t, const char *client, unsigned n)
{
    ask_of(t, client, "9.9.9.9", n);
    scene_tick(&s, t + STEP - MS);
}

/* Queries inside DoT, as observe/ counts them. */
static void ask_sealed(nsec_t t, const char *client, unsigned n)
{
    struct observation o = scene_flow(t, client, "9.9.9.9", FLOW_PROGRESS, 1);

    o.flow.queries = n;
    o.flow.bytes_out = o.flow.bytes_in = n * 200;
    note(&o);
    if (n)
        s.detector->observe(s.state, &o);
    scene_tick(&s, t + STEP - MS);
}

/* An office: 20 to 40 queries in five minutes between 8 and 18, two else. */
static unsigned usual(nsec_t t)
{
    unsigned hour = (unsigned)(t / (3600 * S) % 24), step = (unsigned)(t / STEP);

    return hour >= 8 && hour < 18 ? 20 + step * 7 % 21 : 2;
}

static nsec_t days(nsec_t t, unsigned count)
{
    for (nsec_t end = t + (nsec_t)count * DAY; t < end; t += STEP)
        ask(t, C, usual(t));
    return t;
}

static int keep(void *context, const struct memory *m)
{
    (void)context;
    assert_true(kept_count < MEMORIES);
    assert_true(m->size <= MEMORY_BODY && m->body[0] == 1);
    kept[kept_count++] = *m;
    return 0;
}

/* Nine days of the office, lived once and recalled after that. */
static nsec_t nine_days(void)
{
    static struct memory lived[16];
    static size_t count;

    if (!count) {
        days(T0, 9);
        s.detector->remember(s.state, (struct memory_sink){keep, NULL}, T0 + 9 * DAY);
        for (size_t i = 0; i < kept_count; i++)
            if (kept[i].key[0] == 'c') {
                assert_true(count < 16);
                lived[count++] = kept[i];
            }
        kept_count = 0;
        return T0 + 9 * DAY;
    }
    for (size_t i = 0; i < count; i++)
        s.detector->recall(s.state, &lived[i]);
    return T0 + 9 * DAY;
}

static void check_evidence(const struct finding *f, const char *part)
{
    if (!strstr(f->evidence.text, part))
        fail_msg("no %s in {%s}", part, f->evidence.text);
}

/* --- rises ------------------------------------------------------------------------------------ */

static void eight_times_the_usual_for_half_an_hour_is_an_anomaly(void **state)
{
    nsec_t t, begin;

    (void)state;
    t = days(T0, 9);
    assert_int_equal(s.count, 0);
    for (nsec_t end = t + 3600 * S; t < end; t += STEP)
        ask(t, C, usual(t));
    begin = t;
    for (int i = 0; i < 6; i++, t += STEP)
        ask(t, C, usual(t) * 8);
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    assert_string_equal(s.found[0].rule, "volume-anomaly");
    assert_true(s.found[0].time <= begin + 1800 * S);
    assert_true(s.found[0].severity <= SEVERITY_LOW);
    check_evidence(&s.found[0], "\"expected\":3");
    check_evidence(&s.found[0], "\"series\":\"queries\"");
    check_evidence(&s.found[0], "\"baseline\":\"own-hour-of-day\"");
    check_evidence(&s.found[s.count - 1], "\"domain\":\"example.org\"");
    assert_true(addr_is_zero(&s.found[0].server));
    for (size_t i = 1; i < s.count; i++) /* zone and resolver rise with it: no alarm of their own */
        assert_true(s.found[i].key == s.found[0].key);
    for (int i = 0; i < 12; i++, t += STEP)
        ask(t, C, usual(t)); /* its hour runs out */
    s.count = 0;
    days(t, 2);
    assert_int_equal(s.count, 0);
}

/* Two and a half times the usual: no hour is far off, but five in a row are. */
static void a_slow_rise_is_found_by_its_sum(void **state)
{
    nsec_t t = nine_days();

    (void)state;
    for (int i = 0; i < 48; i++, t += STEP)
        ask(t, C, usual(t) * 5 / 2);
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    check_evidence(&s.found[0], "\"stage\":\"cusum\"");
}

static bool said(const char *part)
{
    for (size_t i = 0; i < s.count; i++)
        if (strstr(s.found[i].evidence.text, part))
            return true;
    return false;
}

static void half_an_hour_is_looked_at_by_itself(void **state)
{
    nsec_t t = nine_days();

    (void)state;
    for (nsec_t end = t + 3600 * S; t < end; t += STEP)
        ask(t, C, usual(t));
    for (int i = 0; i < 6; i++, t += STEP)
        ask(t, C, usual(t) * 2);
    scene_tick(&s, t + 60 * S);
    assert_int_equal(s.count, 0); /* twice is no anomaly yet */
    for (int i = 0; i < 6; i++, t += STEP)
        ask(t, C, usual(t) * 5);
    scene_tick(&s, t + 60 * S);
    assert_true(said("\"stage\":\"burst\""));
}

static void encrypted_queries_count_as_well(void **state)
{
    struct observation o;
    nsec_t t = days(T0, 4);

    (void)state;
    o = scene_flow(t, C, "9.9.9.9", FLOW_PROGRESS, 1);
    o.flow.queries = 3000;
    note(&o);
    s.detector->observe(s.state, &o);
    o.transport = TRANSPORT_TLS; /* that would be none */
    s.detector->observe(s.state, &o);
    scene_tick(&s, t + 2 * STEP);
    assert_true(s.count >= 1);
    check_evidence(&s.found[0], "\"queries_encrypted\":3000");
}

static void below_the_floor_nothing_is_an_anomaly(void **state)
{
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 2 * DAY; t += STEP)
        ask(t, C, t / STEP % 12 == 0);
    ask(t, C, 120);
    ask(t + STEP, C, 10);
    scene_tick(&s, t + 3 * STEP);
    assert_int_equal(s.count, 0);
}

static void a_quiet_client_that_bursts_is_one(void **state)
{
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 4 * DAY; t += STEP)
        ask(t, C, t / STEP % 12 == 0);
    ask(t, C, 2000);
    ask(t + STEP, C, 10);
    scene_tick(&s, t + 3 * STEP);
    assert_true(s.count >= 1);
}

static void a_new_client_is_learned_first(void **state)
{
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + DAY / 4; t += STEP)
        ask(t, C, 30);
    ask(t, C, 500); /* under the floor of the young */
    ask(t + STEP, C, 30);
    scene_tick(&s, t + 3 * STEP);
    assert_int_equal(s.count, 0);
    ask(t + 3 * STEP, "10.30.7.7", 5000); /* nothing is known of it */
    ask(t + 4 * STEP, "10.30.7.7", 5000);
    scene_tick(&s, t + 6 * STEP);
    assert_int_equal(s.count, 0);
}

/* The others of its zone are known: a machine that asks a hundred times as much is odd on its first
 * day. */
static void a_new_client_is_measured_against_its_role(void **state)
{
    char client[32];
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 4 * DAY; t += STEP) {
        for (int i = 0; i < 10; i++) {
            snprintf(client, sizeof client, "10.30.2.%d", i + 1);
            ask_of(t, client, "9.9.9.9", 8);
        }
        scene_tick(&s, t + STEP - MS);
    }
    assert_int_equal(s.count, 0);
    for (int i = 0; i < 4; i++, t += STEP)
        ask(t, "10.30.7.7", 8000);
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    check_evidence(&s.found[0], "\"baseline\":\"role\"");
}

static void an_alarm_does_not_teach_and_ends_as_the_new_normal(void **state)
{
    nsec_t t = days(T0, 4);
    size_t first_day;

    (void)state;
    for (nsec_t end = t + 20 * 3600 * S; t < end; t += STEP)
        ask(t, C, 600);
    first_day = s.count;
    assert_true(first_day > 200); /* each step: the ledger makes one event of them */
    for (nsec_t end = t + DAY; t < end; t += STEP) {
        if (s.count > FINDINGS - 8)
            s.count = 0;
        ask(t, C, 600);
    }
    s.count = 0;
    for (nsec_t end = t + DAY; t < end; t += STEP)
        ask(t, C, 600);
    assert_int_equal(s.count, 0);
}

static void a_gap_of_months_is_passed_quickly(void **state)
{
    nsec_t t = days(T0, 2);

    (void)state;
    ask(t + 100 * DAY, C, 30);
    scene_tick(&s, t + 100 * DAY + 3 * STEP);
    assert_int_equal(s.count, 0);
}

/* --- other series ----------------------------------------------------------------------------- */

static void deny(nsec_t t, unsigned n)
{
    struct observation o = scene_answer(t, C, "9.9.9.9", "www.example.org", "192.0.2.1");

    o.dns.message.rcode = 3;
    note(&o);
    for (unsigned i = 0; i < n; i++)
        s.detector->observe(s.state, &o);
}

static void answers_that_deny_are_a_series_of_their_own(void **state)
{
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 9 * DAY; t += STEP) {
        deny(t, usual(t) / 10);
        ask(t, C, usual(t));
    }
    assert_int_equal(s.count, 0);
    for (int i = 0; i < 4; i++, t += STEP) {
        deny(t, usual(t));
        ask(t, C, usual(t) * 11 / 10);
    }
    for (int i = 0; i < 4; i++, t += STEP) {
        deny(t, usual(t) * 2);
        ask(t, C, usual(t) * 11 / 10);
    }
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    for (size_t i = 0; i < s.count; i++)
        check_evidence(&s.found[i], "\"series\":\"nxdomain\"");
}

/* Queries of so many domains in turn, and of this type. */
static void ask_domains(nsec_t t, unsigned n, unsigned domains, uint16_t type, uint32_t bytes)
{
    struct observation o = scene_query(t, C, "9.9.9.9", "www.example.org");

    note(&o);
    o.dns.message.qtype = type;
    o.bytes = bytes;
    for (unsigned i = 0; i < n; i++) {
        o.note.domain_hash = hash_mix((t / STEP * n + i) % domains, 5) | 256;
        s.detector->observe(s.state, &o);
    }
    scene_tick(&s, t + STEP - MS);
}

static void serve_failures(nsec_t t, unsigned n)
{
    struct observation o = scene_answer(t, C, "9.9.9.9", "www.example.org", "192.0.2.1");

    o.dns.message.rcode = 2;
    note(&o);
    for (unsigned i = 0; i < n; i++)
        s.detector->observe(s.state, &o);
}

/* As many queries as ever, and another of the series rises. */
static void each_series_rises_alone(void **state)
{
    static const struct {
        const char *name;
        unsigned failed, domains;
        uint16_t type;
        uint32_t bytes;
    } cases[] = {{"servfail", 30, 10, DNS_TYPE_A, 80},
                 {"rare-types", 0, 10, DNS_TYPE_TXT, 80},
                 {"rare-types", 0, 10, 10 /* NULL */, 80},
                 {"domains", 0, 1000, DNS_TYPE_A, 80},
                 {"bytes", 0, 10, DNS_TYPE_A, 4000}};
    char series[64];
    nsec_t t;

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        for (t = T0; t < T0 + 9 * DAY / 2; t += STEP) /* from a Saturday noon to Wednesday */
            ask_domains(t, 40, 10, DNS_TYPE_A, 80);
        assert_int_equal(s.count, 0);
        for (int i = 0; i < 12; i++, t += STEP) {
            serve_failures(t, cases[k].failed);
            ask_domains(t, 40, cases[k].domains, cases[k].type, cases[k].bytes);
        }
        scene_tick(&s, t + 60 * S);
        snprintf(series, sizeof series, "\"series\":\"%s\"", cases[k].name);
        assert_true(s.count >= 1);
        for (size_t i = 0; i < s.count; i++)
            check_evidence(&s.found[i], series);
        scene_close(&s);
        scene_open(&s, &detector_volume);
    }
}

/* It moves to DoT, which is no anomaly of any series but is learned; then it falls back. */
static void the_share_in_clear_text_is_a_series_of_its_own(void **state)
{
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 10 * DAY; t += STEP)
        ask(t, C, 30);
    for (nsec_t end = t + 10 * DAY; t < end; t += STEP)
        ask_sealed(t, C, 30);
    assert_int_equal(s.count, 0);
    for (int i = 0; i < 12; i++, t += STEP)
        ask(t, C, 30);
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    check_evidence(&s.found[0], "\"series\":\"clear-share\"");
}

/* --- silence ---------------------------------------------------------------------------------- */

/* A server that asks day and night, beside the office. */
static nsec_t days_of_a_server(unsigned count)
{
    nsec_t t;

    for (t = T0; t < T0 + (nsec_t)count * DAY; t += STEP) {
        ask_of(t, "10.20.1.1", "9.9.9.9", 30);
        ask(t, C, usual(t));
    }
    return t;
}

static void a_server_that_falls_silent_is_told_once_and_a_night_is_not(void **state)
{
    nsec_t t = days_of_a_server(8), begin = t;

    (void)state;
    assert_int_equal(s.count, 0); /* eight nights of the office */
    for (int i = 0; i < 24; i++, t += STEP)
        ask(t, C, usual(t));
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    assert_true(s.found[0].time <= begin + 2400 * S);
    for (size_t i = 0; i < s.count; i++) {
        check_evidence(&s.found[i], "\"direction\":\"fall\"");
        assert_true(s.found[i].key == s.found[0].key);
    }
}

static void who_moves_to_dot_has_not_gone_silent(void **state)
{
    nsec_t t = days_of_a_server(8);

    (void)state;
    for (int i = 0; i < 36; i++, t += STEP) {
        ask_of(t, C, "9.9.9.9", usual(t));
        ask_sealed(t, "10.20.1.1", 30);
    }
    scene_tick(&s, t + 60 * S);
    assert_int_equal(s.count, 0);
}

/* --- the many --------------------------------------------------------------------------------- */

static void many_at_once_are_one_event_of_their_zone(void **state)
{
    char client[32];
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 8 * DAY + 8 * STEP; t += STEP) {
        unsigned times = t >= T0 + 8 * DAY ? 8 : 1;

        for (int i = 0; i < 12; i++) {
            snprintf(client, sizeof client, "10.30.2.%d", i + 1);
            ask_of(t, client, "9.9.9.9", usual(t) / 2 * times);
        }
        scene_tick(&s, t + STEP - MS);
    }
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    for (size_t i = 0; i < s.count; i++) {
        assert_true(addr_is_zero(&s.found[i].client));
        assert_int_equal(s.found[i].zone, ZONE_LAB);
    }
    check_evidence(&s.found[s.count - 1], "\"clients\":12");
}

/* Its clients ask it four times as much, and another one less, so that only the resolver's own sum
 * shows it. */
static void a_resolver_is_measured_as_one(void **state)
{
    char client[32];
    nsec_t t;

    (void)state;
    for (t = T0; t < T0 + 8 * DAY + 12 * STEP; t += STEP) {
        unsigned times = t >= T0 + 8 * DAY ? 4 : 1;

        for (int i = 0; i < 12; i++) {
            snprintf(client, sizeof client, "10.%d.2.%d", i % 2 ? 30 : 40, i + 1);
            ask_of(t, client, "9.9.9.9", 2 * times);
            ask_of(t, client, "203.0.113.1", 3 * (13 - times * 3));
        }
        scene_tick(&s, t + STEP - MS);
    }
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    for (size_t i = 0; i < s.count; i++) {
        assert_true(addr_is_zero(&s.found[i].client));
        assert_int_equal(s.found[i].resolver, QUAD9);
    }
}

/* --- memory ----------------------------------------------------------------------------------- */

static void restart(nsec_t t)
{
    s.detector->remember(s.state, (struct memory_sink){keep, NULL}, t);
    assert_true(kept_count > 5);
    scene_close(&s);
    scene_open(&s, &detector_volume);
}

static void a_baseline_survives_a_restart(void **state)
{
    nsec_t t = days(T0, 9);

    (void)state;
    restart(t);
    for (size_t i = 0; i < kept_count; i++)
        s.detector->recall(s.state, &kept[i]);
    for (nsec_t end = t + 3600 * S; t < end; t += STEP)
        ask(t, C, usual(t));
    assert_int_equal(s.count, 0);
    for (int i = 0; i < 6; i++, t += STEP)
        ask(t, C, usual(t) * 8);
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    check_evidence(&s.found[0], "\"baseline\":\"own-hour-of-day\"");
    check_evidence(&s.found[0], "\"learned_h\":21"); /* nine days */
}

/* IPv6 first after the restart, of the same machine: the place is one. */
static void a_machine_finds_its_baseline_by_another_address(void **state)
{
    struct observation six = scene_query(T0, "2001:db8::77", "9.9.9.9", "www.example.org");
    nsec_t t = days(T0, 9);

    (void)state;
    restart(t);
    for (size_t i = 0; i < kept_count; i++)
        s.detector->recall(s.state, &kept[i]);
    for (int k = 0; k < 24; k++, t += STEP) {
        struct observation four = scene_query(t + S, C, "9.9.9.9", "www.example.org");

        note(&four);
        six.note = four.note;
        six.time = t;
        s.detector->observe(s.state, &six);
        for (unsigned i = 0; i < usual(t) * (k < 16 ? 1 : 8); i++)
            s.detector->observe(s.state, &four);
        scene_tick(&s, t + STEP - MS);
    }
    assert_true(s.count >= 1);
    check_evidence(&s.found[0], "\"learned_h\":21");
}

/* n queries of whoever has that place, under this address. */
static void ask_at(nsec_t t, uint32_t who, const char *client, unsigned n)
{
    struct observation o = scene_query(t, client, "9.9.9.9", "www.example.org");

    scene_note(s.policy, &o);
    o.note.who = who;
    o.note.tenure = who + 1;
    for (unsigned i = 0; i < n; i++) {
        o.time = t + (nsec_t)i * (STEP / (n + 1));
        s.detector->observe(s.state, &o);
    }
}

static size_t forgotten, written;

static int look_for_moves(void *context, const struct memory *m)
{
    const char *old = "c " C " ";

    (void)context;
    if (m->forget && strncmp(m->key, old, strlen(old)) == 0)
        forgotten++;
    assert_true(m->forget || strcmp(m->key, "c " C " 0") != 0);
    if (strcmp(m->key, "c " OTHER " 0") == 0)
        written += strstr(m->text.text, "\"learned_h\":21") != NULL;
    return 0;
}

/* A machine that is known by its link address has its place before it speaks, whatever address it
 * has now. */
static void a_machine_finds_its_baseline_by_its_place(void **state)
{
    nsec_t t = days(T0, 9);

    (void)state;
    restart(t);
    for (size_t i = 0; i < kept_count; i++) {
        kept[i].who = 77;
        kept[i].tenure = kept[i].key[0] == 'c' ? 78 : 0;
        s.detector->recall(s.state, &kept[i]);
    }
    for (int k = 0; k < 24; k++, t += STEP) {
        ask_at(t, 5, C, 1); /* who has the old address is another */
        ask_at(t, 77, OTHER, usual(t) * (k < 16 ? 1 : 8));
        scene_tick(&s, t + STEP - MS);
    }
    assert_true(s.count >= 1);
    forgotten = written = 0;
    s.detector->remember(s.state, (struct memory_sink){look_for_moves, NULL}, t);
    assert_int_equal(forgotten, 6);
    assert_int_equal(written, 1);
}

/* A lease ends: the machine goes on under another address, another machine gets the old one. */
static void a_baseline_moves_with_the_lease(void **state)
{
    struct memory_sink look = {look_for_moves, NULL};
    nsec_t t = T0;

    (void)state;
    for (nsec_t end = t + 9 * DAY; t < end; t += STEP) {
        ask_at(t, 7, C, usual(t));
        scene_tick(&s, t + STEP - MS);
    }
    for (nsec_t end = t + 7200 * S; t < end; t += STEP) {
        ask_at(t, 7, OTHER, usual(t));
        ask_at(t, 9, C, 1);
        scene_tick(&s, t + STEP - MS);
    }
    assert_int_equal(s.count, 0);
    forgotten = written = 0;
    s.detector->remember(s.state, look, t);
    assert_int_equal(forgotten, 6);
    assert_int_equal(written, 1);
    for (int i = 0; i < 6; i++, t += STEP) {
        ask_at(t, 7, OTHER, usual(t) * 8);
        scene_tick(&s, t + STEP - MS);
    }
    scene_tick(&s, t + 60 * S);
    assert_true(s.count >= 1);
    check_evidence(&s.found[0], "\"learned_h\":21");
}

/* Anybody may have written the store. */
static void what_is_no_memory_is_ignored(void **state)
{
    uint32_t random = 1;
    nsec_t t = days(T0, 2);

    (void)state;
    restart(t);
    for (int round = 0; round < 100; round++)
        for (size_t i = 0; i < kept_count; i++) {
            struct memory m = kept[i];

            for (int k = 0; k < 8; k++) {
                random = random * 1664525 + 1013904223;
                m.body[1 + (random >> 8) % (m.size - 1U)] = (uint8_t)(random >> 24);
            }
            m.size = round % 4 ? m.size : (uint16_t)(random % MEMORY_BODY);
            m.key[round % 20] = (char)(random >> 16 & 127);
            s.detector->recall(s.state, &m);
        }
    for (nsec_t end = t + DAY / 4; t < end; t += STEP)
        ask(t, C, 30);
    s.count = 0; /* nonsense may alarm; it must do no harm */
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCENE(eight_times_the_usual_for_half_an_hour_is_an_anomaly),
        SCENE(a_slow_rise_is_found_by_its_sum),
        SCENE(half_an_hour_is_looked_at_by_itself),
        SCENE(encrypted_queries_count_as_well),
        SCENE(below_the_floor_nothing_is_an_anomaly),
        SCENE(a_quiet_client_that_bursts_is_one),
        SCENE(a_new_client_is_learned_first),
        SCENE(a_new_client_is_measured_against_its_role),
        SCENE(an_alarm_does_not_teach_and_ends_as_the_new_normal),
        SCENE(a_gap_of_months_is_passed_quickly),
        SCENE(answers_that_deny_are_a_series_of_their_own),
        SCENE(each_series_rises_alone),
        SCENE(the_share_in_clear_text_is_a_series_of_its_own),
        SCENE(a_server_that_falls_silent_is_told_once_and_a_night_is_not),
        SCENE(who_moves_to_dot_has_not_gone_silent),
        SCENE(many_at_once_are_one_event_of_their_zone),
        SCENE(a_resolver_is_measured_as_one),
        SCENE(a_baseline_survives_a_restart),
        SCENE(a_machine_finds_its_baseline_by_another_address),
        SCENE(a_machine_finds_its_baseline_by_its_place),
        SCENE(a_baseline_moves_with_the_lease),
        SCENE(what_is_no_memory_is_ignored)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
