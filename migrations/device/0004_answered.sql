-- Commands of the browser's windows that were carried out, latest last: one that is asked for again, because the window
-- that kept the records closed before its answer arrived, gets its first answer.
CREATE TABLE answered (
    row    INTEGER PRIMARY KEY,
    ticket INTEGER NOT NULL,
    at     INTEGER NOT NULL
);
