#include "cli/probing.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "base/error.h"

/* What would be right, for each fault; the sentence before it says what is wrong. */
static const char *advice(unsigned fault)
{
    static const char *const text[FAULT_COUNT] = {
        [FAULT_WRONG_NAME] = "the certificate must hold the resolver's name: if this is another "
                             "server, find out whose; if the resolver has changed its name, `name` "
                             "in the policy is to follow",
        [FAULT_WRONG_CA] = "a chain that ends in an authority this machine trusts; a private one "
                           "is named by `ca` in the policy",
        [FAULT_SELF_SIGNED] = "a certificate of an authority, or its pin in `pins` of the policy",
        [FAULT_EXPIRED] = "the operator must renew the certificate",
        [FAULT_NOT_YET_VALID] = "a certificate that has begun: compare the clocks of both machines",
        [FAULT_WRONG_PIN] = "if the operator has changed the key, `pins` is to hold the new pin, "
                            "below; if not, this is another server",
        [FAULT_NO_CONNECTION] = "a server that listens there, and a way to it that nobody cuts",
        [FAULT_NOT_TLS] = "a server that speaks TLS on this port",
        [FAULT_OLD_VERSION] = "TLS 1.2 or 1.3 (RFC 8996)",
        [FAULT_HANDSHAKE] = "a handshake that ends",
        [FAULT_NO_ANSWER] = "an answer in time",
        [FAULT_BAD_ANSWER] = "an answer of DNS to the question asked",
        [FAULT_TOO_MUCH] = "an answer that ends",
        [FAULT_EXPIRES_SOON] = "a renewed certificate, soon",
        [FAULT_ACCEPTS_OLD] = "only TLS 1.2 and 1.3 (RFC 8996)",
        [FAULT_ACCEPTS_WEAK] =
            "only suites with forward secrecy that encrypt and authenticate (RFC "
            "9325 4.1)",
        [FAULT_NO_GET] = "DoH by GET as well as by POST (RFC 8484 4.1)",
        [FAULT_NO_POST] = "DoH by POST as well as by GET (RFC 8484 4.1)",
        [FAULT_NO_PADDING] = "answers padded to blocks of 468 octets (RFC 8467)",
        [FAULT_CANARY] = "a negative answer to the canary names, so that browsers and iCloud "
                         "Private Relay stay with the resolvers that the policy approves",
        [FAULT_DESIGNATES] = "a designation of itself, or of a resolver the policy approves",
    };

    return text[fault];
}

enum probe_verdict probing_verdict(const struct probing *p)
{
    if (p->skipped)
        return PROBE_SKIPPED;
    if (p->found.faults & ~(uint32_t)FAULTS_TO_REMARK)
        return PROBE_WRONG;
    if (p->found.chain_unchecked && p->found.encrypted && !p->target.pin_count)
        return PROBE_WRONG; /* nothing proves who it is */
    return p->found.faults || p->found.name_unchecked ? PROBE_REMARKS : PROBE_RIGHT;
}

enum probe_verdict probed_verdict(const struct probed_resolver *r)
{
    enum probe_verdict worst = PROBE_RIGHT;

    for (size_t i = 0; i < r->count; i++) {
        enum probe_verdict v = probing_verdict(r->first + i);

        worst = v > worst ? v : worst;
    }
    return worst;
}

static const char *word_of(enum probe_verdict v)
{
    static const char *const words[] = {"right", "right, with remarks", "right, but not all probed",
                                        "WRONG"};

    return words[v];
}

static const char *version_word(unsigned version)
{
    static const char *const words[] = {"1.0", "1.1", "1.2", "1.3"};

    return version >= 0x0301 && version <= 0x0304 ? words[version - 0x0301] : "?";
}

static void print_latency(const struct probe_observation *o, FILE *to)
{
    fprintf(to, "      connect %.1f ms", o->connect_us / 1000.0);
    if (o->encrypted)
        fprintf(to, ", TLS %.1f ms", o->handshake_us / 1000.0);
    if (o->answer_length)
        fprintf(to, ", answer %.1f ms (%u octets%s)", o->answer_us / 1000.0, o->answer_length,
                o->padding ? ", padded" : "");
    putc('\n', to);
}

static void print_tls(const struct probe_observation *o, FILE *to)
{
    char from[TIME_TEXT], until[TIME_TEXT], pin[PIN_TEXT];

    fprintf(to, "      TLS %s, %s%s%s; accepts", version_word(o->version), o->cipher,
            o->alpn[0] ? ", ALPN " : "", o->alpn);
    for (unsigned v = 0x0301; v <= 0x0304; v++)
        if (o->versions & PROBE_VERSION(v))
            fprintf(to, " %s", version_word(v));
    if (o->weak_cipher[0])
        fprintf(to, ", and %s", o->weak_cipher);
    fprintf(to, "\n      certificate for %s, by \"%s\", %.10s to %.10s\n",
            o->names[0] ? o->names : "no name", o->issuer, time_text(o->not_before, from),
            time_text(o->not_after, until));
    fprintf(to, "      pin %s\n", pin_text(o->spki_sha256, pin));
}

static void print_faults(const struct probing *p, FILE *to)
{
    const struct probe_observation *o = &p->found;

    if (o->error[0])
        fprintf(to, "      wrong: %s\n", o->error);
    for (unsigned f = 0; f < FAULT_COUNT; f++)
        if (o->faults & FAULT(f))
            fprintf(to, "      %s: right would be %s\n", fault_name(f), advice(f));
    if (o->designated[0] && o->faults & FAULT(FAULT_DESIGNATES))
        fprintf(to, "      it sends clients to %s\n", o->designated);
    if (o->encrypted && o->chain_unchecked)
        fprintf(to, "      chain not checked: no certificates of authorities here; install "
                    "ca-certificates, or name a file by `ca`\n");
    if (o->encrypted && o->name_unchecked)
        fprintf(to, "      name not checked: nobody says how it is called; NAME@ADDRESS does\n");
}

