/* What the sensor learned and must not forget when it stops: a baseline, a client's profile, what
 * is known of a server. A detector says it in pieces (struct detector, remember), the store keeps
 * the last of each topic and key, and gives it back at the next start (recall). The text is for
 * people: explain and the report read it; the body is for the detector alone. A plain value. */
#ifndef SEALDNS_MODEL_MEMORY_H
#define SEALDNS_MODEL_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/time.h"

enum { MEMORY_TOPIC = 24, MEMORY_KEY = 96, MEMORY_BODY = 960 };

struct memory {
    char topic[MEMORY_TOPIC]; /* of one detector: "profile", "baseline" */
    char key[MEMORY_KEY];     /* within the topic: an address, a name, with a part's number where
                                 one piece is too small */
    nsec_t time;              /* of what it rests on */
    bool forget;              /* take it out */
    uint32_t who, tenure; /* when it is given back: the place of the client whose address the key
                             names; tenure 0: of none that is known */
    uint16_t size;        /* of body */
    uint8_t body[MEMORY_BODY]; /* its first octet is its version: what another program wrote is
                                  ignored, never guessed at */
    struct evidence text;      /* JSON members, may be empty */
};

struct memory_sink {
    /* SD_ELIMIT: no room now; say it again the next time. */
    int (*put)(void *context, const struct memory *m);
    void *context;
};

#endif
