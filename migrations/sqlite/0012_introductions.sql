-- Where operators have said that members listen, for clients that mesh by themselves. Times are unix milliseconds.
CREATE TABLE introductions (
    -- As it is printed in lists.
    address TEXT PRIMARY KEY,
    member  BLOB NOT NULL CHECK (length(member) = 32),
    -- Its place in the order of the directory.
    seq     INTEGER NOT NULL CHECK (seq >= 0),
    until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
