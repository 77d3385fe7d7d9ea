-- What each uploaded file must be, so that a copy of it can be told from anything else: SHA-256. NULL: it is older than
-- this column.
ALTER TABLE files ADD COLUMN digest BLOB CHECK (digest IS NULL OR length(digest) = 32);
