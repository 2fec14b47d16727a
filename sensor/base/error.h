/* Every function of the program that can fail returns 0 or one of these, negative. */
#ifndef SEALDNS_BASE_ERROR_H
#define SEALDNS_BASE_ERROR_H

/* word, text: the text completes the sentence "it failed: ..." */
#define SD_ERRORS(X)                                                                               \
    X(SD_EMEM, "out of memory")                                                                    \
    X(SD_EINVAL, "invalid argument")                                                               \
    X(SD_ETRUNC, "the bytes end before the structure does")                                        \
    X(SD_EMALF, "malformed")                                                                       \
    X(SD_EUNSUP, "not supported")                                                                  \
    X(SD_ELIMIT, "a limit is reached")                                                             \
    X(SD_ENOENT, "not found")                                                                      \
    X(SD_EEXIST, "exists already")                                                                 \
    X(SD_EIO, "input or output failed")                                                            \
    X(SD_EPERM, "not permitted")                                                                   \
    X(SD_EAGAIN, "nothing now, try again")                                                         \
    X(SD_EEND, "the end is reached")                                                               \
    X(SD_ECONF, "the configuration is wrong")                                                      \
    X(SD_EFORMAT, "not a format this program reads")                                               \
    X(SD_EVERSION, "made by a newer version")                                                      \
    X(SD_ESTATE, "not possible in this state")                                                     \
    X(SD_ENET, "the network or the kernel refused")

enum sd_error {
    SD_OK = 0,
    SD_ERROR_FIRST = -100,
#define X(word, text) word,
    SD_ERRORS(X)
#undef X
};

/* The text of an error; never NULL, also for a number that is none of ours. */
const char *sd_strerror(int error);

#endif
