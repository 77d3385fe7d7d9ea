-- What the house remembers across restarts. Times are unix milliseconds, given by the program.

-- Facts about this server itself, such as its identifier. Few and small.
CREATE TABLE facts (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Every member ever seen here. The key is kept as first received, because a later spelling of the
-- same key must not be able to replace the one that people compared.
CREATE TABLE members (
    key_id     BLOB PRIMARY KEY CHECK (length(key_id) = 32),
    dialect    TEXT NOT NULL,
    public_key TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL
) STRICT;
CREATE INDEX members_by_last_seen ON members (last_seen DESC, key_id DESC);

-- Uploaded files. The bytes themselves lie in the data folder under the same id.
CREATE TABLE files (
    id           TEXT PRIMARY KEY,
    name         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    bytes        INTEGER NOT NULL CHECK (bytes >= 0),
    uploaded_at  INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    downloads    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX files_by_upload ON files (uploaded_at DESC, id DESC);
CREATE INDEX files_by_expiry ON files (expires_at);

-- One row, written by the readiness check: a full disk or a stuck lock shows here first.
CREATE TABLE probe (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
INSERT INTO probe (id, count) VALUES (1, 0);
