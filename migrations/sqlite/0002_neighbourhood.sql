-- The servers we know, whether they are linked or not. Times are unix milliseconds, given by the
-- program. Who is present there is not kept: it would be a lie as soon as the link is gone.
CREATE TABLE peers (
    id        TEXT PRIMARY KEY CHECK (length(id) = 12),
    -- Where it is dialled. NULL if it only ever came to us.
    url       TEXT,
    address   TEXT,
    name      TEXT,
    -- The key that an operator named, as it was written.
    key       TEXT,
    -- The fingerprint of the key shown at first contact. Another one is refused from then on.
    seen_key  BLOB CHECK (length(seen_key) = 32),
    dialect   TEXT,
    accent    TEXT,
    source    TEXT NOT NULL,
    -- A neighbour that was removed stays in the table, so that it stays refused after a restart.
    removed   INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1)),
    added_at  INTEGER NOT NULL,
    linked_at INTEGER
) STRICT;
