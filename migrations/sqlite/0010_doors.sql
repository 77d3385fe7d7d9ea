-- Where else a neighbour is found whose home has several doors, as it told on a proven link: URLs with blanks in between.
ALTER TABLE peers ADD COLUMN doors TEXT NOT NULL DEFAULT '';
