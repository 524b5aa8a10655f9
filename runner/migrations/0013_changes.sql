-- What was altered in the cluster. `identity` tells a change from all others: one that is delivered twice is kept once.
CREATE TABLE changes (
    id        INTEGER PRIMARY KEY,
    identity  INTEGER NOT NULL UNIQUE,
    cluster   TEXT    NOT NULL,
    namespace TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    body      TEXT    NOT NULL
);
CREATE INDEX changes_in_time ON changes (cluster, at);
CREATE INDEX changes_old ON changes (at);

-- How objects were when they were last told of: what differs from that is a change, whoever watched in between.
CREATE TABLE change_states (
    cluster   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name      TEXT NOT NULL,
    state     TEXT NOT NULL,
    PRIMARY KEY (cluster, kind, namespace, name)
) WITHOUT ROWID;

-- When a kind was listed in full, first and last: what is made after that is new.
CREATE TABLE change_listings (
    cluster  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (cluster, kind)
) WITHOUT ROWID;
