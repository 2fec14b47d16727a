/* Every version of the schema, in order: opening an older store runs what it lacks. A step that has
 * been released is never changed. Addresses are text, so that an auditor with nothing but sqlite3
 * can read them; times are nanoseconds since 1970. */
#include "store/schema.h"

#include <stddef.h>

static const char version_1[] =
    "CREATE TABLE events ("
    " row INTEGER PRIMARY KEY," /* rows are immutable revisions, in the order they were written */
    " id TEXT NOT NULL, revision INTEGER NOT NULL, state TEXT NOT NULL,"
    " kind TEXT NOT NULL, rule TEXT NOT NULL, severity INTEGER NOT NULL,"
    " verdict TEXT NOT NULL, time INTEGER NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, count INTEGER NOT NULL, client TEXT, server TEXT,"
    " zone TEXT, resolver TEXT, host TEXT, json TEXT NOT NULL);"
    "CREATE INDEX events_by_id ON events (id, revision);"
    "CREATE INDEX events_by_time ON events (time);"
    "CREATE TABLE conversations ("
    " hour INTEGER NOT NULL, client TEXT NOT NULL, server TEXT NOT NULL,"
    " server_port INTEGER NOT NULL, transport TEXT NOT NULL, zone TEXT, resolver TEXT, name TEXT,"
    " approved INTEGER NOT NULL, identified_by INTEGER NOT NULL, confidence INTEGER NOT NULL,"
    " estimated INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " flows INTEGER NOT NULL, flows_failed INTEGER NOT NULL, queries INTEGER NOT NULL,"
    " responses INTEGER NOT NULL, bytes_out INTEGER NOT NULL, bytes_in INTEGER NOT NULL,"
    " PRIMARY KEY (hour, client, server, server_port, transport)) WITHOUT ROWID;"
    "CREATE TABLE clients ("
    " client TEXT PRIMARY KEY, zone TEXT, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " queries_clear INTEGER NOT NULL, queries_sealed INTEGER NOT NULL,"
    " flows_failed INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE resolvers ("
    " server TEXT NOT NULL, server_port INTEGER NOT NULL, transport TEXT NOT NULL,"
    " resolver TEXT, name TEXT, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " queries INTEGER NOT NULL, responses INTEGER NOT NULL, flows INTEGER NOT NULL,"
    " flows_failed INTEGER NOT NULL,"
    " PRIMARY KEY (server, server_port, transport)) WITHOUT ROWID;"
    "CREATE TABLE stats (time INTEGER PRIMARY KEY, json TEXT NOT NULL);";

/* text: JSON for people; body: for the detector whose topic it is. */
static const char version_2[] =
    "CREATE TABLE memory ("
    " topic TEXT NOT NULL, key TEXT NOT NULL, time INTEGER NOT NULL, text TEXT NOT NULL,"
    " body BLOB NOT NULL, PRIMARY KEY (topic, key)) WITHOUT ROWID;";

/* Sums (rollup.h): all hours before rolled.until are in them. Of events that were there already the
 * repeats are counted on the day they began. */
