/* Sends UDP packets as fast as it can: sender SECONDS ADDRESS PORT... (IPv4). One socket a port and
 * of each FLOWS; prints how many the kernel took and the nanoseconds of CPU time of each. What
 * forwards them on a veth pair does so within these very calls, on this process's account. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FLOWS = 16, BATCH = 32, PAYLOAD = 200, PORTS = 8 };

static double now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int flow_to(const char *address, int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int s = socket(AF_INET, SOCK_DGRAM, 0);

    if (s < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(s, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("sender");
        exit(1);
    }
    return s;
}

static unsigned long send_until(double end, const int *flows, int count)
{
    static char payload[PAYLOAD];
    struct iovec data = {.iov_base = payload, .iov_len = sizeof payload};
    struct mmsghdr batch[BATCH];
    unsigned long sent = 0;

    memset(batch, 0, sizeof batch);
    for (int i = 0; i < BATCH; i++)
        batch[i].msg_hdr = (struct msghdr){.msg_iov = &data, .msg_iovlen = 1};
    while (now(CLOCK_MONOTONIC) < end)
        for (int i = 0; i < count; i++) {
            int n = sendmmsg(flows[i], batch, BATCH, 0);

            sent += n > 0 ? (unsigned long)n : 0;
        }
    return sent;
}

int main(int argc, char **argv)
{
    int flows[FLOWS * PORTS], count = 0;
    unsigned long sent;
    double used;

    if (argc < 4 || argc > 3 + PORTS) {
        fprintf(stderr, "usage: sender SECONDS ADDRESS PORT...\n");
        return 2;
    }
    for (int port = 3; port < argc; port++)
        for (int i = 0; i < FLOWS; i++)
            flows[count++] = flow_to(argv[2], atoi(argv[port]));
    used = now(CLOCK_PROCESS_CPUTIME_ID);
    sent = send_until(now(CLOCK_MONOTONIC) + atof(argv[1]), flows, count);
    used = now(CLOCK_PROCESS_CPUTIME_ID) - used;
    printf("%lu %.1f\n", sent, used * 1e9 / (double)(sent ? sent : 1));
    return 0;
}
