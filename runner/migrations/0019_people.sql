-- What the language model used, by what it was for: `day:2026-01-31`, or an incident's id. Costs are millionths of a US
-- dollar.
CREATE TABLE spending (
    scope      TEXT    PRIMARY KEY,
    at         INTEGER NOT NULL,
    requests   INTEGER NOT NULL,
    prompt     INTEGER NOT NULL,
    cached     INTEGER NOT NULL,
    completion INTEGER NOT NULL,
    cost       INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX spending_old ON spending (at);

-- Who has stopped the language model: one row while it is stopped.
CREATE TABLE stop (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    at  INTEGER NOT NULL,
    by  TEXT    NOT NULL,
    why TEXT
);

-- What people said of conclusions: right, wrong, or partly right.
CREATE TABLE feedback (
    id       INTEGER PRIMARY KEY,
    incident TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    by       TEXT    NOT NULL,
    verdict  TEXT    NOT NULL,
    was      TEXT
);
CREATE INDEX feedback_incident ON feedback (incident, id);

-- The object that a conclusion names as the cause, as kind/namespace/name: earlier incidents are found by it.
ALTER TABLE explanations ADD COLUMN cause TEXT;
UPDATE explanations SET cause = json_extract(conclusion, '$.cause.object.kind') || '/'
    || coalesce(json_extract(conclusion, '$.cause.object.namespace'), '') || '/'
    || json_extract(conclusion, '$.cause.object.name')
WHERE conclusion IS NOT NULL;
CREATE INDEX explanations_cause ON explanations (cause) WHERE cause IS NOT NULL;

-- What a question to a person is about, whole: who asks the same again goes on with it. An answer is used once.
ALTER TABLE approvals ADD COLUMN digest TEXT NOT NULL DEFAULT '';
ALTER TABLE approvals ADD COLUMN used_at INTEGER;
CREATE INDEX approvals_digest ON approvals (digest);
