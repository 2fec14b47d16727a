/* The pipe with files at its mouth: time comes from the packets, so the same input gives the same
 * output. */
#ifndef SEALDNS_ENGINE_OFFLINE_H
#define SEALDNS_ENGINE_OFFLINE_H

#include "engine/pipeline.h"

struct offline_progress {
    int64_t read, size;      /* octets of the files, packed as they are; size -1: unknown */
    uint64_t frames, octets; /* of the frames */
};

struct offline {
    const struct policy *policy;
    struct bounds bounds;
    struct record_sink sink;
    bool one_thread; /* else reading, front and back have a thread each where there are processors
                        for it, and the sink is called by another thread than progress. The same
                        output */
    /* Called now and then; or NULL. */
    void (*progress)(void *context, const struct offline_progress *p);
    void *progress_context;
};

struct offline_result {
    struct back *back; /* to be destroyed */
    struct stats stats;
    nsec_t first, last; /* of the frames, 0 when there were none */
};

#define OFFLINE_ERROR 256

/* Runs the files through. SD_EFORMAT, SD_ENOENT, SD_EIO, SD_ELIMIT, SD_EMEM: error is one line. A
 * capture that ends inside a frame, or is damaged, is no error: notice(), one line each, is called.
 */
int offline_run(const struct offline *options, char *const *paths, size_t count,
                void (*notice)(const char *line), struct offline_result *result,
                char error[OFFLINE_ERROR]);

#endif
