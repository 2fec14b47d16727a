-- For any number of sensors; `sealdns events` and `sealdns plan` read it with --store.
-- Events of any number of sensors in one table: what `type: clickhouse` writes. Types that every version since 18 knows.
-- A line that was told twice is one row after a merge: ask with FINAL, or group by (id, revision). On a cluster write
-- ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/sealdns_events', '{replica}', revision) in the engine's place, and over
-- several shards `CREATE TABLE sealdns.events_all AS sealdns.events ENGINE = Distributed(CLUSTER, sealdns, events, sipHash64(id))`,
-- which sends an event's revisions to one shard.
CREATE DATABASE IF NOT EXISTS sealdns;
CREATE TABLE IF NOT EXISTS sealdns.events
(
    time DateTime,
    time_ms Int64,
    first_ms Int64,
    last_ms Int64,
    host String,
    kind String,
    id String,
    revision UInt32,
    state String,
    severity UInt8,
    confidence UInt8,
    rule String,
    verdict String,
    action String,
    signature String,
    zone String,
    client String,
    server String,
    server_port UInt16,
    resolver String,
    transport String,
    cause String,
    query String,
    sni String,
    count UInt64,
    flow_id UInt64,
    community_id String,
    eve String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (host, kind, id, revision);

-- Lines of the query log: what `type: clickhouse` with `types: [dns]` writes. A sum of what is encrypted has no query.
CREATE TABLE IF NOT EXISTS sealdns.dns
(
    time DateTime,
    time_ms Int64,
    first_ms Int64,
    last_ms Int64,
    host String,
    id String,
    type String,
    client String,
    client_port UInt16,
    server String,
    server_port UInt16,
    proto String,
    transport String,
    zone String,
    resolver String,
    query String,
    qtype String,
    rcode String,
    answers Array(String),
    latency_us UInt32,
    count UInt64,
    sample UInt32
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (host, time, id);

-- Hours of conversations: `types: [conversation]`. Of the rows of one (host, hour, client, server, server_port, transport, part) the one
-- that was told last has the whole sum: ask with FINAL, and add the parts up (an hour has another after a restart). On a cluster as above,
-- ReplicatedReplacingMergeTree('...', '{replica}', told), and Distributed by sipHash64(host, client).
CREATE TABLE IF NOT EXISTS sealdns.conversations
(
    hour DateTime,
    host String,
    client String,
    server String,
    server_port UInt16,
    transport String,
    zone String,
    resolver String,
    name String,
    approved UInt8,
    identified_by UInt8,
    confidence UInt8,
    estimated UInt8,
    first_ms Int64,
    last_ms Int64,
    flows UInt64,
    flows_failed UInt64,
    queries UInt64,
    responses UInt64,
    bytes_out UInt64,
    bytes_in UInt64,
    part UInt64,
    told UInt64
)
ENGINE = ReplacingMergeTree(told)
PARTITION BY toYYYYMM(hour)
ORDER BY (host, hour, client, server, server_port, transport, part);

-- The counters of each sensor, once a minute: `types: [stats]`. They begin at 0 with a start; what is missing is when nobody watched.
CREATE TABLE IF NOT EXISTS sealdns.stats
(
    time DateTime,
    host String,
    packets UInt64,
    kernel_drops UInt64,
    observations_dropped UInt64,
    records_dropped UInt64,
    counters String
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (host, time);
