#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "fleet/ask.h"

#define SCHEME   "clickhouse://"
#define PASSWORD "SEALDNS_CLICKHOUSE_PASSWORD"

/* Parts of the address; those that are not given are NULL. */
struct parts {
    char *user, *password, *host, *port, *path, *query;
};

struct settings {
    bool secure;
    char ca[256], password[256];
};

bool fleet_is(const char *store)
{
    return strncmp(store, SCHEME, strlen(SCHEME)) == 0;
}

static bool is_database(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

    return name[0] && strspn(name, letters) == strlen(name) && strlen(name) <= 64;
}

static const char *take_setting(struct settings *s, const char *word)
{
    if (strcmp(word, "secure=1") == 0)
        s->secure = true;
    else if (strcmp(word, "secure=0") == 0)
        s->secure = false;
    else if (strncmp(word, "ca=", 3) == 0)
        return text_copy(s->ca, sizeof s->ca, word + 3) ? "a path is too long" : NULL;
    else if (strncmp(word, "password=", 9) == 0)
        return text_copy(s->password, sizeof s->password, word + 9) ? "a path is too long" : NULL;
    else
        return "behind the ? may stand secure=1, ca=FILE and password=FILE";
    return NULL;
}

/* NULL, or what is wrong. */
static const char *check(const struct parts *p, struct settings *s)
{
    const char *wrong = NULL;
    char *rest = p->query;

    if (p->password)
        return "a password in an address can be read by every user: give password=FILE behind a ?, "
               "or " PASSWORD;
    if (!p->host || !p->path || !is_database(p->path + 1))
        return "an address is " SCHEME "[USER@]HOST[:PORT]/DATABASE";
    while (!wrong && rest)
        wrong = take_setting(s, strsep(&rest, "&"));
    return wrong;
}

static void read_parts(CURLU *url, struct parts *p)
{
    const struct {
        CURLUPart part;
        char **to;
    } all[] = {{CURLUPART_USER, &p->user}, {CURLUPART_PASSWORD, &p->password},
               {CURLUPART_HOST, &p->host}, {CURLUPART_PORT, &p->port},
               {CURLUPART_PATH, &p->path}, {CURLUPART_QUERY, &p->query}};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (curl_url_get(url, all[i].part, all[i].to, CURLU_URLDECODE) != CURLUE_OK)
            *all[i].to = NULL;
}

static void free_parts(struct parts *p)
{
    char **all[] = {&p->user, &p->password, &p->host, &p->port, &p->path, &p->query};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        curl_free(*all[i]);
}

static int read_password(const struct settings *s, char password[256], char error[FLEET_ERROR])
{
    const char *given = getenv(PASSWORD);
    FILE *from;
    bool got;

    password[0] = '\0';
    if (!s->password[0]) {
        text_copy(password, 256, given ? given : "");
        return SD_OK;
    }
    from = fopen(s->password, "re");
    got = from && fgets(password, 256, from);
    if (from)
        fclose(from);
    password[strcspn(password, "\r\n")] = '\0';
    if (got && password[0])
        return SD_OK;
    snprintf(error, FLEET_ERROR, "cannot read a password from the first line of %s", s->password);
    return SD_EINVAL;
}

static void add_header(struct fleet *f, const char *name, const char *value)
{
    char header[384];

    if (!value || !value[0])
        return;
    snprintf(header, sizeof header, "%s: %s", name, value);
    f->headers = curl_slist_append(f->headers, header);
    explicit_bzero(header, sizeof header);
}

static void set_up(struct fleet *f, const struct settings *s)
{
    curl_easy_setopt(f->curl, CURLOPT_URL, f->url);
    curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, f->headers);
    curl_easy_setopt(f->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(f->curl, CURLOPT_CONNECTTIMEOUT, 5L);
    curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_LIMIT, 1L); /* a question may take its time */
    curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_TIME, 300L);
    curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(f->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (s->ca[0])
        curl_easy_setopt(f->curl, CURLOPT_CAINFO, s->ca);
}

static int connect_to(struct fleet *f, const struct parts *p, const struct settings *s,
                      char error[FLEET_ERROR])
{
    char password[256];
    int status = read_password(s, password, error);

    if (status != SD_OK)
        return status;
    /* An answer is whole before its first octet comes, so that an error is an HTTP status; what is
     * asked can change nothing. */
    snprintf(f->url, sizeof f->url, "%s://%s:%s/?database=%s&wait_end_of_query=1&readonly=1",
             s->secure ? "https" : "http", p->host,
             p->port     ? p->port
             : s->secure ? "8443"
                         : "8123",
             p->path + 1);
    add_header(f, "X-ClickHouse-User", !p->user && password[0] ? "default" : p->user);
    add_header(f, "X-ClickHouse-Key", password);
    explicit_bzero(password, sizeof password);
    set_up(f, s);
    return SD_OK;
}

static int open_with(struct fleet *f, const char *url, char error[FLEET_ERROR])
{
    struct settings s = {.secure = false};
    struct parts p = {.user = NULL};
    CURLU *parsed = curl_url();
    const char *wrong;
    int status = SD_EMEM;

    if (parsed) {
        bool good = curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK;

        read_parts(parsed, &p);
        wrong = good ? check(&p, &s) : "this is no address";
        if (wrong)
            snprintf(error, FLEET_ERROR, "%s", wrong);
        status = wrong ? SD_EINVAL : connect_to(f, &p, &s, error);
    }
    free_parts(&p);
    curl_url_cleanup(parsed);
    return status;
}

int fleet_open(const char *url, const char *sensor, struct fleet **out, char error[FLEET_ERROR])
{
    struct fleet *f = calloc(1, sizeof *f);
    int status = SD_EMEM;

    error[0] = '\0';
    if (f && text_copy(f->sensor, sizeof f->sensor, sensor ? sensor : "")) {
        snprintf(error, FLEET_ERROR, "no sensor has so long a name");
        status = SD_EINVAL;
    } else if (f && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
               (f->curl = curl_easy_init()) != NULL) {
        status = open_with(f, url, error);
    }
    if (status == SD_OK)
        *out = f;
    else
        fleet_close(f);
    return status;
}

void fleet_close(struct fleet *f)
{
    if (!f)
        return;
    curl_easy_cleanup(f->curl);
    curl_slist_free_all(f->headers);
    free(f);
}

const char *fleet_error(const struct fleet *f)
{
    return f->error;
}
