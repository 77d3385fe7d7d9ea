-- Whether a line was said in a public letter, which everybody has read who speaks as its author does. Until now nobody
-- whose protocol has letters could say something in the public room in another way where it is everybody's.
ALTER TABLE room_lines ADD COLUMN was_letter INTEGER NOT NULL DEFAULT 0 CHECK (was_letter IN (0, 1));
UPDATE room_lines SET was_letter = 1 WHERE room = 'public' AND kind = 'said' AND dialect IN ('olaf', 'socp');
