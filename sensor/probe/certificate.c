/* Who a server proves to be: chain, dates, names (RFC 8310 8.1) and pins (RFC 7858 4.2). */
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "probe/session.h"

#define SOON (14 * 86400 * NSEC_S)

enum { DEPTH = 8 };

static nsec_t time_of(const ASN1_TIME *t)
{
    struct tm parts;

    if (!t || ASN1_TIME_to_tm(t, &parts) != 1)
        return 0;
    return (nsec_t)timegm(&parts) * NSEC_S;
}

static void append(char *out, size_t size, const char *text, size_t length)
{
    size_t used = strlen(out);

    text_printable(text, length, out + used, size - used);
}

/* As classify/ writes it, which sees certificates pass: "C=AQ, O=Example, CN=dns.example". */
static void name_text(const X509_NAME *name, char *out, size_t size)
{
    out[0] = '\0';
    for (int i = 0; i < X509_NAME_entry_count(name); i++) {
        const X509_NAME_ENTRY *e = X509_NAME_get_entry(name, i);
        const ASN1_STRING *value = X509_NAME_ENTRY_get_data(e);
        int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(e));
        const char *word = OBJ_nid2sn(nid);

        if ((nid != NID_commonName && nid != NID_countryName && nid != NID_localityName &&
             nid != NID_stateOrProvinceName && nid != NID_organizationName &&
             nid != NID_organizationalUnitName) ||
            ASN1_STRING_type(value) == V_ASN1_BMPSTRING)
            continue;
        if (out[0])
            append(out, size, ", ", 2);
        append(out, size, word, strlen(word));
        append(out, size, "=", 1);
        append(out, size, (const char *)ASN1_STRING_get0_data(value),
               (size_t)ASN1_STRING_length(value));
    }
}

static void add_name(char *out, size_t size, const char *text, size_t length)
{
    if (strlen(out) + length + 2 > size)
        return;
    if (out[0])
        append(out, size, ",", 1);
    append(out, size, text, length);
}

static void add_address(char *out, size_t size, const ASN1_OCTET_STRING *bytes)
{
    const uint8_t *b = ASN1_STRING_get0_data(bytes);
    int length = ASN1_STRING_length(bytes);
    struct addr a;
    char text[ADDR_TEXT];

    if (length != 4 && length != 16)
        return;
    a = length == 4 ? addr_v4(b) : addr_v6(b);
    addr_text(&a, text);
    add_name(out, size, text, strlen(text));
}

static void names_of(X509 *leaf, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

        if (n->type == GEN_DNS)
            add_name(out, size, (const char *)ASN1_STRING_get0_data(n->d.dNSName),
                     (size_t)ASN1_STRING_length(n->d.dNSName));
        else if (n->type == GEN_IPADD)
            add_address(out, size, n->d.iPAddress);
    }
    GENERAL_NAMES_free(names);
}

static bool spki_of(X509 *certificate, uint8_t digest[32])
{
    unsigned char *der = NULL;
    int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

    if (length <= 0)
        return false;
    SHA256(der, (size_t)length, digest);
    OPENSSL_free(der);
    return true;
}

static void note_leaf(X509 *leaf, struct probe_observation *out)
{
    unsigned length = sizeof out->certificate_sha1;

    out->not_before = time_of(X509_get0_notBefore(leaf));
    out->not_after = time_of(X509_get0_notAfter(leaf));
    X509_digest(leaf, EVP_sha1(), out->certificate_sha1, &length);
    spki_of(leaf, out->spki_sha256);
    names_of(leaf, out->names, sizeof out->names);
    name_text(X509_get_subject_name(leaf), out->subject, sizeof out->subject);
    name_text(X509_get_issuer_name(leaf), out->issuer, sizeof out->issuer);
}

/* Every name the resolver goes by is right; without one its address must stand there. */
static void check_name(struct session *s, X509 *leaf)
{
    static const unsigned flags =
        X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    const struct probe_target *t = s->target;
    bool four = addr_is_v4(&t->server);

    for (uint8_t i = 0; i < t->name_count; i++)
        if (X509_check_host(leaf, t->name[i], strlen(t->name[i]), flags, NULL) == 1)
            return;
    if (t->name_count) {
        session_fail(s, FAULT_WRONG_NAME, "the certificate is for %.100s",
                     s->out->names[0] ? s->out->names : "no name");
        return;
    }
    s->out->name_unchecked =
        X509_check_ip(leaf, t->server.b + (four ? 12 : 0), four ? 4 : 16, flags) != 1;
}

static int note_problem(int fine, X509_STORE_CTX *c)
{
    struct session *s = X509_STORE_CTX_get_app_data(c);
    int error = X509_STORE_CTX_get_error(c);
    const char *text = X509_verify_cert_error_string(error);

    if (fine)
        return 1;
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        session_fail(s, FAULT_EXPIRED, "%s", text);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        session_fail(s, FAULT_NOT_YET_VALID, "%s", text);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        session_fail(s, FAULT_SELF_SIGNED, "%s", text);
        break;
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: /* said of a self-signed one as well */
    default:
        if (!(s->out->faults & FAULT(FAULT_SELF_SIGNED)))
            session_fail(s, FAULT_WRONG_CA, "%s", text);
    }
    return 1; /* go on: everything that is wrong is to be told */
}

