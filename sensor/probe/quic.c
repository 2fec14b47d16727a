/* QUIC by ngtcp2, its TLS by GnuTLS: OpenSSL has none that Debian's ngtcp2 could use. Whom the
 * certificate names is judged where it is for the others (certificate.c). */
#include "probe/quic.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/error.h"
#include "base/text.h"

#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:%DISABLE_TLS13_COMPAT_MODE"

enum { PACKET = 2048, CONNECTION_ID = 8, CHAIN = 16, NO_STREAM = -1 };

struct quic {
    ngtcp2_conn *connection;
    ngtcp2_crypto_conn_ref reference; /* from the TLS session back to it */
    gnutls_session_t tls;
    gnutls_certificate_credentials_t credentials;
    struct sockaddr_storage local, remote;
    ngtcp2_path path;
    nsec_t last;    /* that it was told: its time must not run back */
    bool heard;     /* something of QUIC came */
    int64_t stream; /* of the question, or NO_STREAM */
    bool closed, refused;
    uint8_t question[2 + QUESTION_BYTES];
    size_t length, sent;
    uint8_t head[2]; /* of the answer: its length */
    size_t have;     /* octets of head and answer */
    uint8_t *answer; /* ANSWER_BYTES */
};

static ngtcp2_tstamp time_of(struct session *s)
{
    nsec_t now = wire_now(&s->wire);

    if (now > s->quic->last)
        s->quic->last = now;
    return (ngtcp2_tstamp)s->quic->last;
}

/* --- what the library calls ------------------------------------------------------------------- */

static ngtcp2_conn *connection_of(ngtcp2_crypto_conn_ref *reference)
{
    return ((struct quic *)reference->user_data)->connection;
}

static void give_random(uint8_t *to, size_t length, const ngtcp2_rand_ctx *context)
{
    (void)context;
    if (RAND_bytes(to, (int)length) != 1)
        memset(to, 0, length); /* nothing secret hangs on it */
}

static int give_connection_id(ngtcp2_conn *connection, ngtcp2_cid *id, uint8_t *token,
                              size_t length, void *user)
{
    (void)connection;
    (void)user;
    id->datalen = length;
    return RAND_bytes(id->data, (int)length) == 1 &&
                   RAND_bytes(token, NGTCP2_STATELESS_RESET_TOKENLEN) == 1
               ? 0
               : NGTCP2_ERR_CALLBACK_FAILURE;
}

static size_t answer_length(const struct quic *q)
{
    return q->have < 2 ? SIZE_MAX : (size_t)q->head[0] << 8 | q->head[1];
}

