-- Work that the clinic does not take from its author any more, handed in to the clinic's administrators: since when it is
-- to be handed in, and since when it is safe there.
ALTER TABLE outbox ADD COLUMN offered_at INTEGER;
ALTER TABLE outbox ADD COLUMN handed_in_at INTEGER;

-- Late work of others that an administrator has done again on this device: the clinic's list may still have it.
CREATE TABLE taken_over (
    hash BLOB PRIMARY KEY
) WITHOUT ROWID;
