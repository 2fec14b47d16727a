/* The recorder's side of HTTP. Requests are answered by threads of the web: they ask for the status
 * over the control socket, as `sealdns status` does, read the store by themselves, and hold on to a
 * policy for as long as they read it. */
#ifndef SEALDNS_ENGINE_SITE_H
#define SEALDNS_ENGINE_SITE_H

#include "web/web.h"

struct site;

/* p: the policy in force, which stays the caller's. NULL: no memory. That the web does not open is
 * said, and no reason to end. */
struct site *site_create(const struct policy *p);
/* Waits for the requests. The policy is the caller's again. */
void site_destroy(struct site *s);
/* Another policy is in force. `before` is destroyed once no request reads it any more; the web is
 * opened anew if its `web` is another. */
void site_use_policy(struct site *s, struct policy *before, const struct policy *anew);
/* Rows were written: those who follow along get them. Call often, it acts twice a second. */
void site_wake(struct site *s, nsec_t now);

#endif
