/* Completion of command lines for shells (packaging/completions/): out of the usage texts, so that
 * it is never stale. */
#ifndef SEALDNS_CLI_COMPLETE_H
#define SEALDNS_CLI_COMPLETE_H

/* words: those of the line after `sealdns`, the last of them the one that is being typed. Prints
 * what may stand in its place, one a line; nothing where a file may. */
void complete(int count, char **words);

#endif
