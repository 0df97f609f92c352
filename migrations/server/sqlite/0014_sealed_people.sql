-- What is told of people lies sealed: with a key of each person's own, or, as long as they have no account, with their
-- clinic's. These tables take the places of those without `sealed_` in their names once the server has sealed what is in
-- those (`0014_sealed_people_in_place.sql`).

-- One a person, wrapped by the master key. Who destroys the row has destroyed what is told of them.
create table person_keys (
    account blob not null primary key,
    wrapped blob not null
) strict, without rowid;

-- Of somebody who was erased nothing is left but the account, for what they signed and did.
create table sealed_accounts (
    account blob not null primary key,
    -- HMAC of the address, by which it is found.
    email_hash blob,
    -- Sealed, as the next two.
    email blob,
    full_name blob,
    -- An address that waits for its mail to be answered.
    new_email blob,
    password_hash text not null,
    -- Whether a mail to the address was answered.
    verified integer not null default 0,
    erased_at integer
) strict, without rowid;
create unique index accounts_by_email_hash on sealed_accounts (email_hash);
create index accounts_erased on sealed_accounts (account) where erased_at is not null;

create table sealed_devices (
    account blob not null,
    device blob not null,
    -- Sealed; null of somebody who was erased.
    name blob,
    first_seen integer not null,
    last_seen integer not null,
    -- A device goes by the name that its person gave it, also after the next sign-in.
    named integer not null default 0,
    primary key (account, device)
) strict, without rowid;

create table sealed_links (
    -- SHA-256 of the token in the link.
    hash blob not null primary key,
    account blob not null,
    -- 0 a new password, 1 an address
    purpose integer not null,
    -- The address that the mail went to, sealed.
    email blob not null,
    expires_at integer not null
) strict, without rowid;

create table sealed_invitations (
    clinic blob not null,
    id blob not null,
    -- What the account will be called unless the address has one by then.
    account blob not null,
    -- HMAC of the address.
    email_hash blob not null,
    -- Who is invited and by whom (JSON), sealed with the clinic's key.
    words blob not null,
    roles text not null,
    client blob,
    -- Nobody of the clinic for its first administrator's.
    invited_by blob,
    invited_at integer not null,
    expires_at integer not null,
    -- SHA-256 of the token in the link.
    token blob not null,
    mail blob,
    -- When it was taken up or withdrawn.
    closed_at integer,
    primary key (clinic, id)
) strict, without rowid;

-- Mails that wait, written together with what they tell of.
create table sealed_mails (
    mail blob not null primary key,
    -- To whom, and all its words (JSON), sealed with the server's key; null once it is settled.
    letter blob,
    due_at integer not null,
    attempts integer not null default 0,
    -- Until then a node is at it.
    leased_until integer not null default 0,
    settled_at integer,
    -- Whether the mail server took it; it refused it otherwise.
    sent integer not null default 0
) strict;

-- Whom providers vouch for, and whose account that is here.
create table sealed_identities (
    -- HMAC of the provider and its name for the person.
    hash blob not null primary key,
    identity blob not null,
    account blob not null,
    linked_at integer not null,
    -- The provider, its name for the person, and how it knows them (JSON), sealed.
    vouched blob not null,
    -- The provider's own time of that; 0 if it came with a sign-in.
    updated_at integer not null default 0
) strict, without rowid;

create table sealed_passkeys (
    -- What the authenticator calls it.
    credential blob not null primary key,
    account blob not null,
    passkey blob not null,
    -- Sealed.
    name blob not null,
    created_at integer not null,
    last_used integer,
    -- Its public key and counter (JSON), sealed with the server's key.
    public_key blob not null
) strict, without rowid;

-- There as long as free pages may hold what was readable.
create table unswept (since integer) strict;
