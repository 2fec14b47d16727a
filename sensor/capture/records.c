#include "capture/records.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/error.h"

enum {
    BLOCK = 256 << 10,
    PACKET_MAX = 262144, /* libpcap's MAXIMUM_SNAPLEN */
    MICROSECONDS = 0xd4, /* the first octet of the file, in the order of a little-endian host */
    NANOSECONDS = 0x4d
};

/* In the order of this host. */
struct head {
    int32_t seconds, fraction;
    uint32_t captured, length;
};

enum { RECORD_MAX = PACKET_MAX + sizeof(struct head) };

struct records {
    FILE *file;
    struct cursor left; /* of the block: what was not given yet */
    uint32_t snapshot;
    int32_t unit; /* nanoseconds */
    uint8_t block[RECORD_MAX + BLOCK];
};

static bool is_plain(pcap_t *pcap, int first)
{
    if ((first != MICROSECONDS && first != NANOSECONDS) || pcap_is_swapped(pcap) ||
        pcap_major_version(pcap) != 2 || pcap_minor_version(pcap) != 4)
        return false;
    switch (pcap_datalink(pcap)) {
    case DLT_EN10MB:
    case DLT_RAW:
    case DLT_LINUX_SLL:
    case DLT_LINUX_SLL2:
        return true;
    default:
        return false;
    }
}

int records_open(FILE *file, pcap_t *pcap, int first, struct records **out)
{
    struct records *r;

    if (!is_plain(pcap, first))
        return SD_EUNSUP;
    r = malloc(sizeof *r);
    if (!r)
        return SD_EMEM;
    r->file = file;
    r->left = cursor_over(r->block, 0);
    r->snapshot = (uint32_t)pcap_snapshot(pcap);
    r->unit = first == NANOSECONDS ? 1 : 1000;
    *out = r;
    return 0;
}

void records_close(struct records *r)
{
    free(r);
}

/* The block goes on with what the stream has next, behind what is left: less than a record. False:
 * the stream has no more. */
static bool refill(struct records *r)
{
    size_t got;

    memmove(r->block, r->left.at, r->left.left);
    got = fread_unlocked(r->block + r->left.left, 1, BLOCK, r->file);
    r->left = cursor_over(r->block, r->left.left + got);
    return got > 0;
}

static int record(struct cursor *c, struct head *head, const uint8_t **bytes)
{
    const uint8_t *at = cursor_take(c, sizeof *head);

    if (!at)
        return SD_ETRUNC;
    memcpy(head, at, sizeof *head);
    if (head->captured > PACKET_MAX)
        return SD_EMALF;
    *bytes = cursor_take(c, head->captured);
    return *bytes ? 0 : SD_ETRUNC;
}

int records_next(struct records *r, struct frame *out)
{
    struct cursor c = r->left;
    struct head head;
    int result = record(&c, &head, &out->bytes);

    while (result == SD_ETRUNC && refill(r)) {
        c = r->left;
        result = record(&c, &head, &out->bytes);
    }
    if (result == SD_ETRUNC)
        return ferror_unlocked(r->file) ? SD_EIO : r->left.left == 0 ? SD_EEND : SD_ETRUNC;
    if (result != 0)
        return result;
    r->left = c;
    out->captured = head.captured < r->snapshot ? head.captured : r->snapshot;
    out->length = head.length > out->captured ? head.length : out->captured;
    out->time = head.seconds * NSEC_S + (nsec_t)head.fraction * r->unit;
    return 0;
}
