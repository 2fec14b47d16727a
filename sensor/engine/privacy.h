/* How clients are named in what is written: the recorder's side of `privacy` and of
 * `query_log.clients`. Detection and enforcement know nothing of it. */
#ifndef SEALDNS_ENGINE_PRIVACY_H
#define SEALDNS_ENGINE_PRIVACY_H

#include "base/pseudonym.h"
#include "model/policy.h"
#include "model/record.h"

struct privacy;

/* Where clients are to be pseudonyms the key's file is read, or made. error: PSEUDONYM_ERROR.
 * SD_ECONF: it cannot be; SD_EMEM. */
int privacy_open(const struct policy *policy, nsec_t now, struct privacy **out, char *error);
void privacy_close(struct privacy *v);
/* A key that cannot be read is complained about, and no client is named until it can. The old
 * policy may be destroyed after. */
void privacy_use_policy(struct privacy *v, const struct policy *policy, nsec_t now);
/* Turns the key when it is time: call about once a minute. */
void privacy_turn(struct privacy *v, nsec_t now);

/* The record as it is to be written there: itself, or a copy, which lives until the next call for
 * that place. NULL: it is not to be written, as it says what is known of a client. */
const struct record *privacy_record(struct privacy *v, const struct record *r,
                                    enum privacy_place place);
/* The keys; NULL: there are none. Until the next policy. */
const struct pseudonyms *privacy_names(const struct privacy *v);
/* The pseudonym of an address into text[ADDR_TEXT], "" where there is no key. */
const char *privacy_text(const struct privacy *v, const struct addr *a, char text[ADDR_TEXT]);

#endif
