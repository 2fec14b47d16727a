/* Cells as people read them; what strangers may have written is made harmless by each format. */
#ifndef SEALDNS_REPORT_CELLS_H
#define SEALDNS_REPORT_CELLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { CELL = 1024 };

/* "62.5 %", "12,345", "2026-12-01 04:20", or the text; "-" where there is nothing. */
const char *cell_text(const json_t *cell, const json_t *column, char out[CELL]);
bool cell_is_number(const json_t *column);
const char *json_word(const json_t *object, const char *key); /* "" where there is none */

#endif
