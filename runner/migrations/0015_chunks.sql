-- Texts of more than one MiB are kept in chunks, each once however many texts have it, compressed with zstd. The digest is
-- the SHA-256 of the chunk. Such a text's row of `contents` is empty, and its digest that of the digests of its chunks.
CREATE TABLE chunks (
    digest BLOB PRIMARY KEY,
    packed BLOB NOT NULL
);

-- Which chunks a text has, in order. `content` is the digest of the text or, until it has ended, the id of who writes it.
-- `bytes` and `feeds` are how many bytes and line feeds the chunk has, `ended` is whether a line ends with it.
CREATE TABLE content_chunks (
    content BLOB    NOT NULL,
    place   INTEGER NOT NULL,
    chunk   BLOB    NOT NULL,
    bytes   INTEGER NOT NULL,
    feeds   INTEGER NOT NULL,
    ended   INTEGER NOT NULL,
    PRIMARY KEY (content, place)
) WITHOUT ROWID;
CREATE INDEX content_chunks_chunk ON content_chunks (chunk);

-- Texts that are being written, and how much room each takes so far. A row that is there when the store opens is of a
-- process that has ended.
CREATE TABLE writings (
    id       BLOB    PRIMARY KEY,
    incident TEXT    NOT NULL,
    room     INTEGER NOT NULL
);
CREATE INDEX writings_incident ON writings (incident);

CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
    UPDATE evidence_room SET bytes = bytes + length(NEW.packed) WHERE id = 1;
END;
CREATE TRIGGER chunks_deleted AFTER DELETE ON chunks BEGIN
    UPDATE evidence_room SET bytes = bytes - length(OLD.packed) WHERE id = 1;
END;

-- A chunk goes with the last text that has it.
CREATE TRIGGER content_chunks_deleted AFTER DELETE ON content_chunks BEGIN
    DELETE FROM chunks WHERE digest = OLD.chunk
        AND NOT EXISTS (SELECT 1 FROM content_chunks WHERE chunk = OLD.chunk);
END;
CREATE TRIGGER contents_unchunked AFTER DELETE ON contents BEGIN
    DELETE FROM content_chunks WHERE content = OLD.digest;
END;
CREATE TRIGGER writings_deleted AFTER DELETE ON writings BEGIN
    DELETE FROM content_chunks WHERE content = OLD.id;
END;
