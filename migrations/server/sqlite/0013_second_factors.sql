-- Second factors of accounts, and which clinics ask for one.

-- Authenticator apps (RFC 6238).
create table totp (
    account blob not null primary key,
    -- Sealed.
    secret blob not null,
    since integer not null,
    -- The latest half minute since 1970 of which a code was used.
    last_step integer not null
) strict, without rowid;

-- SHA-256 of each recovery code that is left.
create table recovery_codes (
    account blob not null,
    hash blob not null,
    primary key (account, hash)
) strict, without rowid;

create table passkeys (
    -- What the authenticator calls it.
    credential blob not null primary key,
    account blob not null,
    passkey blob not null,
    name text not null,
    created_at integer not null,
    last_used integer,
    -- Its public key and counter (JSON), sealed.
    public_key blob not null
) strict, without rowid;
create unique index passkeys_by_account on passkeys (account, passkey);

-- What clinics ask of their staff; a clinic without a row asks for nothing.
create table sign_in_rules (
    clinic blob not null primary key,
    second_factor integer not null
) strict, without rowid;
