-- Every change is signed by its author, so whoever signs in here can send it.

-- The first bytes of the author's public key, and their signature; nothing where the key was not here when the change was
-- done again.
ALTER TABLE outbox ADD COLUMN signed_by BLOB;
ALTER TABLE outbox ADD COLUMN signature BLOB;

-- It was for work that only its author could send.
ALTER TABLE outbox DROP COLUMN behind;

-- Public keys that the server knows for this device: what is signed with them can be sent in anybody's session.
CREATE TABLE known_key (
    id BLOB PRIMARY KEY
) WITHOUT ROWID;
