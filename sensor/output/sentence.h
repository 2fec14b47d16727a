/* What an event says, as a sentence in plain words: "10.20.0.7 (office) asked 9.9.9.9 in clear
 * text: 3 queries, for www.example.org". */
#ifndef SEALDNS_OUTPUT_SENTENCE_H
#define SEALDNS_OUTPUT_SENTENCE_H

#include <jansson.h>
#include <stdio.h>

/* Writes it, without a full stop, made printable: names come from strangers. The title of the
 * detection where no sentence is known for it. */
void sentence_write(FILE *to, const json_t *eve);

#endif
