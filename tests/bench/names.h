/* Host names by number: the same number is always the same name. */
#ifndef BENCH_NAMES_H
#define BENCH_NAMES_H

#include <stdint.h>

#define NAME_MAX_LENGTH 64

/* Writes the text of name `number` into `out`, at most NAME_MAX_LENGTH bytes with the NUL. */
void name_text(uint32_t number, char out[NAME_MAX_LENGTH]);

#endif
