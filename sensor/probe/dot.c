/* DNS over TLS (RFC 7858). */
#include <sys/socket.h>

#include "base/error.h"
#include "probe/session.h"

/* Servers need not know the protocol's name: it was registered years after DoT. */
static int open_dot(struct session *s)
{
    static const unsigned char alpn[] = {3, 'd', 'o', 't'};
    int status = session_connect(s, SOCK_STREAM);

    return status == SD_OK ? tls_open(s, alpn, sizeof alpn) : status;
}

const struct probe_transport probe_transport_dot = {
    .transport = TRANSPORT_DOT, .open = open_dot, .ask = session_ask_stream};
