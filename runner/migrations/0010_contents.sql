-- What pieces of evidence hold, each text once however many incidents have it, compressed with zstd. The digest is the
-- SHA-256 of the text; of texts from before this table, that of origin, title and text.
CREATE TABLE contents (
    digest BLOB PRIMARY KEY,
    packed BLOB NOT NULL
);
INSERT OR IGNORE INTO contents (digest, packed) SELECT digest, content FROM evidence;

-- `content_digest` is null where the text was let go of; `cited` is how often the incident's conclusion cites the piece.
ALTER TABLE evidence ADD COLUMN content_digest BLOB;
ALTER TABLE evidence ADD COLUMN room INTEGER NOT NULL DEFAULT 0;
ALTER TABLE evidence ADD COLUMN cited INTEGER NOT NULL DEFAULT 0;
UPDATE evidence SET content_digest = digest, room = length(content) + coalesce(length(shown), 0);
ALTER TABLE evidence DROP COLUMN content;
CREATE INDEX evidence_content ON evidence (content_digest) WHERE content_digest IS NOT NULL;

-- How many bytes all contents have: one row.
CREATE TABLE evidence_room (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    bytes INTEGER NOT NULL
);
INSERT INTO evidence_room (id, bytes) SELECT 1, coalesce(sum(length(packed)), 0) FROM contents;

CREATE TRIGGER contents_added AFTER INSERT ON contents BEGIN
    UPDATE evidence_room SET bytes = bytes + length(NEW.packed) WHERE id = 1;
END;
CREATE TRIGGER contents_deleted AFTER DELETE ON contents BEGIN
    UPDATE evidence_room SET bytes = bytes - length(OLD.packed) WHERE id = 1;
END;

-- A text goes with the last piece that holds it.
CREATE TRIGGER evidence_deleted AFTER DELETE ON evidence WHEN OLD.content_digest IS NOT NULL BEGIN
    DELETE FROM contents WHERE digest = OLD.content_digest
        AND NOT EXISTS (SELECT 1 FROM evidence WHERE content_digest = OLD.content_digest);
END;
CREATE TRIGGER evidence_let_go AFTER UPDATE OF content_digest ON evidence
    WHEN OLD.content_digest IS NOT NULL AND NEW.content_digest IS NULL BEGIN
    DELETE FROM contents WHERE digest = OLD.content_digest
        AND NOT EXISTS (SELECT 1 FROM evidence WHERE content_digest = OLD.content_digest);
END;
