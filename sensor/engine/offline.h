/* The pipe with files at its mouth: time comes from the packets, so the same input gives the same
 * output. */
#ifndef SEALDNS_ENGINE_OFFLINE_H
#define SEALDNS_ENGINE_OFFLINE_H

#include "engine/pipeline.h"

struct offline {
    const struct policy *policy;
    size_t conversations; /* 0: default */
    struct record_sink sink;
    /* Called now and then with how far it is (0..1000, -1 unknown) and the frames so far; or NULL.
     */
    void (*progress)(void *context, int permille, uint64_t frames);
    void *progress_context;
};

struct offline_result {
    struct back *back; /* to be destroyed */
    struct stats stats;
    nsec_t first, last; /* of the frames, 0 when there were none */
};

#define OFFLINE_ERROR 256

/* Runs the files through. SD_EFORMAT, SD_ENOENT, SD_EIO, SD_EMEM: error is one line. A capture that
 * ends inside a frame is no error: notice(), one line each, is called. */
int offline_run(const struct offline *options, char *const *paths, size_t count,
                void (*notice)(const char *line), struct offline_result *result,
                char error[OFFLINE_ERROR]);

#endif
