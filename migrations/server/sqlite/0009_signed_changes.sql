-- Changes are signed by their authors (`shared-model/src/authorship.rs`).

-- The first eight bytes of the author's key, and the signature; null where one above it in the same push speaks for it.
alter table changes add column signed blob;

-- People's public keys on their devices. They stay when a sign-in ends: what was written with them may come later.
create table signing_keys (
    device blob not null,
    -- The first eight bytes of the key.
    id blob not null,
    key blob not null,
    account blob not null,
    registered_at integer not null,
    primary key (device, id)
) strict, without rowid;
