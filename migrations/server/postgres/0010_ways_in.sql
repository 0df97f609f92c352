-- Other ways in than a password.

-- Whom providers vouch for: their name for a person, and whose account that is here.
create table identities (
    issuer text not null,
    subject text not null,
    identity uuid not null,
    account uuid not null,
    linked_at bigint not null,
    -- How the provider knows the person (JSON), sealed.
    profile bytea not null,
    -- The provider's own time of that; 0 if it came with a sign-in.
    updated_at bigint not null default 0,
    primary key (issuer, subject)
);
create unique index identities_by_account on identities (account, identity);

-- Steps of a sign-in that wait for the next one, each for some minutes.
create table sign_in_steps (
    -- SHA-256 of what the next step is taken with.
    hash bytea not null primary key,
    -- What is to be known then, sealed.
    step bytea not null,
    expires_at bigint not null
);
create index sign_in_steps_by_expiry on sign_in_steps (expires_at);

-- Messages of providers that were taken in, so that none is taken twice.
create table webhooks (
    issuer text not null,
    message text not null,
    received_at bigint not null,
    primary key (issuer, message)
);
create index webhooks_by_time on webhooks (received_at);
