-- The device's store. `document` and `outbox` hold truth; everything below `-- projections` can be rebuilt from it.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

-- One merged Automerge document: a document chunk followed by `tail` change chunks.
CREATE TABLE document (
    row            INTEGER PRIMARY KEY,
    id             BLOB NOT NULL UNIQUE,
    kind           INTEGER NOT NULL,
    schema_version INTEGER NOT NULL,
    bytes          BLOB NOT NULL,
    tail           INTEGER NOT NULL DEFAULT 0,
    -- Last change made here, and last moment the server said it has everything of ours.
    saved_at       INTEGER,
    confirmed_at   INTEGER
);

-- Changes that the server has not acknowledged, in the order they were made, with the command that made each.
CREATE TABLE outbox (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT,
    account    BLOB NOT NULL,
    kind       INTEGER NOT NULL,
    document   BLOB NOT NULL,
    hash       BLOB NOT NULL UNIQUE,
    change     BLOB NOT NULL,
    command    BLOB NOT NULL,
    made_at    INTEGER NOT NULL,
    -- NULL while it waits; the server's refusal code and reason once it was refused.
    refused    INTEGER,
    reason     TEXT
);
CREATE INDEX outbox_document ON outbox (document);

-- Where this device stands in each feed it reads.
CREATE TABLE feed_cursor (
    feed   BLOB PRIMARY KEY,
    cursor BLOB NOT NULL
) WITHOUT ROWID;

-- Entries of a newer schema than this build's: kept as they came and replayed after the upgrade.
CREATE TABLE deferred (
    seq   INTEGER PRIMARY KEY AUTOINCREMENT,
    entry BLOB NOT NULL
);

-- projections

CREATE TABLE client (
    id          BLOB PRIMARY KEY,
    given_name  TEXT NOT NULL,
    family_name TEXT NOT NULL,
    phone       TEXT NOT NULL,
    email       TEXT NOT NULL,
    retracted   INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE patient (
    id        BLOB PRIMARY KEY,
    name      TEXT NOT NULL,
    species   TEXT NOT NULL,
    breed     TEXT NOT NULL,
    sex       TEXT NOT NULL,
    neutered  INTEGER,
    born      TEXT,
    microchip TEXT,
    deceased  INTEGER NOT NULL,
    alerts    BLOB NOT NULL,
    weight_kg TEXT,
    retracted INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE ownership (
    client  BLOB NOT NULL,
    patient BLOB NOT NULL,
    PRIMARY KEY (client, patient)
) WITHOUT ROWID;
CREATE INDEX ownership_patient ON ownership (patient);

CREATE TABLE appointment (
    id               BLOB PRIMARY KEY,
    client           BLOB,
    patient          BLOB,
    appointment_type BLOB,
    reason           TEXT NOT NULL,
    start            INTEGER NOT NULL,
    minutes          INTEGER NOT NULL,
    vet              BLOB,
    room             BLOB,
    slot_contested   INTEGER NOT NULL,
    booking          INTEGER NOT NULL,
    whereabouts      INTEGER NOT NULL,
    arrived_at       INTEGER,
    in_room_at       INTEGER,
    visit            BLOB,
    finished_at      INTEGER
) WITHOUT ROWID;
CREATE INDEX appointment_start ON appointment (start);
CREATE INDEX appointment_patient ON appointment (patient, start);

CREATE TABLE visit (
    id          BLOB PRIMARY KEY,
    patient     BLOB,
    vet         BLOB,
    reason      TEXT NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    summary     TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX visit_patient ON visit (patient, started_at);

-- rowid is document.row. Prefixes up to four letters are indexed: that is what people type before they look up.
CREATE VIRTUAL TABLE search USING fts5 (
    text,
    content = '',
    contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2',
    prefix = '1 2 3 4'
);
