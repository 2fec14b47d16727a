/* The parts of an EVE document, for the formats that are made from it. */
#ifndef SEALDNS_OUTPUT_MEMBER_H
#define SEALDNS_OUTPUT_MEMBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

/* The member at a path of keys and places, "alert.signature" or "dns.queries.0.rrname"; borrowed
 * from eve. NULL: there is none. */
json_t *member(const json_t *eve, const char *path);
/* The same; NULL also when it is no string. */
const char *member_text(const json_t *eve, const char *path);
/* 0: none, or no integer. */
json_int_t member_integer(const json_t *eve, const char *path);

/* "ID-REVISION", the same for each copy of one line: what a receiver tells repeats by. */
json_t *member_revision(const json_t *eve);

/* An alert; what the sensor says of itself and its rules is none. */
bool member_is_alert(const json_t *eve);
/* Adds the elements of an array there, if there is one. */
void member_extend(json_t *list, const json_t *eve, const char *path);

/* A line of the query log. */
bool member_is_dns(const json_t *eve);
/* ... of a response. */
bool member_is_response(const json_t *eve);
/* "2026-11-21T12:00:00.000001Z", from the EVE's "+0000"; text. */
const char *member_timestamp(const json_t *eve, char text[TIME_TEXT]);
/* Milliseconds since 1970 UTC of such a time, or of one that ends in "Z"; 0: it is none. */
int64_t member_milliseconds(const json_t *eve, const char *path);
/* What happened and to whom, in a sentence; text. */
const char *member_sentence(const json_t *eve, char *text, size_t size);

#endif
