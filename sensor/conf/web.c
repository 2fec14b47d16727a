/* `web`: the address that metrics and pages are served on. Beyond loopback only over TLS and to
 * those who show that they may. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "conf/reader.h"

static bool is_loopback(const struct addr *a)
{
    static const uint8_t v6[16] = {[15] = 1};
    char text[ADDR_TEXT];

    return memcmp(a->b, v6, sizeof v6) == 0 || strncmp(addr_text(a, text), "127.", 4) == 0;
}

/* "127.0.0.1:8053", "[::1]:8053" */
static bool parse_listen(const char *text, struct policy_web *w)
{
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    char host[ADDR_TEXT], *end;
    unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;

    if (!length || length >= sizeof host || port < 1 || port > 65535 || *end)
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (host[0] == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        memmove(host, host + 1, length - 1);
    } else if (strchr(host, ':')) {
        return false;
    }
    w->port = (uint16_t)port;
    return addr_parse(host, &w->address) == SD_OK;
}

static void read_listen(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "listen", .kind = OPTION_TEXT, .size = 64};
    struct policy_web *w = object;
    char text[64], quoted[OPTION_ERROR];

    if (!read_value(r, n, &option, text))
        return;
    w->off = strcmp(text, "off") == 0;
    if (!w->off && !parse_listen(text, w))
        complain(r->complaints, n, "`listen` cannot be %s: ADDRESS:PORT, as 127.0.0.1:8053, or off",
                 option_quote(text, quoted));
}

static void read_tls(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("certificate", OPTION_PATH, .required = true, FIELD(struct policy_web, certificate)),
        KEY("key", OPTION_PATH, .required = true, FIELD(struct policy_web, key)),
        KEY("client_ca", OPTION_PATH, FIELD(struct policy_web, client_ca)),
        KEYS_END,
    };

    read_map(r, n, keys, object, "`tls`");
}

static void read_viewer(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        KEY("token", OPTION_PATH, .required = true, FIELD(struct web_viewer_wish, token)),
        KEY("clients", OPTION_FLAG, FIELD(struct web_viewer_wish, clients)),
        KEYS_END,
    };

    read_map(r, n, keys, object, "a viewer");
}

static void read_viewers(struct reader *r, const struct node *n, void *object)
{
    struct policy_web *w = object;

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        if (w->viewer_count == WEB_VIEWERS) {
            complain(r->complaints, e, "too many viewers: at most %d", WEB_VIEWERS);
            return;
        }
        read_viewer(r, e, w->viewers + w->viewer_count++);
    }
}

static void read_hosts(struct reader *r, const struct node *n, void *object)
{
    static const struct option option = {.name = "hosts", .kind = OPTION_TEXT, .size = 256};
    struct policy_web *w = object;
    size_t count = 0;

    if (!read_is_list(r, n))
        return;
    for (const struct node *e = n->first; e; e = e->next) {
        if (count == WEB_HOSTS) {
            complain(r->complaints, e, "too many names: at most %d", WEB_HOSTS);
            return;
        }
        if (read_value(r, e, &option, w->hosts[count]))
            count++;
    }
}

void read_web(struct reader *r, const struct node *n, void *object)
{
    static const struct key keys[] = {
        PART("listen", read_listen), KEY("token", OPTION_PATH, FIELD(struct policy_web, token)),
        PART("tls", read_tls),       PART("viewers", read_viewers),
        PART("hosts", read_hosts),   KEYS_END,
    };
    struct policy_web *w = &((struct policy *)object)->web;

    read_map(r, n, keys, w, "`web`");
    if (is_loopback(&w->address) || w->off)
        return;
    if (!w->certificate[0] || (!w->token[0] && !w->client_ca[0]))
        complain(r->complaints, n,
                 "beyond loopback `web` needs `tls`, and a `token` or `tls: {client_ca: ...}`");
}
