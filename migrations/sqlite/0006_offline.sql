-- Private letters for members who are away, sealed as their authors sent them. Times are unix milliseconds.
CREATE TABLE offline_letters (
    -- Given by the program: later letters have greater numbers.
    number    INTEGER PRIMARY KEY,
    -- NULL for letters that name a home and no recipient: they are for whoever was away.
    recipient BLOB CHECK (length(recipient) = 32),
    author    BLOB NOT NULL CHECK (length(author) = 32),
    kept_at   INTEGER NOT NULL,
    trace     BLOB NOT NULL CHECK (length(trace) = 16),
    dialect   TEXT NOT NULL,
    is_text   INTEGER NOT NULL CHECK (is_text IN (0, 1)),
    original  BLOB NOT NULL
) STRICT;
CREATE INDEX offline_letters_by_recipient ON offline_letters (recipient, number);

-- Up to which of the letters without a recipient a member has heard.
CREATE TABLE offline_heard (
    member  BLOB PRIMARY KEY CHECK (length(member) = 32),
    -- NULL while it is here: it hears what comes by itself.
    heard   INTEGER,
    left_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
