-- Who has left the clinic since somebody last worked here, and what became of their work, for the screen that the next
-- person sees: their name, the clinic's, how many entries were handed in and when, and whether the records went.
CREATE TABLE has_left (
    only_one     INTEGER PRIMARY KEY CHECK (only_one = 1),
    account      BLOB NOT NULL,
    name         TEXT NOT NULL,
    clinic       TEXT NOT NULL,
    entries      INTEGER NOT NULL,
    at           INTEGER,
    records_gone INTEGER NOT NULL
);
