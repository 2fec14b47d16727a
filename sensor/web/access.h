/* Who may ask: tokens, the cookie of who signed in, and what a browser must not be talked into. */
#ifndef SEALDNS_WEB_ACCESS_H
#define SEALDNS_WEB_ACCESS_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "web/request.h"

enum { ACCESS_KEY = 32, ACCESS_SESSION = 65, ACCESS_VIEWERS = WEB_VIEWERS + 1 };

struct access {
    struct access_viewer {
        char token[256];              /* "": this one is not there */
        char session[ACCESS_SESSION]; /* the cookie that stands for it until the next start */
        struct web_viewer may;
    } viewers[ACCESS_VIEWERS]; /* the first is web.token's */
    bool asked;                /* a token is needed */
    bool local;                /* only on loopback, and nobody is asked for a token */
    char hosts[WEB_HOSTS][256];
    uint8_t key[ACCESS_KEY]; /* of pseudonyms and sessions */
    atomic_llong refused_since;
    atomic_int refused;
};

/* SD_ECONF: a token's file cannot be read, or is too short to be one: error says which. SD_EIO: no
 * random octets. */
int access_open(struct access *a, const struct policy_web *config, char error[WEB_ERROR]);
/* By token or cookie; NULL: nobody. */
const struct web_viewer *access_viewer(const struct access *a, struct MHD_Connection *c);
/* The cookie of the one whose token it is; NULL: nobody's. */
const char *access_session(const struct access *a, const char *token);
/* False: too many wrong tokens of late; the next try is to wait. */
bool access_may_try(struct access *a, nsec_t now);
void access_refused(struct access *a);
/* Who asks by a name that is none of ours was sent here by somebody else's DNS (rebinding). */
bool access_is_ours(const struct access *a, struct MHD_Connection *c);
/* A POST that a page of somebody else's had a browser send. */
bool access_is_forged(struct MHD_Connection *c);

/* "client-" and 16 hexadecimal digits; the same until the next start. */
enum { PSEUDONYM = 24 };
void access_pseudonym(const struct access *a, const char *client, char out[PSEUDONYM]);
/* Every client's name in the document becomes one. */
void access_mask(const struct access *a, json_t *document);

#endif