static void print_probing(const struct probing *p, FILE *to)
{
    const struct probe_observation *o = &p->found;
    char address[ADDR_TEXT], words[256];

    fprintf(to, "  %s %s port %u: ", addr_text(&p->target.server, address),
            transport_name(p->target.transport), p->target.port);
    if (p->skipped) {
        fprintf(to, "not probed: this version speaks no HTTP/3 and no DNSCrypt\n");
        return;
    }
    fprintf(to, "%s%s%s\n", word_of(probing_verdict(p)), o->faults ? ": " : "",
            probe_fault_words(o->faults, words, sizeof words));
    print_faults(p, to);
    if (o->reached)
        print_latency(o, to);
    if (o->encrypted)
        print_tls(o, to);
}

void probed_print(const struct probed_resolver *r, FILE *to)
{
    fprintf(to, "%s%s%s%s: %s\n", r->label, r->name[0] ? " (" : "", r->name, r->name[0] ? ")" : "",
            word_of(probed_verdict(r)));
    for (size_t i = 0; i < r->count; i++)
        print_probing(r->first + i, to);
}

static json_t *faults_json(uint32_t faults)
{
    json_t *list = json_array();

    for (unsigned f = 0; f < FAULT_COUNT; f++)
        if (faults & FAULT(f))
            json_array_append_new(list, json_string(fault_name(f)));
    return list;
}

static json_t *versions_json(uint8_t versions)
{
    json_t *list = json_array();

    for (unsigned v = 0x0301; v <= 0x0304; v++)
        if (versions & PROBE_VERSION(v))
            json_array_append_new(list, json_string(version_word(v)));
    return list;
}

static json_t *certificate_json(const struct probe_observation *o)
{
    char from[TIME_TEXT], until[TIME_TEXT], pin[PIN_TEXT];

    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b,s:b}", "names", o->names, "subject", o->subject,
                     "issuer", o->issuer, "not_before", time_text(o->not_before, from), "not_after",
                     time_text(o->not_after, until), "pin", pin_text(o->spki_sha256, pin),
                     "chain_checked", !o->chain_unchecked, "name_checked", !o->name_unchecked);
}

static json_t *canaries_json(const struct probe_observation *o)
{
    static const char *const names[] = {"use-application-dns.net", "mask.icloud.com",
                                        "mask-h2.icloud.com", "_dns.resolver.arpa"};
    static const char *const answers[] = {"unasked", "negative", "positive", "failed"};
    json_t *all = json_object();

    for (int c = 0; c < CANARIES; c++)
        json_object_set_new(all, names[c], json_string(answers[o->canary[c]]));
    return all;
}

static json_t *probing_json(const struct probing *p)
{
    static const char *const verdicts[] = {"right", "right", "not-probed", "wrong"};
    const struct probe_observation *o = &p->found;
    char address[ADDR_TEXT], time[TIME_TEXT];
    json_t *j = json_pack("{s:s,s:i,s:s,s:s,s:o,s:s,s:s,s:b}", "server",
                          addr_text(&p->target.server, address), "server_port", p->target.port,
                          "transport", transport_name(p->target.transport), "verdict",
                          verdicts[probing_verdict(p)], "faults", faults_json(o->faults), "error",
                          o->error, "time", time_text(p->time, time), "reached", o->reached);

    if (p->skipped || !j)
        return j;
    json_object_update_new(
        j, json_pack("{s:i,s:i,s:i,s:i,s:i,s:o,s:s}", "connect_us", (int)o->connect_us, "answer_us",
                     (int)o->answer_us, "answer_octets", o->answer_length, "padding", o->padding,
                     "rcode", o->rcode, "canaries", canaries_json(o), "designated", o->designated));
    if (o->http_status)
        json_object_update_new(j, json_pack("{s:i,s:b,s:b}", "http_status", o->http_status, "post",
                                            o->post_works, "get", o->get_works));
    if (o->encrypted)
        json_object_update_new(
            j, json_pack("{s:i,s:s,s:o,s:s,s:s,s:s,s:o}", "handshake_us", (int)o->handshake_us,
                         "tls_version", version_word(o->version), "tls_versions",
                         versions_json(o->versions), "cipher", o->cipher, "weak_cipher",
                         o->weak_cipher, "alpn", o->alpn, "certificate", certificate_json(o)));
    return j;
}

static json_t *resolver_json(const struct probed_resolver *r)
{
    static const char *const verdicts[] = {"right", "right", "right", "wrong"};
    json_t *list = json_array();

    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(list, probing_json(r->first + i));
    return json_pack("{s:s,s:s,s:s,s:o}", "resolver", r->label, "name", r->name, "verdict",
                     verdicts[probed_verdict(r)], "probes", list);
}

int probed_print_json(const struct probed_resolver *list, size_t count, FILE *to)
{
    json_t *all = json_array(), *document;
    int status;

    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, resolver_json(list + i));
    document = json_pack("{s:s,s:o}", "sealdns", SEALDNS_VERSION, "resolvers", all);
    if (!document)
        return SD_EMEM;
    status = json_dumpf(document, to, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    json_decref(document);
    return status == 0 && putc('\n', to) != EOF ? SD_OK : SD_EIO;
}
