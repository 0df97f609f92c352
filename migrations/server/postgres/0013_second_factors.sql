-- Second factors of accounts, and which clinics ask for one.

-- Authenticator apps (RFC 6238).
create table totp (
    account uuid not null primary key,
    -- Sealed.
    secret bytea not null,
    since bigint not null,
    -- The latest half minute since 1970 of which a code was used.
    last_step bigint not null
);

-- SHA-256 of each recovery code that is left.
create table recovery_codes (
    account uuid not null,
    hash bytea not null,
    primary key (account, hash)
);

create table passkeys (
    -- What the authenticator calls it.
    credential bytea not null primary key,
    account uuid not null,
    passkey uuid not null,
    name text not null,
    created_at bigint not null,
    last_used bigint,
    -- Its public key and counter (JSON), sealed.
    public_key bytea not null
);
create unique index passkeys_by_account on passkeys (account, passkey);

-- What clinics ask of their staff; a clinic without a row asks for nothing.
create table sign_in_rules (
    clinic uuid not null primary key,
    second_factor boolean not null
);
