#include "output/sentence.h"

#include <string.h>

#include "base/text.h"

enum { KEY_SIZE = 32, TEXT_SIZE = 512 };

/* A word in braces is a member of the evidence, or else of the event; what stands in brackets is
 * left out where a member of it is missing. */
struct sentence {
    const char *rule, *words;
};

static const struct sentence sentences[] = {
    {"cleartext", "{client}[ ({zone})] asked {server}[ ({resolver})] in clear text"
                  "[, for {names}]"},
    {"downgrade", "{client}[ ({zone})] gave up encrypted DNS with {failed_server}[ ({resolver})]: "
                  "{cause}[, {origin}]; then it asked {clear_server} in clear text"
                  "[, for {names}]"},
    {"encrypted-dns-blocked", "encrypted DNS to {server}[ ({resolver})] fails for clients at large"
                              "[: {clients_failing} of {clients_active}][, {cause}]"},
    {"unapproved-resolver", "{client}[ ({zone})] spoke {transport} with {server}[ ({sni})], which "
                            "its zone does not approve"},
    {"hidden-resolver", "what {client}[ ({zone})] and {server}[ ({sni})] say to each other on port "
                        "443 behaves like DNS over HTTPS"},
    {"rogue-resolver", "{server} inside answers DNS and is nobody the policy knows"
                       "[: {answers} answers to {askers_at_least} clients or more]"},
    {"open-resolver", "{server} inside answers the DNS of strangers, such as {client}"},
    {"designation", "{client}[ ({zone})] was offered a resolver that its zone does not approve"
                    "[: {designated}][ ({addresses})], by {mechanism}[ from {source}]"},
    {"poisoning", "answers to {client} in the name of {server} look forged: {sign}"},
    {"amplification", "{server} seems to be used as {as} of an amplification"
                      "[: {answers} answers, {bytes} octets]"},
    {"privacy-weak",
     "{transport} of {client}[ ({zone})] with {server}[ ({resolver})] protects less "
     "than it could: {weak}"},
    {"several-clients", "several clients share the address {client}"},
    {"tunnel",
     "{client}[ ({zone})] seems to carry data inside questions for {domain}[, by {tool}]"},
    {"sealed-tunnel", "{client}[ ({zone})] seems to carry data inside its {transport} with {server}"
                      "[ ({resolver})]"},
    {"dga", "{client}[ ({zone})] asks for domains as a generator makes them up"
            "[: {domains_missing} that do not exist][, such as {names}]"},
    {"random-subdomain", "random names below {domain} are asked for[, {per_second} a second]"},
    {"zone-transfer", "{client}[ ({zone})] asked {server} for a whole zone ({request}): {outcome}"},
    {"volume-anomaly", "{client}[ ({zone})] asks far from its usual: {count} queries in place of "
                       "{expected}"},
    {"protocol-mismatch",
     "{client}[ ({zone})] and {server} speak {seen} on port {server_port}, where "
     "{expected} belongs"},
    {"resolver-identity", "{server}[ ({resolver})] does not prove who it should be: {faults}"
                          "[, certificate for {certificate_for}]"},
    {"rule-evidence",
     "a rule of the policy met {client}[ ({zone})]: {packets} packets of {transport} "
     "to {server}, {what}"},
    {"sensor", "the sensor: {what}[ ({detail})]"},
    {"enforcement", "the rules in the kernel: {what}[ ({detail})]"},
};

/* Words of a closed vocabulary that a sentence says in another way. */
static const struct {
    const char *key, *word, *text;
} said[] = {
    {"cause", "reset", "its connections were reset"},
    {"cause", "timeout", "nobody answered"},
    {"cause", "icmp", "an ICMP error came back"},
    {"cause", "tls-alert", "a TLS alert ended it"},
    {"cause", "certificate", "the certificate was refused"},
    {"cause", "not-tls", "what answered was no TLS"},
    {"cause", "version", "no common version of TLS"},
    {"cause", "own-rule", "a rule of this gateway cut it"},
    {"cause", "no-answer", "no answer came after the handshake"},
    {"origin", "server", "by the server itself"},
    {"origin", "path", "by somebody on the path"},
    {"origin", "gateway", "by this gateway"},
    {"origin", "client", "by the client"},
    {"origin", "unknown", ""}, /* left out */
};

static const char *in_words(const char *key, const char *word)
{
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (strcmp(said[i].key, key) == 0 && strcmp(said[i].word, word) == 0)
            return said[i].text;
    return word;
}

/* The member's text into out; false where there is none. */
static bool member(const json_t *own, const char *key, char *out, size_t size)
{
    const json_t *value = json_object_get(json_object_get(own, "evidence"), key);
    const char *text;

    if (!value)
        value = json_object_get(own, key);
    if (json_is_integer(value)) {
        snprintf(out, size, "%lld", (long long)json_integer_value(value));
        return true;
    }
    text = json_is_string(value) ? in_words(key, json_string_value(value)) : "";
    if (!*text)
        return false;
    text_printable(text, strlen(text), out, size);
    return true;
}

/* The word in braces at `at`, its closing brace returned. */
static const char *braced(const char *at, char key[KEY_SIZE])
{
    size_t length = strcspn(at + 1, "}");

    snprintf(key, KEY_SIZE, "%.*s", (int)length, at + 1);
    return at + 1 + length;
}

/* Every member that is named from here to one of `until`, or to the end, is there. Parts in
 * brackets that begin later need not be. */
static bool is_whole(const char *at, const char *until, const json_t *own)
{
    char key[KEY_SIZE], text[TEXT_SIZE];

    for (; *at && !strchr(until, *at); at++) {
        if (*at == '[')
            at += strcspn(at, "]");
        if (*at != '{')
            continue;
        at = braced(at, key);
        if (!member(own, key, text, sizeof text))
            return false;
    }
    return true;
}

static void write_words(FILE *to, const char *at, const json_t *own)
{
    char key[KEY_SIZE], text[TEXT_SIZE];

    for (; *at; at++) {
        if (*at == '[' && !is_whole(at + 1, "]", own))
            at += strcspn(at, "]");
        if (*at == '{') {
            at = braced(at, key);
            member(own, key, text, sizeof text);
            fputs(text, to);
        } else if (!strchr("[]", *at)) {
            fputc(*at, to);
        }
    }
}

static const char *words_of(const char *rule)
{
    for (size_t i = 0; rule && i < sizeof sentences / sizeof *sentences; i++)
        if (strcmp(sentences[i].rule, rule) == 0)
            return sentences[i].words;
    return NULL;
}

void sentence_write(FILE *to, const json_t *eve)
{
    const json_t *own = json_object_get(eve, "sealdns"), *alert = json_object_get(eve, "alert");
    const char *words = words_of(json_string_value(json_object_get(own, "rule")));
    const char *title = json_string_value(json_object_get(alert, "signature"));
    char client[64], server[64];

    if (words && is_whole(words, "", own)) {
        write_words(to, words, own);
        return;
    }
    fputs(title ? title : "an event", to);
    if (member(own, "client", client, sizeof client))
        fprintf(to, ", client %s", client);
    if (member(own, "server", server, sizeof server))
        fprintf(to, ", server %s", server);
}
