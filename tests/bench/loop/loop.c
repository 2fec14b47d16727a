/* The least that reading a capture costs: libpcap's loop and nothing else. */
#include <err.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>

struct seen {
    uint64_t packets;
    uint64_t bytes;
};

static void count(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct seen *seen = (struct seen *)user;
    (void)bytes;
    seen->packets++;
    seen->bytes += header->len;
}

int main(int argc, char **argv)
{
    char error[PCAP_ERRBUF_SIZE];
    struct seen seen = {0};
    if (argc != 2) {
        errx(2, "usage: loop CAPTURE");
    }
    pcap_t *capture = pcap_open_offline(argv[1], error);
    if (capture == NULL) {
        errx(1, "%s", error);
    }
    if (pcap_loop(capture, -1, count, (u_char *)&seen) < 0) {
        errx(1, "%s", pcap_geterr(capture));
    }
    pcap_close(capture);
    printf("%" PRIu64 " packets, %" PRIu64 " bytes\n", seen.packets, seen.bytes);
    return 0;
}
