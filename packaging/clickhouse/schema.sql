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
