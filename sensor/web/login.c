/* A token for a cookie that scripts cannot read, and that ends with the browser or the sensor. */
#include <stdio.h>

#include "web/inside.h"

static enum MHD_Result welcome(const struct web_request *q, const char *session)
{
    char *body = json_dumps(json_true(), JSON_ENCODE_ANY);
    struct MHD_Response *r = MHD_create_response_from_buffer(4, body, MHD_RESPMEM_MUST_FREE);
    char cookie[ACCESS_SESSION + 80];

    snprintf(cookie, sizeof cookie, "sealdns=%s; Path=/; HttpOnly; SameSite=Strict%s", session,
             q->web->secure ? "; Secure" : "");
    if (r) {
        MHD_add_response_header(r, "Content-Type", "application/json");
        MHD_add_response_header(r, "Set-Cookie", cookie);
    }
    return web_send(q, MHD_HTTP_OK, r);
}

static enum MHD_Result answer(const struct web_request *q)
{
    struct access *a = &q->web->access;
    json_t *asked;
    const char *token, *session;

    if (!access_may_try(a, q->now))
        return web_error(q, MHD_HTTP_TOO_MANY_REQUESTS,
                         "too many wrong tokens: try again in a "
                         "moment");
    asked = json_loadb(q->body, q->size, 0, NULL);
    token = json_string_value(json_object_get(asked, "token"));
    session = token ? access_session(a, token) : NULL;
    json_decref(asked);
    if (session)
        return welcome(q, session);
    access_refused(a);
    return web_error(q, MHD_HTTP_UNAUTHORIZED, "that token is none of this sensor's");
}

const struct web_route route_login = {"/api/login", .open = true, .takes_body = true,
                                      .answer = answer};