/* A machine may have no certificates of authorities at all. */
static bool system_has_authorities(void)
{
    DIR *folder = opendir(X509_get_default_cert_dir());
    struct dirent *e;
    bool found = access(X509_get_default_cert_file(), R_OK) == 0;

    while (folder && !found && (e = readdir(folder)))
        found = e->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return found;
}

static X509_STORE *authorities(struct session *s)
{
    X509_STORE *store = X509_STORE_new();
    const char *ca = s->target->ca;

    if (store && ca[0] && X509_STORE_load_file(store, ca) != 1) {
        /* Ours to mend, and nothing against the server. */
        snprintf(s->out->error, sizeof s->out->error, "no certificate can be read from %.60s", ca);
        s->out->chain_unchecked = true;
    }
    if (store && !ca[0] && (!system_has_authorities() || X509_STORE_set_default_paths(store) != 1))
        s->out->chain_unchecked = true;
    return store;
}

static bool has_pin(const struct probe_target *t, X509 *certificate)
{
    uint8_t digest[32];
    char text[PIN_TEXT];

    if (!spki_of(certificate, digest))
        return false;
    pin_text(digest, text);
    for (uint8_t i = 0; i < t->pin_count; i++)
        if (strcmp(t->pin[i], text) == 0)
            return true;
    return false;
}

/* Of a chain that proves nothing only the leaf counts: anybody can send a pinned certificate along.
 * A pin that fits is proof enough of the key, whoever signed it; but not where the policy names the
 * authority as well. */
static void check_pins(struct session *s, X509 *leaf, const STACK_OF(X509) * proven)
{
    static const uint32_t chain = FAULT(FAULT_WRONG_CA) | FAULT(FAULT_SELF_SIGNED);
    struct probe_observation *out = s->out;
    bool found = has_pin(s->target, leaf);

    for (int i = 1; !found && !(out->faults & chain) && i < sk_X509_num(proven); i++)
        found = has_pin(s->target, sk_X509_value(proven, i));
    if (!found)
        session_fail(s, FAULT_WRONG_PIN, "no key of its certificates is among the pins");
    if (!found || s->target->ca[0] || !(out->faults & chain))
        return;
    out->faults &= ~chain;
    if (!(out->faults & FAULTS_OF_IDENTITY))
        out->error[0] = '\0';
}

static void check_chain(struct session *s, X509 *leaf, STACK_OF(X509) * sent)
{
    X509_STORE *store = authorities(s);
    X509_STORE_CTX *c = X509_STORE_CTX_new();
    X509_VERIFY_PARAM *terms;

    if (!store || !c || X509_STORE_CTX_init(c, store, leaf, sent) != 1) {
        s->out->chain_unchecked = true;
    } else {
        X509_STORE_CTX_set_default(c, "ssl_server");
        terms = X509_STORE_CTX_get0_param(c);
        X509_VERIFY_PARAM_set_depth(terms, DEPTH);
        X509_VERIFY_PARAM_set_time(terms, (time_t)(wire_now(&s->wire) / NSEC_S));
        if (s->target->ca[0]) /* an authority in the middle of a chain will do */
            X509_VERIFY_PARAM_set_flags(terms, X509_V_FLAG_PARTIAL_CHAIN);
        X509_STORE_CTX_set_app_data(c, s);
        X509_STORE_CTX_set_verify_cb(c, note_problem);
        X509_verify_cert(c);
        if (s->out->chain_unchecked) /* what was missed there says nothing of the server */
            s->out->faults &= ~FAULT(FAULT_WRONG_CA);
        if (s->target->pin_count)
            check_pins(s, leaf, X509_STORE_CTX_get0_chain(c));
    }
    X509_STORE_CTX_free(c);
    X509_STORE_free(store);
}

/* Certificates that last a few days are meant to. */
static void check_end(struct session *s)
{
    struct probe_observation *out = s->out;
    nsec_t quarter = (out->not_after - out->not_before) / 4;
    nsec_t soon = quarter > 0 && quarter < SOON ? quarter : SOON;

    if (!(out->faults & FAULT(FAULT_EXPIRED)) && out->not_after - wire_now(&s->wire) < soon)
        out->faults |= FAULT(FAULT_EXPIRES_SOON);
}

void certificate_check(struct session *s, X509 *leaf, STACK_OF(X509) * sent)
{
    if (!leaf) {
        session_fail(s, FAULT_HANDSHAKE, "it showed no certificate");
        return;
    }
    note_leaf(leaf, s->out);
    check_chain(s, leaf, sent);
    check_name(s, leaf);
    check_end(s);
    ERR_clear_error();
}
