/* For tests/netns/live-capture.sh: watches an interface as the sensor does. The parent opens the
 * capture and rebinds it when the interface was replaced; the child, without privileges, reads it
 * and prints a line for each packet, "gone" when the interface is away, and counters at SIGTERM. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "capture/capture.h"
#include "decode/decode.h"

enum { NOBODY = 65534 };

static volatile sig_atomic_t stopped; /* by a signal: there is no other way to hear of it */

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static nsec_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * NSEC_S + t.tv_nsec;
}

struct watch {
    struct decoder *decoder;
    struct stats stats;
};

static void on_frame(void *context, const struct frame *frame)
{
    struct watch *w = context;
    struct packet p;
    int result = decode_frame(w->decoder, frame, &p, &w->stats);
    char src[ADDR_TEXT], dst[ADDR_TEXT];
    double lag = (double)(clock_now() - frame->time) / (double)NSEC_MS;

    if (result != 0)
        printf("frame %u: %s\n", frame->length, sd_strerror(result));
    else
        printf("proto %u %s.%u %s.%u type %u vlan %u iface %u lag %.1f\n", p.proto,
               addr_text(&p.src, src), p.sport, addr_text(&p.dst, dst), p.dport, p.icmp_type,
               p.vlan, p.iface, lag);
}

static int child(struct capture *c)
{
    struct watch w = {.decoder = decoder_create(true, 1, 0)};
    struct capture_counters counters;
    int before = 0;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (setgid(NOBODY) != 0 || setuid(NOBODY) != 0 || !w.decoder)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (!stopped) {
        int got = c->ops->read(c, on_frame, &w);

        if (got == SD_ENET && before != SD_ENET)
            printf("gone\n");
        if (got == SD_EIO)
            printf("error %s\n", c->ops->error(c));
        before = got;
    }
    if (c->ops->counters(c, &counters) == 0)
        printf("received %lu dropped %lu\n", (unsigned long)counters.received,
               (unsigned long)counters.kernel_drops);
    decoder_destroy(w.decoder);
    c->ops->destroy(c);
    return 0;
}

static void monitor(const struct capture *c, const char *interface)
{
    while (!stopped) {
        capture_live_rebind(capture_live_descriptor(c), interface);
        poll(NULL, 0, 50);
    }
}

int main(int count, char **arguments)
{
    static const uint16_t ports[] = {784, 5053};
    struct capture_live_options options = {
        .index = 3, .ports = ports, .port_count = 2, .tunnels = count == 3};
    struct capture *c;
    char error[CAPTURE_ERROR];
    pid_t pid;

    options.interface = arguments[1];
    if (count > 3) /* one of several readers */
        options.share =
            (struct capture_share){(unsigned)atoi(arguments[2]), (unsigned)atoi(arguments[3])};
    if (count < 2 || capture_live_open(&options, &c, error) != 0) {
        fprintf(stderr, "%s\n",
                count < 2 ? "usage: live_capture INTERFACE [tunnels | NUMBER OF]" : error);
        return 1;
    }
    signal(SIGTERM, on_signal);
    pid = fork();
    if (pid == 0)
        return child(c);
    monitor(c, arguments[1]);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    c->ops->destroy(c);
    return 0;
}
