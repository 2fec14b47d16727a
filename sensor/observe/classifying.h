/* The few packets of a flow that the classifier sees. */
#ifndef SEALDNS_OBSERVE_CLASSIFYING_H
#define SEALDNS_OBSERVE_CLASSIFYING_H

#include "observe/observer.h"

/* The next payload in order, until the classifier has enough or CLASSIFY_PACKETS were fed; then
 * cold->answer is no longer CLASSIFY_MORE. cold->facts is kept up to date. */
void classifying_feed(struct observer *o, struct flow *f, const struct packet *p, enum side sender,
                      const struct stream_piece *piece);
/* Releases the classifier's state; the facts stay. */
void classifying_close(struct observer *o, struct cold *c);

#endif
