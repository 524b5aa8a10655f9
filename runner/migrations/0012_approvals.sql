-- Calls that a person was asked for. A row stays `waiting` where nobody answered before the question was over.
CREATE TABLE approvals (
    id         TEXT    PRIMARY KEY,
    asked_at   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    tool       TEXT    NOT NULL,
    effect     TEXT    NOT NULL,
    arguments  TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    object     TEXT,
    diff       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    decided_at INTEGER,
    decided_by TEXT,
    why        TEXT
);
CREATE INDEX approvals_asked ON approvals (asked_at);
