-- Against whose share a room counts, when rooms were closed, and which ones an operator has emptied.

-- NULL: against nobody's.
ALTER TABLE rooms ADD COLUMN opener BLOB CHECK (length(opener) = 32);
ALTER TABLE rooms ADD COLUMN opener_kind TEXT CHECK (opener_kind IN ('member', 'home'));
-- Unix milliseconds. When rooms were closed until now is not known.
ALTER TABLE rooms ADD COLUMN closed_at INTEGER;
UPDATE rooms SET closed_at = made WHERE closed = 1;

-- Lines up to this stamp are not wanted back, whoever says them again.
CREATE TABLE room_emptied (
    room  TEXT PRIMARY KEY CHECK (length(CAST(room AS BLOB)) BETWEEN 1 AND 64),
    stamp INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
