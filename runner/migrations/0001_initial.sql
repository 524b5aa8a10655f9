-- Times are microseconds since 1970 (UTC). Objects, reasons, moments and other values with a shape of their own are JSON.
-- Identities of incidents and investigations are UUIDs of version 7 as text: their order is that of their making.

-- What came in. `ends_at` is 0 while the condition holds: a null would not be part of the identity.
CREATE TABLE signals (
    seq         INTEGER PRIMARY KEY,
    source      TEXT    NOT NULL,
    fingerprint INTEGER NOT NULL,
    starts_at   INTEGER NOT NULL,
    status      TEXT    NOT NULL,
    ends_at     INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    body        TEXT    NOT NULL
);
CREATE UNIQUE INDEX signals_identity ON signals (fingerprint, source, starts_at, status, ends_at);

-- Entries of payloads that could not be used, each once.
CREATE TABLE quarantine (
    digest   BLOB    PRIMARY KEY,
    origin   TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    pointer  TEXT    NOT NULL,
    body     TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL
);
CREATE INDEX quarantine_last ON quarantine (last_at);

-- How far correlation has come: one row.
CREATE TABLE correlation (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    batch  INTEGER NOT NULL,
    cursor INTEGER NOT NULL
);
INSERT INTO correlation (id, batch, cursor) VALUES (1, 0, 0);

CREATE TABLE incidents (
    id            TEXT    PRIMARY KEY,
    short         TEXT    NOT NULL,
    status        TEXT    NOT NULL,
    title         TEXT    NOT NULL,
    severity      TEXT    NOT NULL,
    subject       TEXT,
    signals       INTEGER NOT NULL,
    firing        INTEGER NOT NULL,
    starts_at     INTEGER NOT NULL,
    opened_at     INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    resolved_at   INTEGER,
    merged_into   TEXT,
    revision      INTEGER NOT NULL,
    last_fired_at INTEGER NOT NULL,
    captured_at   INTEGER,
    told_revision INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX incidents_short ON incidents (short);
CREATE INDEX incidents_status ON incidents (status, resolved_at);
CREATE INDEX incidents_behind ON incidents (id) WHERE captured_at IS NULL OR told_revision < revision;

-- The namespace of a cluster-scoped object is empty.
CREATE TABLE incident_objects (
    incident  TEXT NOT NULL,
    kind      TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    PRIMARY KEY (incident, kind, namespace, name)
) WITHOUT ROWID;
CREATE INDEX incident_objects_object ON incident_objects (kind, namespace, name, incident);

CREATE TABLE members (
    incident      TEXT    NOT NULL,
    fingerprint   INTEGER NOT NULL,
    source        TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    status        TEXT    NOT NULL,
    severity      INTEGER NOT NULL,
    subject       TEXT,
    related       TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    headline      TEXT    NOT NULL,
    labels        TEXT    NOT NULL,
    generator_url TEXT,
    starts_at     INTEGER NOT NULL,
    ends_at       INTEGER,
    joined_at     INTEGER NOT NULL,
    PRIMARY KEY (incident, fingerprint, source)
);

CREATE TABLE dependencies (
    incident   TEXT NOT NULL,
    dependency TEXT NOT NULL,
    PRIMARY KEY (incident, dependency)
) WITHOUT ROWID;

CREATE TABLE timeline (
    id       INTEGER PRIMARY KEY,
    incident TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    moment   TEXT    NOT NULL
);
CREATE INDEX timeline_incident ON timeline (incident, id);

-- Contents are compressed with zstd; the digest is that of origin, title and content.
CREATE TABLE evidence (
    incident TEXT    NOT NULL,
    number   INTEGER NOT NULL,
    origin   TEXT    NOT NULL,
    title    TEXT    NOT NULL,
    object   TEXT,
    taken_at INTEGER NOT NULL,
    size     INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    content  BLOB    NOT NULL,
    shown    BLOB,
    PRIMARY KEY (incident, number)
);
CREATE UNIQUE INDEX evidence_digest ON evidence (incident, digest);

CREATE TABLE explanations (
    incident     TEXT PRIMARY KEY,
    findings     TEXT,
    conclusion   TEXT,
    concluded_by TEXT,
    concluded_at INTEGER
);

-- The agent's state is compressed with zstd, and gone once the investigation has finished.
CREATE TABLE investigations (
    id          TEXT    PRIMARY KEY,
    incident    TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    run         BLOB,
    started_at  INTEGER NOT NULL,
    saved_at    INTEGER,
    finished_at INTEGER,
    outcome     TEXT
);
CREATE INDEX investigations_incident ON investigations (incident);
CREATE INDEX investigations_unfinished ON investigations (id) WHERE finished_at IS NULL;

CREATE TABLE outbox (
    id               INTEGER PRIMARY KEY,
    incident         TEXT    NOT NULL,
    receiver         TEXT    NOT NULL,
    state            TEXT    NOT NULL,
    wanted           INTEGER NOT NULL,
    delivered        INTEGER NOT NULL,
    attempts         INTEGER NOT NULL,
    receipt          TEXT,
    first_started_at INTEGER,
    failing_since    INTEGER,
    maybe_sent       INTEGER NOT NULL,
    last_error       TEXT,
    next_at          INTEGER NOT NULL,
    UNIQUE (incident, receiver)
);
CREATE INDEX outbox_due ON outbox (next_at) WHERE state = 'waiting' AND wanted > delivered;
CREATE INDEX outbox_dead ON outbox (id) WHERE state = 'dead';
CREATE INDEX outbox_sending ON outbox (id) WHERE state = 'sending';

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL,
    action TEXT    NOT NULL,
    detail TEXT    NOT NULL
);
CREATE INDEX audit_at ON audit (at);
