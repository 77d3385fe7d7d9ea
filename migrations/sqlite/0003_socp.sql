-- Members who have names, with the columns that SOCP gives this table. Times are unix milliseconds.
CREATE TABLE users (
    user_id       TEXT PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 64),
    -- The key that came with the name first, as it was written. Empty if none did yet.
    pubkey        TEXT NOT NULL,
    -- Kept for members who leave their encrypted key here. We offer no way to do that yet.
    privkey_store TEXT,
    pake_password TEXT,
    meta          TEXT NOT NULL DEFAULT '{}',
    version       INTEGER NOT NULL DEFAULT 1,
    -- The fingerprint of the key. A name that comes with another one is refused.
    key_id        BLOB CHECK (length(key_id) = 32),
    -- Whether that key has ever signed. From then on it must.
    proven        INTEGER NOT NULL DEFAULT 0 CHECK (proven IN (0, 1)),
    first_seen    INTEGER NOT NULL,
    last_seen     INTEGER NOT NULL
) STRICT;

CREATE TABLE groups (
    group_id   TEXT PRIMARY KEY,
    creator_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    meta       TEXT NOT NULL DEFAULT '{}',
    version    INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE group_members (
    group_id    TEXT NOT NULL REFERENCES groups (group_id) ON DELETE CASCADE,
    member_id   TEXT NOT NULL,
    role        TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    -- What a server that hands out group keys has wrapped for this member.
    wrapped_key TEXT,
    added_at    INTEGER NOT NULL,
    PRIMARY KEY (group_id, member_id)
) STRICT, WITHOUT ROWID;

-- The name of a member who has one, to find the row in users.
ALTER TABLE members ADD COLUMN name TEXT;
