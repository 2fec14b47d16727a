#include "engine/place.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

/* A name of /sys/class/net/IFACE/ that is there for all, or for bridges, their ports or members of
 * a bond. */
static bool is(const char *iface, const char *what)
{
    char path[64];

    snprintf(path, sizeof path, "/sys/class/net/%.15s/%s", iface, what);
    return access(path, F_OK) == 0;
}

/* Linux gives every interface that is up an IPv6 address of its link, a mirror port too. */
static bool is_own(const struct sockaddr *a)
{
    struct sockaddr_in6 v6;

    if (!a || a->sa_family != AF_INET6)
        return a && a->sa_family == AF_INET;
    memcpy(&v6, a, sizeof v6);
    return !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr);
}

static bool has_address(const char *iface)
{
    struct ifaddrs *all, *one;
    bool found = false;

    if (getifaddrs(&all) != 0)
        return true; /* nothing can be said of it */
    for (one = all; one && !found; one = one->ifa_next)
        found = strcmp(one->ifa_name, iface) == 0 && is_own(one->ifa_addr);
    freeifaddrs(all);
    return found;
}

static bool hands_bridged_packets_up(void)
{
    FILE *f = fopen("/proc/sys/net/bridge/bridge-nf-call-iptables", "re");
    int word = f ? getc(f) : EOF;

    if (f)
        fclose(f);
    return word == '1';
}

static bool redirects(const struct policy *p)
{
    for (size_t i = 0; i < p->zone_count; i++)
        if (p->zones[i].cleartext == ACTION_REDIRECT)
            return true;
    return false;
}

static void warn_gateway(const struct policy *p, const char *iface)
{
    bool bridge = is(iface, "bridge");

    if (!bridge && !is(iface, "brport") && !is(iface, "master") && !has_address(iface))
        log_warning("%s has no address: if it gets copies of packets (tap, mirror port), say "
                    "`sensor: {place: tap}`",
                    iface);
    if (bridge && redirects(p) && hands_bridged_packets_up())
        log_warning("%s is a bridge and net.bridge.bridge-nf-call-iptables is 1: it shows "
                    "redirected packets with their new server; watch its ports, or set that to 0",
                    iface);
}

void place_warn(const struct policy *p, char (*interfaces)[16], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *iface = interfaces[i];

        if (!is(iface, "ifindex"))
            continue; /* who opens it will say so */
        if (p->place == PLACE_GATEWAY)
            warn_gateway(p, iface);
        if (p->place == PLACE_BRIDGE && !is(iface, "bridge") && !is(iface, "brport"))
            log_warning(
                "%s is neither a bridge nor a port of one, and `place: bridge` cuts what is "
                "bridged alone",
                iface);
    }
}
