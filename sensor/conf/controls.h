/* The catalogues of controls: those of rules/controls/ as they were at build, and an operator's own
 * in their place. */
#ifndef SEALDNS_CONF_CONTROLS_H
#define SEALDNS_CONF_CONTROLS_H

#include <stdio.h>

#include "model/controls.h"

#define CONTROLS_FOLDER "/etc/sealdns/controls"

/* folder: its ID.yaml replace what is built in, or are added; NULL, or not there: nothing does. to
 * gets a line for each thing that is wrong, with line and column: then SD_ECONF. SD_EIO: the folder
 * or a file cannot be read. SD_ELIMIT: more than 64 files, or a file over 16 MiB. SD_EMEM. */
int controls_load(const char *folder, FILE *to, struct controls **out);
void controls_free(struct controls *c);

#endif
