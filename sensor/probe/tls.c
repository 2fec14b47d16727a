/* TLS for DoT and DoH. The handshake goes through whoever the server is; who it is, is judged
 * afterwards (certificate.c), so that everything that is wrong can be told at once. */
#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/text.h"
#include "probe/session.h"

struct offer {
    unsigned least, most; /* versions */
    const char *suites;   /* NULL: all */
};

static void text_of(const char *from, char *out, size_t size)
{
    text_printable(from ? from : "", SIZE_MAX, out, size);
}

/* TLS 1.2 at least (RFC 8310 9.1 by way of BCP 195), unless another version is asked for. */
static int make_context(struct session *s, unsigned least, unsigned most)
{
    s->context = SSL_CTX_new(TLS_client_method());
    if (!s->context)
        return SD_EMEM;
    SSL_CTX_set_min_proto_version(s->context, (int)least);
    SSL_CTX_set_max_proto_version(s->context, (int)most);
    SSL_CTX_set_verify(s->context, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_mode(s->context, SSL_MODE_ENABLE_PARTIAL_WRITE);
    /* Tickets without end must not keep us inside the library, where no deadline is looked at. */
    SSL_CTX_clear_mode(s->context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_session_cache_mode(s->context, SSL_SESS_CACHE_OFF);
    if (least < TLS1_2_VERSION) /* the library would not even offer what old versions have */
        SSL_CTX_set_cipher_list(s->context, "ALL:@SECLEVEL=0");
    return SD_OK;
}

static int make_tls(struct session *s, const unsigned char *alpn, unsigned alpn_length)
{
    const struct probe_target *t = s->target;

    s->tls = SSL_new(s->context);
    if (!s->tls || SSL_set_fd(s->tls, s->wire.descriptor) != 1)
        return SD_EMEM;
    if (alpn && SSL_set_alpn_protos(s->tls, alpn, alpn_length) != 0)
        return SD_EMEM;
    if (t->name_count && SSL_set_tlsext_host_name(s->tls, t->name[0]) != 1)
        return SD_EMEM;
    SSL_set_connect_state(s->tls);
    return SD_OK;
}

/* What to wait for after a call that did not go through; SD_ENET: it never will. */
static int wait_for(struct session *s, int result)
{
    switch (SSL_get_error(s->tls, result)) {
    case SSL_ERROR_WANT_READ:
        return wire_wait(&s->wire, POLLIN);
    case SSL_ERROR_WANT_WRITE:
        return wire_wait(&s->wire, POLLOUT);
    default:
        return SD_ENET;
    }
}

static int shake_hands(struct session *s)
{
    for (;;) {
        int result, status;

        ERR_clear_error();
        errno = 0;
        result = SSL_do_handshake(s->tls);
        if (result == 1)
            return SD_OK;
        status = wait_for(s, result);
        if (status != SD_OK)
            return status;
    }
}

static int tell_failure(struct session *s, int status)
{
    unsigned long error = ERR_peek_error();
    const char *reason = error ? ERR_reason_error_string(error) : NULL;

    if (status == SD_EAGAIN)
        return session_fail(s, FAULT_HANDSHAKE, "the TLS handshake did not end in time");
    switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_RECORD_TOO_SMALL:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_UNEXPECTED_MESSAGE:
        return session_fail(s, FAULT_NOT_TLS, "what it speaks is not TLS");
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return session_fail(s, FAULT_OLD_VERSION, "it speaks no version from TLS 1.2 on");
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        return session_fail(s, FAULT_HANDSHAKE, "it hung up in the TLS handshake");
    default:
        if (reason)
            return session_fail(s, FAULT_HANDSHAKE, "TLS handshake: %s", reason);
        return session_fault(s, FAULT_HANDSHAKE, SD_ENET, "TLS handshake");
    }
}

static void note_handshake(struct session *s, nsec_t start)
{
    struct probe_observation *out = s->out;
    const unsigned char *alpn;
    unsigned length;

    out->encrypted = true;
    out->handshake_us = (uint32_t)((wire_now(&s->wire) - start) / NSEC_US);
    out->version = (uint16_t)SSL_version(s->tls);
    if (out->version >= TLS1_VERSION && out->version <= TLS1_3_VERSION)
        out->versions |= PROBE_VERSION(out->version);
    text_of(SSL_get_cipher_name(s->tls), out->cipher, sizeof out->cipher);
    SSL_get0_alpn_selected(s->tls, &alpn, &length);
    if (length)
        text_printable((const char *)alpn, length, out->alpn, sizeof out->alpn);
}

int tls_open(struct session *s, const unsigned char *alpn, unsigned alpn_length)
{
    nsec_t start = wire_now(&s->wire);
    int status = make_context(s, TLS1_2_VERSION, TLS1_3_VERSION);

    if (status == SD_OK)
        status = make_tls(s, alpn, alpn_length);
    if (status != SD_OK)
        return session_fail(s, FAULT_HANDSHAKE, "TLS could not be set up here");
    status = shake_hands(s);
    if (status != SD_OK)
        return tell_failure(s, status);
    note_handshake(s, start);
    certificate_check(s, SSL_get0_peer_certificate(s->tls), SSL_get_peer_cert_chain(s->tls));
    return SD_OK;
}

int tls_read(struct session *s, void *to, size_t size)
{
    for (;;) {
        int got, status;

        ERR_clear_error();
        got = SSL_read(s->tls, to, size > INT32_MAX ? INT32_MAX : (int)size);
        if (got > 0)
            return got;
        if (SSL_get_error(s->tls, got) == SSL_ERROR_ZERO_RETURN)
            return 0;
        status = wait_for(s, got);
        if (status != SD_OK)
            return status;
    }
}

int tls_write(struct session *s, const void *from, size_t length)
{
    for (size_t sent = 0; sent < length;) {
        int n, status;

        ERR_clear_error();
        n = SSL_write(s->tls, (const char *)from + sent, (int)(length - sent));
        if (n > 0) {
            sent += (size_t)n;
            continue;
        }
        status = wait_for(s, n);
        if (status != SD_OK)
            return status;
    }
    return SD_OK;
}

void tls_close(struct session *s)
{
    if (s->tls && s->out->encrypted)
        SSL_shutdown(s->tls); /* a word on the way out; its answer is not waited for */
    SSL_free(s->tls);
    SSL_CTX_free(s->context);
    s->tls = NULL;
    s->context = NULL;
    ERR_clear_error();
}

/* One more handshake, in which only what is asked for is offered. The session's handshake has not
 * ended unless this returns true. */
static bool try_handshake(struct session *s, const struct wire *terms, const struct offer *offer)
{
    s->wire = *terms;
    return wire_open(&s->wire, &s->target->server, s->target->port, SOCK_STREAM) == SD_OK &&
           make_context(s, offer->least, offer->most) == SD_OK &&
           (!offer->suites || SSL_CTX_set_cipher_list(s->context, offer->suites) == 1) &&
           make_tls(s, NULL, 0) == SD_OK && shake_hands(s) == SD_OK;
}

/* cipher: what was agreed on, or NULL. */
static bool accepts(const struct probe_target *t, const struct wire *terms,
                    const struct offer *offer, char *cipher, size_t size)
{
    struct probe_observation ignored = {0};
    struct session *s = calloc(1, sizeof *s);
    bool accepted;

    if (!s)
        return false;
    s->target = t;
    s->out = &ignored;
    accepted = try_handshake(s, terms, offer);
    if (accepted && cipher)
        text_of(SSL_get_cipher_name(s->tls), cipher, size);
    tls_close(s);
    wire_close(&s->wire);
    free(s);
    return accepted;
}

bool tls_accepts(const struct probe_target *t, const struct wire *terms, unsigned version)
{
    struct offer offer = {.least = version, .most = version};

    return accepts(t, terms, &offer, NULL, 0);
}

/* What RFC 9325 4.1 forbids or advises against: no encryption, nobody authenticated, broken or
 * short ciphers, no forward secrecy. Block chaining is not among them. TLS 1.3 has nothing weak. */
bool tls_accepts_weak(const struct probe_target *t, const struct wire *terms, char *out,
                      size_t size)
{
    static const struct offer offer = {TLS1_VERSION, TLS1_2_VERSION,
                                       "eNULL:aNULL:kRSA:RC4:3DES:DES:LOW:EXPORT:@SECLEVEL=0"};

    return accepts(t, terms, &offer, out, size);
}
