-- The one file of a device that is not encrypted: who may open its records, and with what. No record is in it.

CREATE TABLE device (
    only_one   INTEGER PRIMARY KEY CHECK (only_one = 1),
    -- The device's id, which the server wants to know before the records can be opened.
    id         BLOB NOT NULL,
    -- Whether the records are the encrypted ones. Until then, a store of a former build is what counts.
    sealed     INTEGER NOT NULL DEFAULT 0,
    -- Minutes without any input after which the device locks itself; 0 is never.
    lock_after INTEGER NOT NULL DEFAULT 5,
    -- How many changes had not reached the clinic when it was locked; NULL while the records are open.
    waiting    INTEGER,
    -- Random, from each unlocking to the next lock: a window that has slept since then opens nothing.
    pass       BLOB,
    -- The records' key, sealed with the key that the server gives this device.
    nonce      BLOB,
    wrapped    BLOB
);

CREATE TABLE person (
    account  BLOB PRIMARY KEY,
    name     TEXT NOT NULL,
    -- Who was here last comes first.
    last_at  INTEGER NOT NULL
) WITHOUT ROWID;

-- One way to unlock: the records' key, sealed with what argon2id makes of a password (1) or a PIN (2).
CREATE TABLE way (
    account    BLOB NOT NULL REFERENCES person (account),
    kind       INTEGER NOT NULL,
    memory_kib INTEGER NOT NULL,
    passes     INTEGER NOT NULL,
    lanes      INTEGER NOT NULL,
    salt       BLOB NOT NULL,
    nonce      BLOB NOT NULL,
    wrapped    BLOB NOT NULL,
    -- Attempts since the last one that was right, and when the latest began.
    failed     INTEGER NOT NULL DEFAULT 0,
    tried_at   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account, kind)
) WITHOUT ROWID;
