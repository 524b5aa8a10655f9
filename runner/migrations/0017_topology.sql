-- What hangs together with what, as forwarders last told. What is gone stays for a while: an alert may come after it.
CREATE TABLE topology (
    id         INTEGER PRIMARY KEY,
    cluster    TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    namespace  TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    listing    INTEGER NOT NULL,
    gone_at    INTEGER,
    owner_api  TEXT,
    owner_kind TEXT,
    owner_name TEXT,
    node       TEXT,
    links      TEXT    NOT NULL
);
CREATE UNIQUE INDEX topology_objects ON topology (cluster, kind, namespace, name);
CREATE INDEX topology_gone ON topology (gone_at) WHERE gone_at IS NOT NULL;

-- By what an object is found: `ConfigMap/settings` in the namespace of what it hangs on ('' for the cluster) and how it
-- does; or a label that it selects, `app=cart` without a tie, and `*` where it selects by no label.
CREATE TABLE topology_ties (
    cluster   TEXT    NOT NULL,
    namespace TEXT    NOT NULL,
    term      TEXT    NOT NULL,
    tie       TEXT    NOT NULL,
    object    INTEGER NOT NULL,
    PRIMARY KEY (cluster, namespace, term, tie, object)
) WITHOUT ROWID;
CREATE INDEX topology_ties_of ON topology_ties (object);

-- When a cluster's forwarder was last heard, and how many objects are kept of it.
CREATE TABLE topology_feeds (
    cluster  TEXT    NOT NULL PRIMARY KEY,
    heard_at INTEGER NOT NULL,
    objects  INTEGER NOT NULL
) WITHOUT ROWID;
