/* A file or standard input as a stream of what is in it, unpacked. Internal to capture/. */
#ifndef SEALDNS_CAPTURE_SOURCE_H
#define SEALDNS_CAPTURE_SOURCE_H

#include <stdint.h>
#include <stdio.h>

struct source;

/* "-" is standard input. SD_ENOENT, SD_EIO: errno says why. SD_EMEM. */
int source_open(const char *path, struct source **out);
/* After its stream was closed by whoever read it. */
void source_destroy(struct source *s);
FILE *source_stream(const struct source *s);
/* The name of the format it is packed in, or NULL. */
const char *source_packed(const struct source *s);
/* Why the stream has its error flag set: SD_EIO (errno is set), SD_ETRUNC (the packed data ends
 * early), SD_EMALF (it is damaged), SD_ELIMIT (it wants too large a window), SD_EMEM; 0: it has
 * not. */
int source_fault(const struct source *s);
/* Octets of the file; -1: standard input, or no regular file, so it cannot be read twice. */
int64_t source_size(const struct source *s);
/* Octets read of the file so far; may be asked in another thread than the one that reads. */
int64_t source_position(const struct source *s);

#endif
