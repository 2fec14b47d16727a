#include "model/names.h"

#include <stddef.h>
#include <string.h>

static const char *word_at(const char *const *words, size_t count, unsigned value)
{
    return value < count ? words[value] : "?";
}

static int find_word(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

#define COUNT(words)  (sizeof(words) / sizeof *(words))
#define X(word, text) text,
static const char *const transports[] = {TRANSPORTS(X)};
static const char *const evidence_sources[] = {EVIDENCES(X)};
static const char *const kinds[] = {KINDS(X)};
static const char *const causes[] = {CAUSES(X)};
static const char *const origins[] = {ORIGINS(X)};
static const char *const modes[] = {MODES(X)};
static const char *const places[] = {STANDS(X)};
static const char *const footprints[] = {PROFILES(X)};
static const char *const actions[] = {ACTIONS(X)};
static const char *const verdicts[] = {VERDICTS(X)};
static const char *const states[] = {STATES(X)};
static const char *const lease_sources[] = {LEASE_SOURCES(X)};
static const char *const vpns[] = {VPNS(X)};
static const char *const severities[] = {SEVERITIES(X)};
static const char *const syslog_facilities[] = {SYSLOG_FACILITIES(X)};
static const char *const syslog_transports[] = {SYSLOG_TRANSPORTS(X)};
static const char *const query_modes[] = {QUERY_MODES(X)};
static const char *const client_forms[] = {CLIENT_FORMS(X)};
static const char *const name_forms[] = {NAME_FORMS(X)};
static const char *const privacy_places[] = {PRIVACY_PLACES(X)};
static const char *const event_types[] = {EVENT_TYPES(X)};
#undef X

#define NAME_FUNCTION(singular, words)                                                             \
    const char *singular##_name(unsigned value)                                                    \
    {                                                                                              \
        return word_at(words, COUNT(words), value);                                                \
    }
#define OF_FUNCTION(singular, words)                                                               \
    int singular##_of(const char *word)                                                            \
    {                                                                                              \
        return find_word(words, COUNT(words), word);                                               \
    }

NAME_FUNCTION(transport, transports)
NAME_FUNCTION(evidence_source, evidence_sources)
NAME_FUNCTION(kind, kinds)
NAME_FUNCTION(cause, causes)
NAME_FUNCTION(origin, origins)
NAME_FUNCTION(mode, modes)
NAME_FUNCTION(place, places)
NAME_FUNCTION(footprint, footprints)
NAME_FUNCTION(action, actions)
NAME_FUNCTION(verdict, verdicts)
NAME_FUNCTION(state, states)
NAME_FUNCTION(lease_source, lease_sources)
NAME_FUNCTION(vpn, vpns)
NAME_FUNCTION(severity, severities)
NAME_FUNCTION(syslog_facility, syslog_facilities)
NAME_FUNCTION(syslog_transport, syslog_transports)
NAME_FUNCTION(query_mode, query_modes)
NAME_FUNCTION(client_form, client_forms)
NAME_FUNCTION(name_form, name_forms)
NAME_FUNCTION(privacy_place, privacy_places)
NAME_FUNCTION(event_type, event_types)

OF_FUNCTION(transport, transports)
OF_FUNCTION(kind, kinds)
OF_FUNCTION(mode, modes)
OF_FUNCTION(footprint, footprints)
OF_FUNCTION(severity, severities)
