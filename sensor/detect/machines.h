/* A machine inside that answers questions on port 53: what those who speak of such machines count.
 * One tally item a machine, whose key.client is the machine itself. */
#ifndef SEALDNS_DETECT_MACHINES_H
#define SEALDNS_DETECT_MACHINES_H

#include "detect/draft.h"
#include "detect/tallied.h"

enum { MACHINES_MOST = 1024 };

struct machine {
    struct tally_item item; /* first; counts answers */
    struct sighting seen;   /* the first answer */
    uint64_t askers;        /* a bit for each, by hash: many share one */
    struct addr another;    /* the second that asked */
    uint64_t told;          /* answers that findings have counted */
    uint16_t qtype;
    bool many;      /* the rule's own: so many asked that it is graver */
    char name[256]; /* of the first question */
};

/* At least so many asked. */
int machine_askers(const struct machine *m);
/* The machine of a response, with the asker and the question in it; to be counted by tally_add().
 * A second asker is news. */
struct machine *machine_answers(struct tallied *t, const struct observation *o);
/* Everything of the finding but confidence and what the rule has to say itself. */
void machine_draft(struct machine *m, const struct policy *p, const char *rule, enum kind kind,
                   struct finding *f);

#endif
