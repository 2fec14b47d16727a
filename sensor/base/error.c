#include "base/error.h"

const char *sd_strerror(int error)
{
    switch (error) {
    case SD_OK:
        return "success";
#define X(word, text)                                                                              \
    case word:                                                                                     \
        return text;
        SD_ERRORS(X)
#undef X
    default:
        return "unknown error";
    }
}