static const char version_3[] =
    "CREATE TABLE rolled (until INTEGER NOT NULL);"
    "INSERT INTO rolled VALUES (0);"
    "CREATE TABLE zone_hours ("
    " hour INTEGER NOT NULL, zone TEXT NOT NULL, transport TEXT NOT NULL, approved INTEGER NOT "
    "NULL,"
    " flows INTEGER NOT NULL, flows_failed INTEGER NOT NULL, queries INTEGER NOT NULL,"
    " responses INTEGER NOT NULL, PRIMARY KEY (hour, zone, transport, approved)) WITHOUT ROWID;"
    "CREATE TABLE server_days ("
    " day INTEGER NOT NULL, zone TEXT NOT NULL, server TEXT NOT NULL, server_port INTEGER NOT NULL,"
    " transport TEXT NOT NULL, resolver TEXT, name TEXT, approved INTEGER NOT NULL,"
    " flows INTEGER NOT NULL, flows_failed INTEGER NOT NULL, queries INTEGER NOT NULL,"
    " responses INTEGER NOT NULL,"
    " PRIMARY KEY (day, zone, server, server_port, transport)) WITHOUT ROWID;"
    "CREATE TABLE client_days ("
    " day INTEGER NOT NULL, client TEXT NOT NULL, zone TEXT NOT NULL, do53_udp INTEGER NOT NULL,"
    " do53_tcp INTEGER NOT NULL, dot INTEGER NOT NULL, doq INTEGER NOT NULL, doh2 INTEGER NOT NULL,"
    " doh3 INTEGER NOT NULL, dnscrypt INTEGER NOT NULL, clear_unapproved INTEGER NOT NULL,"
    " sealed_unapproved INTEGER NOT NULL, PRIMARY KEY (day, client)) WITHOUT ROWID;"
    "CREATE TABLE client_months ("
    " month INTEGER NOT NULL, client TEXT NOT NULL, zone TEXT NOT NULL, do53_udp INTEGER NOT NULL,"
    " do53_tcp INTEGER NOT NULL, dot INTEGER NOT NULL, doq INTEGER NOT NULL, doh2 INTEGER NOT NULL,"
    " doh3 INTEGER NOT NULL, dnscrypt INTEGER NOT NULL, clear_unapproved INTEGER NOT NULL,"
    " sealed_unapproved INTEGER NOT NULL, PRIMARY KEY (month, client)) WITHOUT ROWID;"
    "CREATE TABLE event_days ("
    " day INTEGER NOT NULL, zone TEXT NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL,"
    " verdict TEXT NOT NULL, events INTEGER NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (day, zone, kind, severity, verdict)) WITHOUT ROWID;"
    "INSERT INTO event_days SELECT first - first % 86400000000000, coalesce(zone, ''), kind, "
    "severity,"
    " verdict, count(*), sum(count) FROM events e"
    " WHERE revision = (SELECT max(revision) FROM events WHERE id = e.id) GROUP BY 1, 2, 3, 4, 5;";

/* For who looks for events (search.h). */
static const char version_4[] = "CREATE INDEX events_by_client ON events (client);"
                                "CREATE INDEX events_by_kind ON events (kind);";

/* The query log: no event has a row here. name and qtype are empty where nobody saw them. */
static const char version_5[] =
    "CREATE TABLE queries ("
    " row INTEGER PRIMARY KEY, time INTEGER NOT NULL, client TEXT NOT NULL, server TEXT NOT NULL,"
    " transport TEXT NOT NULL, zone TEXT NOT NULL, resolver TEXT NOT NULL, response INTEGER NOT "
    "NULL,"
    " name TEXT NOT NULL, qtype INTEGER NOT NULL, rcode INTEGER NOT NULL, answers TEXT NOT NULL,"
    " count INTEGER NOT NULL, sample INTEGER NOT NULL);"
    "CREATE INDEX queries_by_time ON queries (time);";

/* The evidence chain (chain.h). salt is gone where the contents are; digest in chain_erased is of
 * what was left of a row, null where nothing was. */
static const char version_6[] =
    "CREATE TABLE chain ("
    " row INTEGER PRIMARY KEY, salt BLOB, digest BLOB NOT NULL, hash BLOB NOT NULL);"
    "CREATE TABLE chain_notes ("
    " row INTEGER PRIMARY KEY, time INTEGER NOT NULL, why TEXT NOT NULL, first INTEGER NOT NULL,"
    " last INTEGER NOT NULL, rows INTEGER NOT NULL, base_row INTEGER, base_hash BLOB, list BLOB);"
    "CREATE TABLE chain_erased ("
    " row INTEGER NOT NULL, note INTEGER NOT NULL, digest BLOB, PRIMARY KEY (row, note)) WITHOUT "
    "ROWID;"
    "CREATE INDEX chain_erased_by_note ON chain_erased (note, row);"
    "CREATE TABLE chain_checkpoints ("
    " number INTEGER PRIMARY KEY, row INTEGER NOT NULL, time INTEGER NOT NULL, hash BLOB NOT NULL,"
    " key BLOB NOT NULL, signature BLOB NOT NULL);";

const char *const schema_steps[] = {version_1, version_2, version_3, version_4,
                                    version_5, version_6, NULL};
