/* One capture in a file: its frames one by one. Internal to capture/. */
#ifndef SEALDNS_CAPTURE_FILE_H
#define SEALDNS_CAPTURE_FILE_H

#include "capture/capture.h"

struct file;

/* The errors of capture_files_open(). */
int file_open(const char *path, struct file **out, char error[CAPTURE_ERROR]);
void file_close(struct file *f);
/* The next frame, borrowed until the next call. SD_EEND: the end, also by damage, which
 * file_notice() tells. SD_EIO, SD_ELIMIT, SD_EMEM: file_error() says. */
int file_next(struct file *f, struct frame *out);
const char *file_notice(const struct file *f); /* "": none */
const char *file_error(const struct file *f);
/* As of source.h. */
const char *file_packed(const struct file *f);
int64_t file_size(const struct file *f);
int64_t file_position(const struct file *f);

#endif
