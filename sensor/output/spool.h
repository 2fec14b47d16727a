/* What a receiver has not taken yet: lines in files of a folder, in their order, until it is
 * settled that they have arrived. It is bounded: when it is full the oldest informational lines go
 * first (but for those of the file that is being told), then the oldest, and both are counted.
 * Lines that stand in the files outlive a kill -9; those that were told and not settled are told
 * again. Not for two threads at once. */
#ifndef SEALDNS_OUTPUT_SPOOL_H
#define SEALDNS_OUTPUT_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

#define SPOOL_ERROR 256
#define SPOOL_BATCH 1024                /* lines that are on their way at most */
#define SPOOL_LEAST (UINT64_C(4) << 20) /* octets that a limit is at least */

struct spool;

#define SPOOL_KEY 40

/* What is known of a line without reading it. */
struct spool_mark {
    nsec_t time;
    uint32_t severity;
    char key[SPOOL_KEY]; /* "ID-REVISION": what repeats are told by */
};

struct spool_line {
    const char *text; /* without the newline, NUL-terminated */
    size_t length;
    struct spool_mark mark;
};

/* Between two lines. */
struct spool_place {
    uint64_t number, offset;       /* of a file, in it */
    uint64_t told;                 /* lines up to here, since the start */
    uint64_t lines, informational; /* of the file, up to here */
};

struct spool_counts {
    uint64_t lines, bytes;          /* that were not told yet; the octets of all files */
    uint64_t informational, graver; /* lines dropped for want of room, since the start */
    uint64_t damaged;               /* lines that a file did not give back, since the start */
};

/* Takes up what an earlier run left in the folder, which is made if it is not there. limit: octets.
 * SD_EIO: error says why; a folder that another process uses is waited
 * for five seconds. SD_EMEM. */
int spool_open(const char *folder, uint64_t limit, struct spool **out, char error[SPOOL_ERROR]);
/* What is not settled stays in the files. */
void spool_close(struct spool *s);

/* SD_EIO: the disk is full, or the line longer than 65,000 octets; it is lost. */
int spool_put(struct spool *s, const char *line, const struct spool_mark *mark);
/* Until then lines may wait in memory, and spool_next() does not give them. SD_EIO: they still do.
 */
int spool_flush(struct spool *s);

/* The next lines, at most `most` and SPOOL_BATCH, of 768 KiB in all; at least one if any waits.
 * Borrowed until the next call. The same lines again until spool_told(). */
size_t spool_next(struct spool *s, struct spool_line *lines, size_t most);
/* The first count lines of the last spool_next() were told: the next call goes on behind them. */
void spool_told(struct spool *s, size_t count);

/* How far it has been told. What lies before a place that is settled has arrived, and is forgotten;
 * spool_rewind() goes back to the last that was settled. */
struct spool_place spool_place(const struct spool *s);
void spool_settle(struct spool *s, const struct spool_place *place);
void spool_rewind(struct spool *s);

struct spool_counts spool_counts(const struct spool *s);

#endif
