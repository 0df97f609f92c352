-- What is told of people lies sealed: with a key of each person's own, or, as long as they have no account, with their
-- clinic's. These tables take the places of those without `sealed_` in their names once the server has sealed what is in
-- those (`0014_sealed_people_in_place.sql`).

-- One a person, wrapped by the master key. Who destroys the row has destroyed what is told of them.
create table person_keys (
    account uuid not null primary key,
    wrapped bytea not null
);

-- Of somebody who was erased nothing is left but the account, for what they signed and did.
create table sealed_accounts (
    account uuid not null primary key,
    -- HMAC of the address, by which it is found.
    email_hash bytea,
    -- Sealed, as the next two.
    email bytea,
    full_name bytea,
    -- An address that waits for its mail to be answered.
    new_email bytea,
    password_hash text not null,
    -- Whether a mail to the address was answered.
    verified boolean not null default false,
    erased_at bigint
);
create unique index accounts_by_email_hash on sealed_accounts (email_hash);
create index accounts_erased on sealed_accounts (account) where erased_at is not null;

create table sealed_devices (
    account uuid not null,
    device uuid not null,
    -- Sealed; null of somebody who was erased.
    name bytea,
    first_seen bigint not null,
    last_seen bigint not null,
    -- A device goes by the name that its person gave it, also after the next sign-in.
    named boolean not null default false,
    primary key (account, device)
);

create table sealed_links (
    -- SHA-256 of the token in the link.
    hash bytea not null primary key,
    account uuid not null,
    -- 0 a new password, 1 an address
    purpose smallint not null,
    -- The address that the mail went to, sealed.
    email bytea not null,
    expires_at bigint not null
);

create table sealed_invitations (
    clinic uuid not null,
    id uuid not null,
    -- What the account will be called unless the address has one by then.
    account uuid not null,
    -- HMAC of the address.
    email_hash bytea not null,
    -- Who is invited and by whom (JSON), sealed with the clinic's key.
    words bytea not null,
    roles text not null,
    client uuid,
    -- Nobody of the clinic for its first administrator's.
    invited_by uuid,
    invited_at bigint not null,
    expires_at bigint not null,
    -- SHA-256 of the token in the link.
    token bytea not null,
    mail uuid,
    -- When it was taken up or withdrawn.
    closed_at bigint,
    primary key (clinic, id)
);

-- Mails that wait, written together with what they tell of.
create table sealed_mails (
    mail uuid not null primary key,
    -- To whom, and all its words (JSON), sealed with the server's key; null once it is settled.
    letter bytea,
    due_at bigint not null,
    attempts integer not null default 0,
    -- Until then a node is at it.
    leased_until bigint not null default 0,
    settled_at bigint,
    -- Whether the mail server took it; it refused it otherwise.
    sent boolean not null default false
);

-- Whom providers vouch for, and whose account that is here.
create table sealed_identities (
    -- HMAC of the provider and its name for the person.
    hash bytea not null primary key,
    identity uuid not null,
    account uuid not null,
    linked_at bigint not null,
    -- The provider, its name for the person, and how it knows them (JSON), sealed.
    vouched bytea not null,
    -- The provider's own time of that; 0 if it came with a sign-in.
    updated_at bigint not null default 0
);

create table sealed_passkeys (
    -- What the authenticator calls it.
    credential bytea not null primary key,
    account uuid not null,
    passkey uuid not null,
    -- Sealed.
    name bytea not null,
    created_at bigint not null,
    last_used bigint,
    -- Its public key and counter (JSON), sealed with the server's key.
    public_key bytea not null
);
