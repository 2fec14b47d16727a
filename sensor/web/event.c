/* One event: how it grew, what it means, what to do. */
#include <string.h>

#include "base/error.h"
#include "store/search.h"
#include "web/request.h"

/* "T1562.010,CIS 9.2": techniques of ATT&CK have the form T1234, the rest are controls. */
static void split(const char *metadata, json_t *attack, json_t *controls)
{
    while (*metadata) {
        size_t length = strcspn(metadata, ",");
        bool technique = metadata[0] == 'T' && metadata[1] >= '0' && metadata[1] <= '9';

        json_array_append_new(technique ? attack : controls, json_stringn(metadata, length));
        metadata += length + (metadata[length] == ',');
    }
}

static json_t *lines(const char *text)
{
    json_t *list = json_array();

    while (*text) {
        size_t length = strcspn(text, "\n");

        json_array_append_new(list, json_stringn(text, length));
        text += length + (text[length] == '\n');
    }
    return list;
}

static json_t *detection_of(const struct web_request *q, const json_t *event)
{
    const char *rule =
        json_string_value(json_object_get(json_object_get(event, "sealdns"), "rule"));
    const struct policy *p = q->source->policy(q->source->context);
    const struct policy_detection *d = p && rule ? policy_detection_named(p, rule) : NULL;
    json_t *attack = json_array(), *controls = json_array(), *out = NULL;

    if (d) {
        split(d->metadata, attack, controls);
        out = json_pack("{s:s,s:s,s:s,s:s,s:o,s:O,s:O}", "id", d->id, "title", d->title, "why",
                        d->explanation, "do", d->what_to_do, "false_positives",
                        lines(d->false_positives), "attack", attack, "controls", controls);
    }
    json_decref(attack);
    json_decref(controls);
    if (p)
        q->source->release(q->source->context, p);
    return out ? out : json_null();
}

static json_t *capture_of(const json_t *event)
{
    const json_t *own = json_object_get(event, "sealdns");

    if (!json_object_get(json_object_get(own, "evidence"), "pcap"))
        return json_null();
    return json_sprintf("/api/captures/%s", json_string_value(json_object_get(own, "id")));
}

static enum MHD_Result answer(const struct web_request *q)
{
    enum MHD_Result answered;
    struct store_reader *r = web_reader(q, &answered);
    json_t *all = json_array(), *last, *document = NULL;
    int status = r ? store_event(r, q->rest, web_add_event, all) : SD_OK;

    if (!r) {
        json_decref(all);
        return answered;
    }
    last = json_array_get(all, json_array_size(all) - 1);
    if (last)
        document = json_pack("{s:O,s:O,s:o,s:o}", "event", last, "revisions", all, "detection",
                             detection_of(q, last), "capture", capture_of(last));
    json_decref(all);
    if (document || status != SD_OK)
        return web_read(q, r, status, document);
    store_reader_close(r);
    return web_error(q, MHD_HTTP_NOT_FOUND, "there is no such event");
}

const struct web_route route_event = {"/api/events/", .answer = answer};
