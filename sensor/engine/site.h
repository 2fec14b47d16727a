/* The recorder's side of HTTP: it publishes its status once a second, the library's thread takes
 * what was published last. */
#ifndef SEALDNS_ENGINE_SITE_H
#define SEALDNS_ENGINE_SITE_H

#include "web/web.h"

struct site;

/* NULL: the policy wants none, or it does not open, which is said and no reason to end. */
struct site *site_open(const struct policy_web *config);
void site_close(struct site *s);
/* Another policy: opened anew if its `web` is another. */
void site_use_policy(struct site **s, const struct policy_web *before,
                     const struct policy_web *config);
/* Takes the document over. */
void site_publish(struct site *s, json_t *status);

#endif
