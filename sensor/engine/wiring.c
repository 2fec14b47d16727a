#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "engine/gateway.h"
#include "engine/sensor.h"

const char *wiring_interface_of(const struct wiring *w, size_t lane)
{
    return w->interfaces[lane / w->threads];
}

int wiring_interfaces(const struct wiring *w, struct policy *p)
{
    char(*names)[16] = calloc(w->interface_count + 1, sizeof *names);

    if (!names)
        return SD_EMEM;
    for (size_t i = 0; i < w->interface_count; i++)
        text_copy(names[i], sizeof names[i], w->interfaces[i]);
    free(p->interfaces);
    p->interfaces = names;
    p->interface_count = w->interface_count;
    return SD_OK;
}

void wiring_hold(const struct admission *a, struct policy *p)
{
    size_t count = a->zone_count < MOST_ZONE_STATES ? a->zone_count : MOST_ZONE_STATES;

    for (size_t z = 0; z < p->zone_count; z++) {
        uint64_t id = hash_bytes(p->zones[z].id, strlen(p->zones[z].id), 0);

        p->zones[z].held = false;
        for (size_t i = 0; i < count; i++)
            p->zones[z].held |= a->zones[i].id == id && a->zones[i].held;
    }
}

void wiring_refuse(struct policy *p)
{
    if (p->mode != MODE_ENFORCE)
        return;
    p->mode = MODE_SHADOW;
    p->refused = true;
}

int wiring_policy(const struct wiring *w, const struct policy_files *files, FILE *to,
                  struct policy **out)
{
    int status = policy_files_load(files, w->own->list, w->own->count, clock_now(), to, out);

    if (status != SD_OK)
        return status;
    if (!(*out)->name[0] && gethostname((*out)->name, sizeof(*out)->name - 1) != 0)
        text_copy((*out)->name, sizeof(*out)->name, "gateway");
    if (w->options->mode >= 0)
        (*out)->mode = (enum mode)w->options->mode;
    if (w->options->profile >= 0)
        (*out)->profile = (enum footprint)w->options->profile;
    if ((*out)->place == PLACE_TAP && (*out)->mode != MODE_MONITOR) {
        fprintf(to, "--mode %s: %s\n", mode_name((*out)->mode), TAP_CANNOT_CUT);
        policy_destroy(*out);
        *out = NULL;
        return SD_EUNSUP;
    }
    if (w->cannot_log)
        (*out)->log_group = 0;
    wiring_hold(w->admission, *out);
    if (w->admission->refused)
        wiring_refuse(*out);
    return w->interface_count ? wiring_interfaces(w, *out) : SD_OK;
}

int wiring_quietly(const struct wiring *w, const struct policy_files *files, struct policy **out)
{
    char *said = NULL;
    size_t length;
    FILE *to = open_memstream(&said, &length);
    int status = to ? wiring_policy(w, files, to, out) : SD_EMEM;

    if (to)
        fclose(to);
    free(said);
    return status;
}

int wiring_receive_policy(const struct wiring *w, int descriptor, struct policy **out)
{
    struct policy_files *files;
    int status = policy_files_unpack(descriptor, &files);

    close(descriptor);
    if (status != SD_OK)
        return status;
    status = wiring_quietly(w, files, out); /* the monitor has said what there was to say */
    policy_files_free(files);
    return status;
}

void own_finding(struct finding *f, enum kind kind, const char *rule, const char *what)
{
    memset(f, 0, sizeof *f);
    text_copy(f->rule, sizeof f->rule, rule);
    f->kind = (uint8_t)kind;
    f->severity = SEVERITY_INFORMATIONAL;
    f->confidence = 100;
    f->zone = f->resolver = -1;
    f->iface = UINT16_MAX; /* none: it is about the sensor */
    f->cut = ACTION_ALERT;
    f->count = 1;
    f->time = clock_now();
    f->key = hash_mix(hash_bytes(what, strlen(what), 0), (uint64_t)f->time);
    evidence_clear(&f->evidence);
    evidence_string(&f->evidence, "what", what);
}
