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

const char *const schema_steps[] = {version_1, version_2, NULL};
