-- For homes of several nodes: what the node that serves tells those that may succeed it.

-- The rows that have changed, each once and in the order of its last change. Written by triggers, which exist only
-- while there is somebody to tell.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    tbl TEXT NOT NULL,
    -- The primary key of the row, in SQL.
    key TEXT NOT NULL,
    UNIQUE (tbl, key)
) STRICT;

-- Up to which change the log has been cut. Whoever knows less has to copy everything.
CREATE TABLE changes_cut (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO changes_cut (id, seq) VALUES (1, 0);

-- In whose reign the present state was written, and up to which of its changes. Whoever serves writes that when it
-- begins, and counts on in the log; a copy writes it with each batch. No row: neither has ever happened.
CREATE TABLE written (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    -- NULL: by this node itself, so the log knows.
    seq   INTEGER
) STRICT;
