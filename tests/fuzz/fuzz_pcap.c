/* A pcap file: records.c and libpcap read the same packets out of it, and come to the same end. */
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "capture/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void differ(const char *what)
{
    fprintf(stderr, "records.c and libpcap differ: %s\n", what);
    abort();
}

static pcap_t *opened(const uint8_t *bytes, size_t length, FILE **file)
{
    char text[PCAP_ERRBUF_SIZE];
    pcap_t *pcap;

    *file = length ? fmemopen((void *)(uintptr_t)bytes, length, "rb") : NULL;
    if (!*file)
        return NULL;
    pcap = pcap_fopen_offline_with_tstamp_precision(*file, PCAP_TSTAMP_PRECISION_NANO, text);
    if (!pcap)
        fclose(*file);
    return pcap;
}

static void compare(struct records *r, pcap_t *pcap)
{
    struct frame frame;
    struct pcap_pkthdr *header;
    const u_char *body;
    int ours, theirs;

    while ((ours = records_next(r, &frame)) == 0) {
        if (pcap_next_ex(pcap, &header, &body) != 1)
            differ("only records.c has a packet");
        if (frame.captured != header->caplen || memcmp(frame.bytes, body, frame.captured) != 0)
            differ("bytes");
        if (frame.length != (header->len > header->caplen ? header->len : header->caplen))
            differ("length");
        if (frame.time != header->ts.tv_sec * NSEC_S + header->ts.tv_usec)
            differ("time");
    }
    theirs = pcap_next_ex(pcap, &header, &body);
    if (theirs == 1 || (theirs == PCAP_ERROR_BREAK) != (ours == SD_EEND))
        differ("the end");
    if (theirs == PCAP_ERROR &&
        (strstr(pcap_geterr(pcap), "truncated") != NULL) != (ours == SD_ETRUNC))
        differ("why it ends");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    FILE *first, *second;
    pcap_t *one = opened(bytes, length, &first), *two = opened(bytes, length, &second);
    struct records *records = NULL;

    if (one && two && records_open(first, one, bytes[0], &records) == 0)
        compare(records, two);
    records_close(records);
    if (one)
        pcap_close(one);
    if (two)
        pcap_close(two);
    return 0;
}
