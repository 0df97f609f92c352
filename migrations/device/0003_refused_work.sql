-- Several people work on one device, and a person decides about what the clinic refused.

-- Whose waiting work a change builds on: it cannot be sent before that.
ALTER TABLE outbox ADD COLUMN behind BLOB;

-- Refused work that somebody has let go, with the reason. It is listed as such and can be put back.
ALTER TABLE outbox ADD COLUMN discarded_at INTEGER;
ALTER TABLE outbox ADD COLUMN discarded_by BLOB;
ALTER TABLE outbox ADD COLUMN discard_reason TEXT;

-- Changes that were done again as others because work below them was refused: what a refused one that was typed on top
-- had seen is found through them. Kept as long as anything of the document is refused.
CREATE TABLE redone (
    hash     BLOB PRIMARY KEY,
    document BLOB NOT NULL,
    -- The text it edits, if it is typing.
    section  TEXT,
    -- What it built on, 32 bytes each, and what it is now; nothing if it was void.
    deps     BLOB NOT NULL,
    now      BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX redone_document ON redone (document);
