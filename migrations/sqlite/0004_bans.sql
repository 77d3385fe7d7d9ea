-- Who may not come. Times are unix milliseconds, given by the program.

-- The lists of neighbours that are subscribed to, by the keys of those who signed them. An older issue than
-- the one that is kept is refused.
CREATE TABLE ban_lists (
    key_id BLOB PRIMARY KEY CHECK (length(key_id) = 32),
    issue  INTEGER NOT NULL CHECK (issue >= 0)
) STRICT;

CREATE TABLE bans (
    -- Never given twice, so that a ban that is gone cannot be mistaken for another one.
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    kind    TEXT NOT NULL CHECK (kind IN ('key', 'name', 'address', 'server')),
    -- In the form in which it is compared.
    value   TEXT NOT NULL,
    reason  TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    -- NULL: for good.
    until   INTEGER,
    -- The list that says so. NULL: the operator.
    list    BLOB REFERENCES ban_lists (key_id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX bans_once ON bans (kind, value, coalesce(list, x''));
