/* The vocabularies of model/vocabulary.h as enums, and their words. */
#ifndef SEALDNS_MODEL_NAMES_H
#define SEALDNS_MODEL_NAMES_H

#include <stdint.h>

#include "model/privacy_words.h"
#include "model/syslog_words.h"
#include "model/vocabulary.h"

#define X(word, text) word,
enum transport { TRANSPORTS(X) TRANSPORT_COUNT };
enum evidence_source { EVIDENCES(X) EVIDENCE_SOURCE_COUNT };
enum kind { KINDS(X) KIND_COUNT };
enum cause { CAUSES(X) CAUSE_COUNT };
enum origin { ORIGINS(X) ORIGIN_COUNT };
enum mode { MODES(X) MODE_COUNT };
enum stand { STANDS(X) PLACE_COUNT };
enum footprint { PROFILES(X) FOOTPRINT_COUNT };
enum action { ACTIONS(X) ACTION_COUNT };
enum verdict { VERDICTS(X) VERDICT_COUNT };
enum state { STATES(X) STATE_COUNT };
enum lease_source { LEASE_SOURCES(X) LEASE_SOURCE_COUNT };
enum vpn { VPNS(X) VPN_COUNT };
enum severity { SEVERITIES(X) SEVERITY_COUNT };
enum syslog_facility { SYSLOG_FACILITIES(X) SYSLOG_FACILITY_COUNT };
enum syslog_transport { SYSLOG_TRANSPORTS(X) SYSLOG_TRANSPORT_COUNT };
enum query_mode { QUERY_MODES(X) QUERY_MODE_COUNT };
enum client_form { CLIENT_FORMS(X) CLIENT_FORM_COUNT };
enum name_form { NAME_FORMS(X) NAME_FORM_COUNT };
enum privacy_place { PRIVACY_PLACES(X) PRIVACY_PLACE_COUNT };
enum event_type { EVENT_TYPES(X) EVENT_TYPE_COUNT };
#undef X

#define BY(source) (1u << (source)) /* a bit of identified_by */

/* The word of a value; "?" for a value out of range. */
const char *transport_name(unsigned value);
const char *evidence_source_name(unsigned value);
const char *kind_name(unsigned value);
const char *cause_name(unsigned value);
const char *origin_name(unsigned value);
const char *mode_name(unsigned value);
const char *place_name(unsigned value);
const char *footprint_name(unsigned value);
const char *action_name(unsigned value);
const char *verdict_name(unsigned value);
const char *state_name(unsigned value);
const char *lease_source_name(unsigned value);
const char *vpn_name(unsigned value);
const char *severity_name(unsigned value);
const char *syslog_transport_name(unsigned value);
const char *syslog_facility_name(unsigned value);
const char *query_mode_name(unsigned value);
const char *client_form_name(unsigned value);
const char *name_form_name(unsigned value);
const char *privacy_place_name(unsigned value);
const char *event_type_name(unsigned value);

/* The value of a word, or -1. */
int transport_of(const char *word);
int kind_of(const char *word);
int mode_of(const char *word);
int footprint_of(const char *word);
int severity_of(const char *word);

#endif
