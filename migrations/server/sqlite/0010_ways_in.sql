-- Other ways in than a password.

-- Whom providers vouch for: their name for a person, and whose account that is here.
create table identities (
    issuer text not null,
    subject text not null,
    identity blob not null,
    account blob not null,
    linked_at integer not null,
    -- How the provider knows the person (JSON), sealed.
    profile blob not null,
    -- The provider's own time of that; 0 if it came with a sign-in.
    updated_at integer not null default 0,
    primary key (issuer, subject)
) strict, without rowid;
create unique index identities_by_account on identities (account, identity);

-- Steps of a sign-in that wait for the next one, each for some minutes.
create table sign_in_steps (
    -- SHA-256 of what the next step is taken with.
    hash blob not null primary key,
    -- What is to be known then, sealed.
    step blob not null,
    expires_at integer not null
) strict, without rowid;
create index sign_in_steps_by_expiry on sign_in_steps (expires_at);

-- Messages of providers that were taken in, so that none is taken twice.
create table webhooks (
    issuer text not null,
    message text not null,
    received_at integer not null,
    primary key (issuer, message)
) strict, without rowid;
create index webhooks_by_time on webhooks (received_at);
