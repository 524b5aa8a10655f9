-- How far the watches of a kind have come: from there they go on without listing. `form` names what is taken of objects.
CREATE TABLE change_watches (
    cluster   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    namespace TEXT NOT NULL,
    form      TEXT NOT NULL,
    version   TEXT NOT NULL,
    PRIMARY KEY (cluster, kind, namespace)
) WITHOUT ROWID;

-- The last delivery of each forwarder that was taken in: one that comes again is dropped.
CREATE TABLE deliveries (
    stream  TEXT    NOT NULL PRIMARY KEY,
    number  INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) WITHOUT ROWID;
