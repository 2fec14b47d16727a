#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"

void log_write(enum log_level level, const char *format, ...)
{
    static const char *const word[] = {"error: ", "warning: ", "", "debug: "};
    char raw[1024], line[2300];
    va_list arguments;
    int n;

    if (level == LOG_LEVEL_DEBUG && !getenv("SEALDNS_DEBUG"))
        return;
    va_start(arguments, format);
    vsnprintf(raw, sizeof raw, format, arguments);
    va_end(arguments);
    text_printable(raw, sizeof raw, line + 64, sizeof line - 64 - 2);
    n = snprintf(line, 64, "sealdns: %s", word[level]);
    if (n < 0 || dprintf(STDERR_FILENO, "%.*s%s\n", n, line, line + 64) < 0)
        return; /* nobody listens; there is no better place to say so */
}
