-- What people asked and were answered.
CREATE TABLE exchanges (
    id           INTEGER PRIMARY KEY,
    conversation TEXT    NOT NULL,
    incident     TEXT,
    at           INTEGER NOT NULL,
    question     TEXT    NOT NULL,
    answer       TEXT    NOT NULL
);
CREATE INDEX exchanges_in_order ON exchanges (conversation, id);
CREATE INDEX exchanges_old ON exchanges (at);
