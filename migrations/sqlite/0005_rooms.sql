-- Rooms, what was said in them, and who may say nothing. Times are unix milliseconds, given by the program.
CREATE TABLE rooms (
    name   TEXT PRIMARY KEY CHECK (length(CAST(name AS BLOB)) BETWEEN 1 AND 64),
    -- An operator has closed it. It stays in the table, so that it stays closed after a restart.
    closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1)),
    made   INTEGER NOT NULL
) STRICT;

-- Lines of this home and of neighbours, each under the name that it has everywhere. A line may come in
-- before its room is known here, so the one does not refer to the other.
CREATE TABLE room_lines (
    room      TEXT NOT NULL,
    -- When it was said, and at which home: 48 bits of milliseconds and 16 that tell lines apart, and the
    -- fingerprint of a key.
    stamp     INTEGER NOT NULL,
    home      BLOB NOT NULL CHECK (length(home) = 32),
    -- Who said it, as her home describes her. All NULL: an operator did it.
    member    BLOB CHECK (length(member) = 32),
    name      TEXT,
    -- NULL: only newer programs know it.
    dialect   TEXT,
    kind      TEXT NOT NULL CHECK (kind IN ('said', 'topic', 'withdrew')),
    -- What was said, or the topic.
    text      TEXT,
    -- Which line was withdrawn, and how many bytes it took.
    of_stamp  INTEGER,
    of_home   BLOB CHECK (length(of_home) = 32),
    of_bytes  INTEGER,
    PRIMARY KEY (stamp, home)
) STRICT, WITHOUT ROWID;
CREATE INDEX room_lines_by_room ON room_lines (room, stamp DESC, home DESC);

-- Members whom an operator lets say nothing here, by the fingerprint of the key or the digest of the name.
CREATE TABLE room_mutes (
    member BLOB PRIMARY KEY CHECK (length(member) = 32)
) STRICT, WITHOUT ROWID;
