/* The ArcSight Common Event Format, CEF:0. The header escapes backslash and bar, the extension
 * backslash, equals and line ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "output/member.h"
#include "output/output.h"

/* How many octets are a control character, which a terminal would obey: C0, DEL, or C1 in UTF-8. */
static size_t control_octets(const char *text)
{
    const unsigned char *octet = (const unsigned char *)text;

    if (octet[0] == 0xc2 && octet[1] >= 0x80 && octet[1] < 0xa0)
        return 2;
    return octet[0] < 0x20 || octet[0] == 0x7f;
}

static void write_escaped(FILE *to, const char *text, char also)
{
    while (*text) {
        size_t control = control_octets(text);

        if (*text == '\\' || *text == also)
            fputc('\\', to);
        if (control)
            fputs(*text == '\n' ? "\\n" : "?", to);
        else
            fputc(*text, to);
        text += control ? control : 1;
    }
}

static void write_text(FILE *to, const char *key, const char *text)
{
    if (!text || !text[0])
        return;
    fprintf(to, "%s=", key);
    write_escaped(to, text, '=');
    fputc(' ', to);
}

static void write_member(FILE *to, const char *key, const json_t *eve, const char *path)
{
    const json_t *value = member(eve, path);

    if (json_is_integer(value))
        fprintf(to, "%s=%lld ", key, (long long)json_integer_value(value));
    else
        write_text(to, key, json_string_value(value));
}

/* A custom string carries its label beside it. */
static void write_custom(FILE *to, const char *key, const char *label, const char *text)
{
    char labelled[32];

    if (!text || !text[0])
        return;
    snprintf(labelled, sizeof labelled, "%sLabel", key);
    write_text(to, labelled, label);
    write_text(to, key, text);
}

static void write_time(FILE *to, const char *key, const json_t *eve, const char *path)
{
    int64_t t = member_milliseconds(eve, path);

    if (t)
        fprintf(to, "%s=%lld ", key, (long long)t);
}

/* src and dst are IPv4 addresses; those of IPv6 are custom ones. */
static void write_addresses(FILE *to, const json_t *eve)
{
    const char *source = member_text(eve, "src_ip"), *destination = member_text(eve, "dest_ip");

    if (source && strchr(source, ':'))
        write_custom(to, "c6a2", "Source IPv6 Address", source);
    else
        write_text(to, "src", source);
    if (destination && strchr(destination, ':'))
        write_custom(to, "c6a3", "Destination IPv6 Address", destination);
    else
        write_text(to, "dst", destination);
}

/* EVE's 1 (high) to 4 (informational) on CEF's scale of 0 to 10. */
static int severity_of_alert(const json_t *eve)
{
    static const int scale[] = {1, 8, 6, 4, 2};
    json_int_t severity = member_integer(eve, "alert.severity");

    return scale[severity >= 1 && severity <= 4 ? severity : 0];
}

static void write_header(FILE *to, const json_t *eve)
{
    const char *title = member_text(eve, "alert.signature");
    json_t *id = member(eve, "alert.signature_id");

    fprintf(to, "CEF:0|sealdns|sealdns|%s|", SEALDNS_VERSION);
    if (member_is_dns(eve)) {
        fprintf(to, "dns|DNS %s|0|", member_is_response(eve) ? "response" : "query");
        return;
    }
    if (id)
        fprintf(to, "%lld", (long long)json_integer_value(id));
    else
        write_escaped(to, member_text(eve, "sealdns.rule") ? member_text(eve, "sealdns.rule") : "",
                      '|');
    fputc('|', to);
    write_escaped(to, title ? title : "sealdns event", '|');
    fprintf(to, "|%d|", severity_of_alert(eve));
}

static void write_event(FILE *to, const json_t *eve)
{
    write_time(to, "rt", eve, "timestamp");
    write_time(to, "start", eve, "sealdns.first");
    write_time(to, "end", eve, "sealdns.last");
    write_member(to, "externalId", eve, "sealdns.id");
    write_member(to, "cnt", eve, "sealdns.count");
    write_member(to, "cat", eve, "sealdns.kind");
    write_member(to, "act", eve, "sealdns.verdict");
    write_member(to, "dvchost", eve, "host");
    write_member(to, "deviceInboundInterface", eve, "in_iface");
}

static void write_flow(FILE *to, const json_t *eve)
{
    write_addresses(to, eve);
    write_member(to, "spt", eve, "src_port");
    write_member(to, "dpt", eve, "dest_port");
    write_member(to, "smac", eve, "sealdns.client_mac");
    write_member(to, "shost", eve, "sealdns.client_name");
    write_member(to, "dhost", eve, "tls.sni");
    write_member(to, "proto", eve, "proto");
    write_member(to, "app", eve, "sealdns.transport");
}

static void write_rest(FILE *to, const json_t *eve)
{
    char sentence[1024], *evidence = NULL;
    const json_t *all = member(eve, "sealdns.evidence");

    if (json_object_size(all))
        evidence = json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER);
    write_custom(to, "cs1", "zone", member_text(eve, "sealdns.zone"));
    write_custom(to, "cs2", "rule", member_text(eve, "sealdns.rule"));
    write_custom(to, "cs3", "query", member_text(eve, "dns.queries.0.rrname"));
    write_custom(to, "cs4", "resolver", member_text(eve, "sealdns.resolver"));
    write_custom(to, "cs5", "evidence", evidence);
    write_custom(to, "cs6", "communityId", member_text(eve, "community_id"));
    if (member(eve, "sealdns.confidence"))
        fputs("cn1Label=confidence ", to);
    write_member(to, "cn1", eve, "sealdns.confidence");
    fputs("cn2Label=revision ", to);
    write_member(to, "cn2", eve, "sealdns.revision");
    fputs("msg=", to);
    write_escaped(to, member_sentence(eve, sentence, sizeof sentence), '=');
    free(evidence);
}

static void write_query(FILE *to, const json_t *eve)
{
    char sentence[1024];

    write_custom(to, "cs1", "zone", member_text(eve, "sealdns.zone"));
    write_custom(to, "cs2", "type", member_text(eve, "dns.queries.0.rrtype"));
    write_custom(to, "cs3", "query", member_text(eve, "dns.queries.0.rrname"));
    write_custom(to, "cs4", "resolver", member_text(eve, "sealdns.resolver"));
    write_custom(to, "cs5", "answer", member_text(eve, "dns.grouped.A.0"));
    write_custom(to, "cs6", "answer", member_text(eve, "dns.grouped.AAAA.0"));
    write_member(to, "outcome", eve, "dns.rcode");
    fputs("msg=", to);
    write_escaped(to, member_sentence(eve, sentence, sizeof sentence), '=');
}

static char *render(const json_t *eve)
{
    char *line = NULL;
    size_t length;
    FILE *to;

    if (!member(eve, "sealdns") || !(to = open_memstream(&line, &length)))
        return NULL;
    write_header(to, eve);
    write_event(to, eve);
    write_flow(to, eve);
    if (member_is_dns(eve))
        write_query(to, eve);
    else
        write_rest(to, eve);
    if (fclose(to) == 0)
        return line;
    free(line);
    return NULL;
}

const struct output_format format_cef = {.name = "cef", .render = render};
