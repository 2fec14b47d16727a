/* DNS in clear text over TCP (RFC 7766). */
#include <sys/socket.h>

#include "probe/session.h"

static int open_tcp(struct session *s)
{
    return session_connect(s, SOCK_STREAM);
}

const struct probe_transport probe_transport_do53_tcp = {
    .transport = TRANSPORT_DO53_TCP, .open = open_tcp, .ask = session_ask_stream};
