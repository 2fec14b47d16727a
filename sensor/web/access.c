#include "web/access.h"

#include <errno.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/error.h"

enum { TOKEN_LEAST = 4, TRIES = 5 };
#define TRIES_IN (10 * NSEC_S)

static void keyed(const struct access *a, const char *what, const char *text, size_t octets,
                  char *out)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct hmac_sha256_ctx h;

    hmac_sha256_set_key(&h, sizeof a->key, a->key);
    hmac_sha256_update(&h, strlen(what) + 1, (const uint8_t *)what);
    hmac_sha256_update(&h, strlen(text), (const uint8_t *)text);
    hmac_sha256_digest(&h, sizeof digest, digest);
    for (size_t i = 0; i < octets; i++)
        sprintf(out + 2 * i, "%02x", digest[i]);
}

static int read_token(struct access *a, struct access_viewer *v, const char *path,
                      char error[WEB_ERROR])
{
    FILE *from = fopen(path, "re");

    if (!from || !fgets(v->token, sizeof v->token, from)) {
        snprintf(error, WEB_ERROR, "cannot read %.150s: %s", path,
                 from ? "empty" : strerror(errno));
        if (from)
            fclose(from);
        return SD_ECONF;
    }
    fclose(from);
    v->token[strcspn(v->token, "\r\n")] = '\0';
    if (strlen(v->token) < TOKEN_LEAST) {
        snprintf(error, WEB_ERROR, "the first line of %.150s is no token: %d characters at least",
                 path, TOKEN_LEAST);
        return SD_ECONF;
    }
    keyed(a, "session", v->token, SHA256_DIGEST_SIZE, v->session);
    a->asked = true;
    return SD_OK;
}

int access_open(struct access *a, const struct policy_web *config, char error[WEB_ERROR])
{
    int status = SD_OK;

    if (getrandom(a->key, sizeof a->key, 0) != sizeof a->key)
        return SD_EIO;
    a->viewers[0].may.clients = true;
    if (config->token[0])
        status = read_token(a, a->viewers, config->token, error);
    for (size_t i = 0; status == SD_OK && i < config->viewer_count; i++) {
        a->viewers[i + 1].may.clients = config->viewers[i].clients;
        status = read_token(a, a->viewers + i + 1, config->viewers[i].token, error);
    }
    memcpy(a->hosts, config->hosts, sizeof a->hosts);
    a->local = !a->asked && !config->client_ca[0];
    return status;
}

/* As long for a wrong one as for a right one. */
static bool same(const char *a, const char *b)
{
    size_t length = strlen(a), other = strlen(b);
    unsigned differs = length != other;

    for (size_t i = 0; i < length; i++)
        differs |= (unsigned)(a[i] ^ b[other ? i % other : 0]);
    return !differs;
}

static const struct access_viewer *known(const struct access *a, const char *token,
                                         const char *session)
{
    const struct access_viewer *found = NULL;

    for (size_t i = 0; i < ACCESS_VIEWERS; i++) {
        const struct access_viewer *v = a->viewers + i;

        if (v->token[0] &&
            ((token && same(token, v->token)) || (session && same(session, v->session))))
            found = v;
    }
    return found;
}

const struct web_viewer *access_viewer(const struct access *a, struct MHD_Connection *c)
{
    const char *shown = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    const char *session = MHD_lookup_connection_value(c, MHD_COOKIE_KIND, "sealdns");
    const struct access_viewer *v;

    if (!a->asked)
        return &a->viewers[0].may;
    v = known(a, shown && strncmp(shown, "Bearer ", 7) == 0 ? shown + 7 : NULL, session);
    return v ? &v->may : NULL;
}

const char *access_session(const struct access *a, const char *token)
{
    const struct access_viewer *v = known(a, token, NULL);

    return v ? v->session : NULL;
}

bool access_may_try(struct access *a, nsec_t now)
{
    if (time_passed(atomic_load(&a->refused_since), TRIES_IN, now)) {
        atomic_store(&a->refused_since, now);
        atomic_store(&a->refused, 0);
    }
    return atomic_load(&a->refused) < TRIES;
}

void access_refused(struct access *a)
{
    atomic_fetch_add(&a->refused, 1);
}

/* Without the port. */
static bool is_name_of_ours(const struct access *a, const char *host)
{
    size_t length = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    struct addr address;
    char name[256];

    if (length >= sizeof name)
        return false;
    snprintf(name, sizeof name, "%.*s", (int)length, host);
    if (strcasecmp(name, "localhost") == 0 || name[0] == '[' || addr_parse(name, &address) == SD_OK)
        return true; /* an address is nobody's name */
    for (size_t i = 0; i < WEB_HOSTS; i++)
        if (a->hosts[i][0] && strcasecmp(a->hosts[i], name) == 0)
            return true;
    return false;
}

bool access_is_ours(const struct access *a, struct MHD_Connection *c)
{
    const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");

    return !a->local || !host || is_name_of_ours(a, host);
}

bool access_is_forged(struct MHD_Connection *c)
{
    const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
    const char *origin = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Origin");
    const char *ours = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Sealdns");
    const char *behind = origin ? strstr(origin, "://") : NULL;

    if (!ours || (origin && !(behind && host)))
        return true;
    return origin && strcasecmp(behind + 3, host) != 0;
}

void access_pseudonym(const struct access *a, const char *client, char out[PSEUDONYM])
{
    memcpy(out, "client-", 7);
    keyed(a, "client", client, (PSEUDONYM - 8) / 2, out + 7);
}

static bool is_of_a_client(const char *key)
{
    static const char *const keys[] = {"client",        "src_ip",    "client_mac", "host_name",
                                       "another_asker", "addresses", "station",    "known_station",
                                       "clients_named", "mac",       "network"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

void access_mask(const struct access *a, json_t *document)
{
    const char *key;
    json_t *value;
    size_t i;
    char name[PSEUDONYM];

    json_array_foreach(document, i, value) access_mask(a, value);
    json_object_foreach(document, key, value)
    {
        if (json_is_string(value) && is_of_a_client(key) && *json_string_value(value)) {
            access_pseudonym(a, json_string_value(value), name);
            json_string_set(value, name);
        } else {
            access_mask(a, value);
        }
    }
}
