-- A pet is found by its owner's name too, without joining two long lists of matches while somebody types.

ALTER TABLE patient ADD COLUMN search TEXT NOT NULL DEFAULT '';

-- rowid is document.row. Prefixes up to four letters are indexed: that is what people type before they look up.
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (
    text,
    owners,
    content = '',
    contentless_delete = 1,
    tokenize = 'unicode61 remove_diacritics 2',
    prefix = '1 2 3 4'
);

-- The next start fills all projections anew.
DELETE FROM meta WHERE name = 'projection_version';