/* What is beyond the announced length is not looked at. */
static int take_stream(ngtcp2_conn *connection, uint32_t flags, int64_t stream, uint64_t offset,
                       const uint8_t *octets, size_t length, void *user, void *stream_user)
{
    struct quic *q = ((struct session *)user)->quic;

    (void)connection;
    (void)offset; /* the library delivers in order */
    (void)stream_user;
    if (stream != q->stream)
        return 0;
    for (size_t i = 0; i < length && (q->have < 2 || q->have - 2 < answer_length(q)); i++) {
        if (q->have < 2)
            q->head[q->have++] = octets[i];
        else
            q->answer[q->have++ - 2] = octets[i];
    }
    q->closed |= (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0;
    return 0;
}

static int stream_closed(ngtcp2_conn *connection, uint32_t flags, int64_t stream, uint64_t error,
                         void *user, void *stream_user)
{
    struct quic *q = ((struct session *)user)->quic;

    (void)connection;
    (void)stream_user;
    if (stream != q->stream)
        return 0;
    q->closed = true;
    q->refused |= (flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) && error;
    return 0;
}

static int stream_reset(ngtcp2_conn *connection, int64_t stream, uint64_t size, uint64_t error,
                        void *user, void *stream_user)
{
    (void)size;
    return stream_closed(connection, NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET, stream, error | 1,
                         user, stream_user);
}

/* --- what comes and goes ---------------------------------------------------------------------- */

/* The sentence of a connection that broke. */
static int tell_failure(struct session *s, int error)
{
    struct quic *q = s->quic;
    enum resolver_fault fault = s->out->encrypted ? FAULT_NO_ANSWER : FAULT_HANDSHAKE;
    ngtcp2_connection_close_error theirs;

    if (error == NGTCP2_ERR_CRYPTO)
        return session_fail(s, fault, "the handshake broke: %s",
                            gnutls_alert_get_name(ngtcp2_conn_get_tls_alert(q->connection)));
    if (error == NGTCP2_ERR_RECV_VERSION_NEGOTIATION)
        return session_fail(s, fault, "it speaks no QUIC version 1");
    if (error != NGTCP2_ERR_DRAINING)
        return session_fail(s, fault, "the QUIC connection broke: %s", ngtcp2_strerror(error));
    ngtcp2_conn_get_connection_close_error(q->connection, &theirs);
    if (theirs.error_code >= NGTCP2_CRYPTO_ERROR && theirs.error_code < NGTCP2_CRYPTO_ERROR + 256)
        return session_fail(s, fault, "it refused the handshake, TLS alert %u",
                            (unsigned)(theirs.error_code - NGTCP2_CRYPTO_ERROR));
    return session_fail(s, fault, "it closed the QUIC connection, error %llu",
                        (unsigned long long)theirs.error_code);
}

/* One packet, with what there still is of the question. Its length; 0: there is nothing to send. */
static ngtcp2_ssize next_packet(struct session *s, uint8_t packet[PACKET])
{
    struct quic *q = s->quic;
    bool asks = q->stream != NO_STREAM && q->sent < q->length;
    ngtcp2_vec part = {q->question + q->sent, q->length - q->sent};
    ngtcp2_ssize taken = -1;
    ngtcp2_ssize n = ngtcp2_conn_writev_stream(
        q->connection, NULL, NULL, packet, PACKET, &taken,
        asks ? NGTCP2_WRITE_STREAM_FLAG_FIN : NGTCP2_WRITE_STREAM_FLAG_NONE,
        asks ? q->stream : NO_STREAM, asks ? &part : NULL, asks ? 1 : 0, time_of(s));

    if (taken > 0)
        q->sent += (size_t)taken;
    if (n != NGTCP2_ERR_STREAM_DATA_BLOCKED && n != NGTCP2_ERR_STREAM_SHUT_WR &&
        n != NGTCP2_ERR_STREAM_NOT_FOUND)
        return n;
    q->sent = q->length; /* it wants no more of this question */
    return ngtcp2_conn_writev_stream(q->connection, NULL, NULL, packet, PACKET, &taken,
                                     NGTCP2_WRITE_STREAM_FLAG_NONE, NO_STREAM, NULL, 0, time_of(s));
}

static int tell_wire(struct session *s, int status)
{
    struct quic *q = s->quic;

    if (s->out->encrypted)
        return session_fault(s, FAULT_NO_ANSWER, status, "waiting for the answer");
    if (status == SD_EAGAIN && q->heard)
        return session_fail(s, FAULT_HANDSHAKE, "the QUIC handshake did not end in time");
    return session_fault(s, FAULT_NO_CONNECTION, status, "QUIC");
}

static int send_all(struct session *s)
{
    uint8_t packet[PACKET];
    ngtcp2_ssize n;

    while ((n = next_packet(s, packet)) > 0) {
        int status;

        errno = 0;
        status = wire_write(&s->wire, packet, (size_t)n);
        if (status != SD_OK)
            return tell_wire(s, status);
    }
    ngtcp2_conn_update_pkt_tx_time(s->quic->connection, time_of(s));
    return n < 0 ? tell_failure(s, (int)n) : SD_OK;
}

static int take_packet(struct session *s)
{
    struct quic *q = s->quic;
    uint8_t packet[65536 / 8]; /* beyond what we allow the server to send */
    int n, error;

    errno = 0;
    n = wire_read(&s->wire, packet, sizeof packet);
    if (n < 0)
        return tell_wire(s, n);
    s->received += (size_t)n;
    if (s->received > SESSION_OCTETS)
        return session_fail(s, FAULT_TOO_MUCH, "it sends without end: %zu octets and no answer",
                            s->received);
    q->heard = true;
    error = ngtcp2_conn_read_pkt(q->connection, &q->path, NULL, packet, (size_t)n, time_of(s));
    return error == 0 ? SD_OK : tell_failure(s, error);
}

/* Sends what there is, and waits: for a packet, or until the library wants to send again. */
static int turn(struct session *s)
{
    struct wire until = s->wire;
    int status = send_all(s), error;
    ngtcp2_tstamp expiry;

    if (status != SD_OK)
        return status;
    expiry = ngtcp2_conn_get_expiry(s->quic->connection);
    if (expiry < (ngtcp2_tstamp)until.deadline)
        until.deadline = (nsec_t)expiry;
    status = wire_wait(&until, POLLIN);
    if (status == SD_OK)
        return take_packet(s);
    if (status != SD_EAGAIN || wire_now(&s->wire) >= s->wire.deadline)
        return tell_wire(s, status);
    error = ngtcp2_conn_handle_expiry(s->quic->connection, time_of(s));
    return error == 0 ? SD_OK : tell_failure(s, error);
}

/* --- the connection --------------------------------------------------------------------------- */

static bool make_tls(struct session *s, const char *alpn)
{
    struct quic *q = s->quic;
    gnutls_datum_t protocol = {(unsigned char *)(uintptr_t)alpn, (unsigned)strlen(alpn)};
    const char *name = s->target->name_count ? s->target->name[0] : NULL;

    q->reference = (ngtcp2_crypto_conn_ref){.get_conn = connection_of, .user_data = q};
    if (gnutls_init(&q->tls, GNUTLS_CLIENT) != 0)
        return false;
    gnutls_session_set_ptr(q->tls, &q->reference);
    return gnutls_certificate_allocate_credentials(&q->credentials) == 0 &&
           gnutls_priority_set_direct(q->tls, PRIORITY, NULL) == 0 &&
           ngtcp2_crypto_gnutls_configure_client_session(q->tls) == 0 &&
           gnutls_credentials_set(q->tls, GNUTLS_CRD_CERTIFICATE, q->credentials) == 0 &&
           gnutls_alpn_set_protocols(q->tls, &protocol, 1, GNUTLS_ALPN_MANDATORY) == 0 &&
           (!name || gnutls_server_name_set(q->tls, GNUTLS_NAME_DNS, name, strlen(name)) == 0);
}

static bool make_path(struct session *s)
{
    struct quic *q = s->quic;
    socklen_t local = sizeof q->local, remote = sizeof q->remote;

    if (getsockname(s->wire.descriptor, (struct sockaddr *)&q->local, &local) != 0 ||
        getpeername(s->wire.descriptor, (struct sockaddr *)&q->remote, &remote) != 0)
        return false;
    q->path.local = (ngtcp2_addr){(struct sockaddr *)&q->local, local};
    q->path.remote = (ngtcp2_addr){(struct sockaddr *)&q->remote, remote};
    return true;
}

static const ngtcp2_callbacks callbacks = {
    .client_initial = ngtcp2_crypto_client_initial_cb,
    .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
    .encrypt = ngtcp2_crypto_encrypt_cb,
    .decrypt = ngtcp2_crypto_decrypt_cb,
    .hp_mask = ngtcp2_crypto_hp_mask_cb,
    .recv_retry = ngtcp2_crypto_recv_retry_cb,
    .update_key = ngtcp2_crypto_update_key_cb,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
    .rand = give_random,
    .get_new_connection_id = give_connection_id,
    .recv_stream_data = take_stream,
    .stream_close = stream_closed,
    .stream_reset = stream_reset,
};

static bool make_connection(struct session *s)
{
    struct quic *q = s->quic;
    ngtcp2_cid ours = {.datalen = CONNECTION_ID}, theirs = {.datalen = CONNECTION_ID};
    ngtcp2_settings settings;
    ngtcp2_transport_params terms;

    if (RAND_bytes(ours.data, CONNECTION_ID) != 1 || RAND_bytes(theirs.data, CONNECTION_ID) != 1)
        return false;
    ngtcp2_settings_default(&settings);
    settings.initial_ts = time_of(s);
    ngtcp2_transport_params_default(&terms);
    terms.initial_max_data = SESSION_OCTETS;
    terms.initial_max_stream_data_bidi_local = SESSION_OCTETS;
    if (ngtcp2_conn_client_new(&q->connection, &theirs, &ours, &q->path, NGTCP2_PROTO_VER_V1,
                               &callbacks, &settings, &terms, NULL, s) != 0)
        return false;
    ngtcp2_conn_set_tls_native_handle(q->connection, q->tls);
    return true;
}

static void note_handshake(struct session *s, nsec_t start)
{
    struct probe_observation *out = s->out;
    gnutls_datum_t alpn = {0};

    out->reached = out->encrypted = true;
    out->handshake_us = (uint32_t)((wire_now(&s->wire) - start) / NSEC_US);
    out->version = TLS1_3_VERSION; /* QUIC has no other (RFC 9001 4.2) */
    out->versions |= PROBE_VERSION(TLS1_3_VERSION);
    text_copy(out->cipher, sizeof out->cipher, gnutls_ciphersuite_get(s->quic->tls));
    if (gnutls_alpn_get_selected_protocol(s->quic->tls, &alpn) == 0)
        text_printable((const char *)alpn.data, alpn.size, out->alpn, sizeof out->alpn);
}

/* OpenSSL's forms of what GnuTLS was shown. */
static void check_certificate(struct session *s)
{
    unsigned count = 0;
    const gnutls_datum_t *shown = gnutls_certificate_get_peers(s->quic->tls, &count);
    STACK_OF(X509) *chain = sk_X509_new_null();

    for (unsigned i = 0; chain && i < count && i < CHAIN; i++) {
        const unsigned char *at = shown[i].data;
        X509 *one = d2i_X509(NULL, &at, (long)shown[i].size);

        if (!one || sk_X509_push(chain, one) <= 0) {
            X509_free(one);
            break;
        }
    }
    certificate_check(s, chain && sk_X509_num(chain) > 0 ? sk_X509_value(chain, 0) : NULL, chain);
    sk_X509_pop_free(chain, X509_free);
}

int quic_connect(struct session *s, const char *alpn)
{
    nsec_t start = wire_now(&s->wire);
    int status = SD_OK;

    s->quic = calloc(1, sizeof *s->quic);
    if (!s->quic)
        return SD_EMEM;
    s->quic->answer = s->message;
    s->quic->stream = NO_STREAM;
    if (!make_path(s) || !make_tls(s, alpn) || !make_connection(s))
        return session_fail(s, FAULT_HANDSHAKE, "QUIC could not be set up here");
    while (status == SD_OK && !ngtcp2_conn_get_handshake_completed(s->quic->connection))
        status = turn(s);
    if (status != SD_OK)
        return status;
    note_handshake(s, start);
    check_certificate(s);
    return SD_OK;
}

static int open_stream(struct session *s)
{
    for (;;) {
        int error = ngtcp2_conn_open_bidi_stream(s->quic->connection, &s->quic->stream, NULL);
        int status;

        if (error == 0)
            return SD_OK;
        s->quic->stream = NO_STREAM;
        if (error != NGTCP2_ERR_STREAM_ID_BLOCKED)
            return tell_failure(s, error);
        status = turn(s); /* the server grants streams as it likes */
        if (status != SD_OK)
            return status;
    }
}

int quic_ask(struct session *s, const uint8_t *question, size_t length)
{
    struct quic *q = s->quic;
    int status;

    q->stream = NO_STREAM;
    q->have = q->sent = 0;
    q->closed = q->refused = false;
    q->length = length;
    memcpy(q->question, question, length);
    status = open_stream(s);
    while (status == SD_OK && !q->closed && (q->have < 2 || q->have - 2 < answer_length(q)))
        status = turn(s);
    if (status != SD_OK)
        return status;
    if (q->have >= 2 && q->have - 2 == answer_length(q))
        return (int)answer_length(q);
    return session_fail(s, FAULT_BAD_ANSWER,
                        q->refused ? "it refused the question" : "its answer ends before its end");
}

void quic_close(struct session *s)
{
    struct quic *q = s->quic;
    ngtcp2_connection_close_error none;
    uint8_t packet[PACKET];
    ngtcp2_ssize n = 0;

    if (!q)
        return;
    ngtcp2_connection_close_error_default(&none);
    ngtcp2_connection_close_error_set_application_error(&none, 0, NULL, 0); /* DOQ_NO_ERROR */
    if (q->connection && s->out->encrypted)
        n = ngtcp2_conn_write_connection_close(q->connection, NULL, NULL, packet, sizeof packet,
                                               &none, time_of(s));
    if (n > 0)
        wire_write(&s->wire, packet, (size_t)n);
    ngtcp2_conn_del(q->connection);
    if (q->tls)
        gnutls_deinit(q->tls);
    if (q->credentials)
        gnutls_certificate_free_credentials(q->credentials);
    free(q);
    s->quic = NULL;
}
