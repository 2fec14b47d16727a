#include "fleet/ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/names.h"

/* TabSeparated: fields by tabs, rows by newlines, what would be taken for those behind a backslash.
 */
struct reading {
    struct fleet *fleet;
    const struct question *question;
    char *line;
    size_t used;
    bool refused, malformed;
    int stopped;
};

static char plain(char escaped)
{
    static const char from[] = "btnfr0", to[] = "\b\t\n\f\r\0";
    const char *at = strchr(from, escaped);

    return at && escaped ? to[at - from] : escaped;
}

/* The line becomes its fields. False: it has not as many as were asked for. */
static bool split(char *line, size_t length, int fields, struct answer_row *out)
{
    char *to = line;
    int count = 0;

    out->fields[count++] = line;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\t') {
            *to++ = '\0';
            if (count == fields)
                return false;
            out->fields[count++] = to;
        } else if (line[i] == '\\' && i + 1 < length) {
            *to++ = plain(line[++i]);
        } else {
            *to++ = line[i];
        }
    }
    *to = '\0';
    return count == fields;
}

static bool take_line(struct reading *r)
{
    struct answer_row row;

    r->malformed = !split(r->line, r->used, r->question->fields, &row);
    r->used = 0;
    if (!r->malformed)
        r->stopped = r->question->row(r->question->context, &row);
    return !r->malformed && !r->stopped;
}

/* What a refusal says is kept as far as there is room. */
static size_t take_refusal(struct reading *r, const char *octets, size_t size)
{
    size_t room = FLEET_ERROR - 1 - r->used;

    r->refused = true;
    memcpy(r->line + r->used, octets, size < room ? size : room);
    r->used += size < room ? size : room;
    return size;
}

static size_t take(char *octets, size_t one, size_t count, void *context)
{
    struct reading *r = context;
    size_t size = one * count;
    long code = 0;

    curl_easy_getinfo(r->fleet->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code != 200)
        return take_refusal(r, octets, size);
    for (size_t i = 0; i < size; i++) {
        if (octets[i] != '\n') {
            r->malformed |= r->used == LINE_MOST;
            if (r->malformed)
                return 0;
            r->line[r->used++] = octets[i];
        } else if (!take_line(r)) {
            return 0;
        }
    }
    return size;
}

static int fail(struct fleet *f, const char *why)
{
    text_printable(why, strcspn(why, "\r\n"), f->error, sizeof f->error);
    return SD_EIO;
}

static int judge(struct reading *r, CURLcode status, const char *reason)
{
    if (r->stopped)
        return SD_OK;
    r->line[r->used] = '\0';
    if (r->refused)
        return fail(r->fleet, r->line);
    if (r->malformed || (status == CURLE_OK && r->used))
        return fail(r->fleet, "what the server answered is not what was asked for");
    if (status != CURLE_OK)
        return fail(r->fleet, reason[0] ? reason : curl_easy_strerror(status));
    return SD_OK;
}

int ask(struct fleet *f, const struct question *q, int *stopped)
{
    struct reading r = {.fleet = f, .question = q, .line = malloc(LINE_MOST + 1)};
    char reason[CURL_ERROR_SIZE] = "", *body = NULL;
    CURLcode status;
    int result;

    f->error[0] = '\0';
    *stopped = 0;
    if (!r.line || asprintf(&body, "%s FORMAT TabSeparated", q->sql) < 0) {
        free(r.line);
        return SD_EMEM;
    }
    curl_easy_setopt(f->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(f->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body));
    curl_easy_setopt(f->curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, &r);
    status = curl_easy_perform(f->curl);
    curl_easy_setopt(f->curl, CURLOPT_ERRORBUFFER, NULL);
    result = judge(&r, status, reason);
    *stopped = r.stopped;
    free(body);
    free(r.line);
    return result;
}

int ask_as_written(struct fleet *f, put_sql *put, const void *what, struct question *q,
                   int *stopped)
{
    char *sql = NULL;
    size_t size;
    FILE *to = open_memstream(&sql, &size);
    int status = SD_EMEM;

    if (!to)
        return SD_EMEM;
    put(to, f, what);
    if (fclose(to) == 0) {
        q->sql = sql;
        status = ask(f, q, stopped);
    }
    free(sql);
    return status;
}

void put_quoted(FILE *to, const char *text)
{
    fputc('\'', to);
    for (; *text; text++) {
        if ((unsigned char)*text < ' ') {
            fprintf(to, "\\x%02X", (unsigned char)*text);
            continue;
        }
        if (*text == '\'' || *text == '\\')
            fputc('\\', to);
        fputc(*text, to);
    }
    fputc('\'', to);
}

void put_dns(FILE *to)
{
    fputs("transport IN (", to);
    for (unsigned t = TRANSPORT_DO53_UDP; t <= TRANSPORT_DNSCRYPT; t++)
        fprintf(to, "%s'%s'", t == TRANSPORT_DO53_UDP ? "" : ", ", transport_name(t));
    fputc(')', to);
}

void put_sensor(FILE *to, const struct fleet *f)
{
    if (!f->sensor[0])
        return;
    fputs(" AND host = ", to);
    put_quoted(to, f->sensor);
}

uint64_t field_number(const char *field)
{
    uint64_t value = 0;

    for (; *field >= '0' && *field <= '9'; field++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*field - '0'), &value))
            return 0;
    return *field ? 0 : value;
}
