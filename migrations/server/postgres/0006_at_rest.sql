-- Keys of what lies sealed in this database. The master key that wraps a clinic's keys is not in it.

create table clinic_keys (
    -- All zero for what belongs to no clinic.
    clinic uuid not null,
    version integer not null,
    wrapped bytea not null,
    primary key (clinic, version)
);

-- One a document, wrapped by a key of its clinic. Who destroys the row has destroyed the document, in every backup that
-- is made from then on, and for whoever has an older copy without this row.
create table document_keys (
    clinic uuid not null,
    document uuid not null,
    wrapped bytea not null,
    primary key (clinic, document)
);
