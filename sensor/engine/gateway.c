#include "engine/gateway.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/text.h"

nsec_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (nsec_t)t.tv_sec * NSEC_S + t.tv_nsec;
}

nsec_t clock_steady(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (nsec_t)t.tv_sec * NSEC_S + t.tv_nsec;
}

static bool own_address(const struct ifaddrs *i, struct addr *out)
{
    if (!i->ifa_addr)
        return false;
    if (i->ifa_addr->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)i->ifa_addr;

        *out = addr_v4((const uint8_t *)&v4->sin_addr);
        return out->b[12] != 127;
    }
    if (i->ifa_addr->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)i->ifa_addr;

        *out = addr_v6(v6->sin6_addr.s6_addr);
        return !IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
    }
    return false;
}

int gateway_addresses(struct addr **out, size_t *count)
{
    struct ifaddrs *all;
    struct addr *list;
    size_t most = 1, found = 0;

    if (getifaddrs(&all) != 0)
        return SD_EIO;
    for (const struct ifaddrs *i = all; i; i = i->ifa_next)
        most++;
    list = calloc(most, sizeof *list);
    for (const struct ifaddrs *i = all; list && i; i = i->ifa_next)
        found += own_address(i, &list[found]);
    freeifaddrs(all);
    if (!list)
        return SD_EMEM;
    *out = list;
    *count = found;
    return SD_OK;
}

static int default_v4(char name[16])
{
    FILE *f = fopen("/proc/net/route", "re");
    unsigned destination, mask;
    char line[256], device[16];
    int status = SD_ENOENT;

    if (!f)
        return SD_ENOENT;
    while (status != SD_OK && fgets(line, sizeof line, f))
        if (sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", device, &destination, &mask) == 3 &&
            destination == 0 && mask == 0) {
            text_copy(name, 16, device);
            status = SD_OK;
        }
    fclose(f);
    return status;
}

static int default_v6(char name[16])
{
    FILE *f = fopen("/proc/net/ipv6_route", "re");
    char line[256], destination[33], device[16];
    unsigned length;
    int status = SD_ENOENT;

    if (!f)
        return SD_ENOENT;
    while (status != SD_OK && fgets(line, sizeof line, f))
        if (sscanf(line, "%32s %x %*s %*s %*s %*s %*s %*s %*s %15s", destination, &length,
                   device) == 3 &&
            length == 0 && if_nametoindex(device) != 0 && device[0] != 'l') {
            text_copy(name, 16, device);
            status = SD_OK;
        }
    fclose(f);
    return status;
}

int gateway_interface(char name[16])
{
    return default_v4(name) == SD_OK ? SD_OK : default_v6(name);
}
